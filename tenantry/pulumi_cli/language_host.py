"""Pulumi's Python language host for a CLI that was built from source, because the official host is not a
module.

The engine starts it with its own address as argument, reads a port from the first line of output, and calls
LanguageRuntime there. The SDK's own server, which the Automation API uses too, runs the program. In each run
the engine starts another host only to request its properties. So the SDK is imported only to run a program,
and all other responses are the bytes of the messages.

If `virtualenv` in Pulumi.yaml is another environment, a host of that environment runs the program, because
the engine starts the providers there too. Source: https://www.pulumi.com/docs/iac/languages-sdks/python/
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
]  # the limit of the engine

RUN = "/pulumirpc.LanguageRuntime/Run"
EMPTY = {
    "GetPluginInfo",  # the SDK's own server returns no version either
    "GetRequiredPlugins",
    "GetRequiredPackages",
    "GetProgramDependencies",  # the project locks the packages of the environment
    "RuntimeOptionsPrompts",
    "Cancel",  # a signal follows
}
"""Methods whose response is a message without fields: zero bytes, whatever its type."""

BAIL = b"\x10\x01"
"""A RunResponse with `bail: true`: the error has been printed. Otherwise the engine calls it unhandled."""


class ProgramHost(grpc.GenericRpcHandler):
    """The server of LanguageRuntime for the engine (pulumi/language.proto)."""

    def __init__(self, engine_address: str) -> None:
        self._engine_address = engine_address
        self._handshake = b""

    def service(self, call: Any) -> Any:
        """Return the handler of a call; None for an unknown call."""
        method = call.method.rpartition("/")[2]
        if method == "InstallDependencies":
            return grpc.unary_stream_rpc_method_handler(lambda _request, _context: iter(()))
        handlers = {
            "Run": self.run,
            "Handshake": self.handshake,
            "About": lambda _request, _context: text(1, sys.executable) + text(2, platform.python_version()),
            **dict.fromkeys(EMPTY, lambda _request, _context: b""),
        }
        handler = handlers.get(method)
        return handler and grpc.unary_unary_rpc_method_handler(handler)

    def handshake(self, request: bytes, _context: Any) -> bytes:
        """Keep the request, which has the engine's address in newer versions."""
        self._handshake = request
        return b""

    def run(self, request: bytes, _context: Any) -> bytes:
        """Run the program of the project once."""
        from pulumi.runtime.proto import language_pb2

        shaken = language_pb2.LanguageHandshakeRequest.FromString(self._handshake)
        return respond(shaken.engine_address or self._engine_address, request)


def respond(engine_address: str, request: bytes) -> bytes:
    """Run a program once, in this process, like `python <folder>`.

    `request` is a RunRequest, the result a RunResponse.
    """
    from pulumi.automation._server import LanguageServer
    from pulumi.runtime.proto import language_pb2

    run_request = language_pb2.RunRequest.FromString(request)
    options = dict(run_request.info.options)
    environment = os.path.join(run_request.info.root_directory, str(options.get("virtualenv") or sys.prefix))
    if not is_ours(environment):
        return run_in(environment, engine_address, request, options)
    program = os.path.normpath(os.path.join(run_request.info.program_directory, run_request.info.entry_point))
    run_request.args[:] = [engine_address]  # the SDK's server reads it there
    os.chdir(run_request.pwd)
    sys.path[:0] = [program if os.path.isdir(program) else os.path.dirname(program)]
    server = LanguageServer(partial(run_program, program, run_request.info.root_directory))
    given = server.Run(run_request, None)  # type: ignore[no-untyped-call]
    # The SDK has already printed the error. Without BAIL the engine prints it again.
    return BAIL if given.error else bytes(given.SerializeToString())


def run_in(environment: str, address: str, request: bytes, options: dict[str, Any]) -> bytes:
    """Run the program with a host of another environment, and return its response."""
    python = os.path.join(environment, "bin", "python")
    if not os.path.exists(python):
        return refuse(
            f"Pulumi.yaml has `virtualenv: {options['virtualenv']}`, but {environment} is not a Python "
            "environment. Create it, and install the packages of the project there."
        )
    with subprocess.Popen([python, "-P", __file__, address], stdout=subprocess.PIPE) as host:
        assert host.stdout  # noqa: S101 (for the type checker)
        port = host.stdout.readline().decode().strip()
        if not port.isdigit():
            return refuse(f"{python} cannot run the program. Install the packages of the project there.")
        output = threading.Thread(target=shutil.copyfileobj, args=(host.stdout, sys.stdout.buffer))
        output.start()
        with grpc.insecure_channel(f"127.0.0.1:{port}", options=MESSAGES) as channel:
            response: bytes = channel.unary_unary(RUN, bytes, bytes)(request)
        host.terminate()
        output.join()
    sys.stdout.flush()
    return response


def refuse(why: str) -> bytes:
    """Print why the program cannot run, and return the response that ends the run."""
    print(why, file=sys.stderr, flush=True)
    return BAIL


def text(number: int, value: str) -> bytes:
    """Return an encoded text field of a message: its number and type, the length, the text."""
    data = value.encode()
    length, sizes = len(data), bytearray()
    while length > 127:
        sizes.append(length & 127 | 128)
        length >>= 7
    return bytes([number << 3 | 2, *sizes, length]) + data


def is_ours(environment: str) -> bool:
    """Tell whether this process runs in the environment."""
    return os.path.realpath(environment) == os.path.realpath(sys.prefix)


def run_program(program: str, root: str) -> None:
    """Run a Python file, or the `__main__.py` of a folder, of the project in the folder `root`."""
    from pulumi.runtime import settings

    settings.SETTINGS.root_directory = root  # the SDK's server does not set it
    runpy.run_path(program, run_name="__main__")


def exit_with(engine: int) -> None:
    """End this process when the engine ends, even after a SIGKILL."""
    while os.getppid() == engine:
        time.sleep(WATCH_SECONDS)
    os._exit(0)


def main() -> None:
    """Serve until the engine stops this process or ends. Print nothing, because the engine would show it."""
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
