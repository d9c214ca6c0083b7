"""Pulumi's Python language host, for a CLI that was built from source (the official one is not published so).

The engine starts it with its own address as argument, reads a port from the first line of output, and calls
LanguageRuntime there. Running the program is left to the SDK's own server, which the Automation API uses too.
The engine starts another one in each run only to ask what it is: so the SDK is imported when there is a
program to run, and all else is answered with the bytes of the messages.

Where Pulumi.yaml has another environment as `virtualenv`, a host of that environment runs the program: the
engine starts the providers there as well. Source: https://www.pulumi.com/docs/iac/languages-sdks/python/
"""

from __future__ import annotations

import os
import platform
import runpy
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import grpc

WATCH_SECONDS = 0.5
MESSAGES = [
    (f"grpc.max_{way}_message_length", 400 << 20) for way in ("receive", "send")
]  # the engine's own limit

RUN = "/pulumirpc.LanguageRuntime/Run"
EMPTY = {
    "GetPluginInfo",  # the SDK's own server names no version either
    "GetRequiredPlugins",
    "GetRequiredPackages",
    "GetProgramDependencies",  # the environment's are locked by the project
    "RuntimeOptionsPrompts",
    "Cancel",  # a signal follows
}
"""Methods whose answer is a message without a field. Its bytes are none, whatever its type."""

BAIL = b"\x10\x01"
"""A RunResponse with `bail: true`: what there is to say has been said. An error would be called unhandled."""


class ProgramHost(grpc.GenericRpcHandler):
    """Answers the engine's calls of LanguageRuntime (pulumi/language.proto)."""

    def __init__(self, engine_address: str) -> None:
        self._engine_address = engine_address
        self._handshake = b""

    def service(self, call: Any) -> Any:
        """Return what answers a call; None for one that is not known here."""
        method = call.method.rpartition("/")[2]
        if method == "InstallDependencies":
            return grpc.unary_stream_rpc_method_handler(lambda _request, _context: iter(()))
        answers = {
            "Run": self.run,
            "Handshake": self.handshake,
            "About": lambda _request, _context: text(1, sys.executable) + text(2, platform.python_version()),
            **dict.fromkeys(EMPTY, lambda _request, _context: b""),
        }
        answer = answers.get(method)
        return answer and grpc.unary_unary_rpc_method_handler(answer)

    def handshake(self, request: bytes, _context: Any) -> bytes:
        """Keep what says the address of the engine, from those that say it here."""
        self._handshake = request
        return b""

    def run(self, request: bytes, _context: Any) -> bytes:
        """Run the program of the project once."""
        from pulumi.runtime.proto import language_pb2

        shaken = language_pb2.LanguageHandshakeRequest.FromString(self._handshake)
        return answer(shaken.engine_address or self._engine_address, request)


def answer(engine_address: str, request: bytes) -> bytes:
    """Run a program once, in this process, as `python <folder>` would.

    `request` is a RunRequest, the answer a RunResponse.
    """
    from pulumi.automation._server import LanguageServer
    from pulumi.runtime.proto import language_pb2

    asked = language_pb2.RunRequest.FromString(request)
    options = dict(asked.info.options)
    environment = os.path.join(asked.info.root_directory, str(options.get("virtualenv") or sys.prefix))
    if not is_ours(environment):
        return run_in(environment, engine_address, request, options)
    program = os.path.normpath(os.path.join(asked.info.program_directory, asked.info.entry_point))
    asked.args[:] = [engine_address]  # where the SDK's server looks for it
    os.chdir(asked.pwd)
    sys.path[:0] = [program if os.path.isdir(program) else os.path.dirname(program)]
    server = LanguageServer(partial(run_program, program, asked.info.root_directory))
    given = server.Run(asked, None)  # type: ignore[no-untyped-call]
    # The SDK has shown the error already, and the engine would show it once more.
    return BAIL if given.error else bytes(given.SerializeToString())


def run_in(environment: str, address: str, request: bytes, options: dict[str, Any]) -> bytes:
    """Let a host of another environment run the program, and return what it answers."""
    python = os.path.join(environment, "bin", "python")
    if not os.path.exists(python):
        return refused(
            f"Pulumi.yaml says `virtualenv: {options['virtualenv']}`, and {environment} is no Python "
            "environment. Create it, and install there what the project needs."
        )
    with subprocess.Popen([python, "-P", __file__, address], stdout=subprocess.PIPE) as host:
        assert host.stdout  # noqa: S101 (for the type checker)
        port = host.stdout.readline().decode().strip()
        if not port.isdigit():
            return refused(f"{python} cannot run the program. Install there what the project needs.")
        output = threading.Thread(target=shutil.copyfileobj, args=(host.stdout, sys.stdout.buffer))
        output.start()
        with grpc.insecure_channel(f"127.0.0.1:{port}", options=MESSAGES) as channel:
            answer: bytes = channel.unary_unary(RUN, bytes, bytes)(request)
        host.terminate()
        output.join()
    sys.stdout.flush()
    return answer


def refused(why: str) -> bytes:
    """Say why there is no program, and end the run."""
    print(why, file=sys.stderr, flush=True)
    return BAIL


def text(number: int, value: str) -> bytes:
    """Return a field of a message as it is sent: its number and type, the length, the text."""
    data = value.encode()
    length, sizes = len(data), bytearray()
    while length > 127:
        sizes.append(length & 127 | 128)
        length >>= 7
    return bytes([number << 3 | 2, *sizes, length]) + data


def is_ours(environment: str) -> bool:
    """Tell whether an environment is the one that this process runs in."""
    return os.path.realpath(environment) == os.path.realpath(sys.prefix)


def run_program(program: str, root: str) -> None:
    """Run a Python file, or the `__main__.py` of a folder, of the project in the folder `root`."""
    from pulumi.runtime import settings

    settings.SETTINGS.root_directory = root  # which the SDK's server leaves out
    runpy.run_path(program, run_name="__main__")


def exit_with(engine: int) -> None:
    """End when the engine does, also after a SIGKILL that gave it no time to stop us."""
    while os.getppid() == engine:
        time.sleep(WATCH_SECONDS)
    os._exit(0)


def main() -> None:
    """Serve until the engine stops us or is gone, without a word: the engine shows what is printed."""
    engine = os.getppid()
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, lambda *_: os._exit(0))
    threading.Thread(target=exit_with, args=(engine,), daemon=True).start()
    address = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    server = grpc.server(ThreadPoolExecutor(4), handlers=[ProgramHost(address)], options=MESSAGES)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
