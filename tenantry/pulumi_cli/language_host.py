"""Pulumi's Python language host, for a CLI that was built from source (the official one is not published so).

The engine starts it with its own address as argument, reads a port from the first line of output, and calls
LanguageRuntime there. Running the program is left to the SDK's own server, which the Automation API uses too.

Where Pulumi.yaml has another environment as `virtualenv`, a host of that environment runs the program: the
engine starts the providers there as well. Source: https://www.pulumi.com/docs/iac/languages-sdks/python/
"""

from __future__ import annotations

import os
import runpy
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi._version import version
from pulumi.automation._server import LanguageServer
from pulumi.runtime import settings
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

WATCH_SECONDS = 0.5
MESSAGES = [
    (f"grpc.max_{way}_message_length", 400 << 20) for way in ("receive", "send")
]  # the engine's own limit


class ProgramHost(LanguageServer):
    """The SDK's server for programs in memory, for the program on disk.

    The method names are those of the engine's LanguageRuntime service (pulumi/language.proto).
    """

    def __init__(self, engine_address: str) -> None:
        super().__init__(lambda: None)
        self._engine_address = engine_address

    def Handshake(self, request: Any, context: Any) -> Any:
        """Learn the address of the engine, from those that say it here."""
        self._engine_address = request.engine_address or self._engine_address
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        """Name the version of the SDK, which does the work."""
        return plugin_pb2.PluginInfo(version=str(version))

    def GetProgramDependencies(self, request: Any, context: Any) -> Any:
        """List no packages: the environment's are locked by the project."""
        return language_pb2.GetProgramDependenciesResponse()

    def RuntimeOptionsPrompts(self, request: Any, context: Any) -> Any:
        """Ask nothing when a project is made."""
        return language_pb2.RuntimeOptionsResponse()

    def InstallDependencies(self, request: Any, context: Any) -> Iterator[Any]:
        """Install nothing, for the same reason."""
        return iter(())

    def Cancel(self, request: Any, context: Any) -> Any:
        """Nothing to do: a signal follows."""
        return empty_pb2.Empty()

    def Run(self, request: Any, context: Any) -> Any:
        """Run the program of the project once, as `python <folder>` would."""
        options = dict(request.info.options)
        environment = os.path.join(request.info.root_directory, str(options.get("virtualenv") or sys.prefix))
        if not is_ours(environment):
            return self._run_in(environment, request)
        program = os.path.normpath(os.path.join(request.info.program_directory, request.info.entry_point))
        request.args[:] = [self._engine_address]  # where the SDK's server looks for it
        os.chdir(request.pwd)
        sys.path[:0] = [program if os.path.isdir(program) else os.path.dirname(program)]
        self.program = partial(run_program, program, request.info.root_directory)
        answer = super().Run(request, context)  # type: ignore[no-untyped-call]
        # The SDK has shown the error already; without this the engine would show it once more.
        return language_pb2.RunResponse(bail=True) if answer.error else answer

    def _run_in(self, environment: str, request: Any) -> Any:
        """Let a host of another environment run the program, and return what it answers."""
        python = os.path.join(environment, "bin", "python")
        if not os.path.exists(python):
            named = request.info.options["virtualenv"]
            return refused(
                f"Pulumi.yaml says `virtualenv: {named}`, and {environment} is no Python environment. "
                "Create it, and install there what the project needs."
            )
        command = [python, "-P", __file__, self._engine_address]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as host:
            assert host.stdout  # noqa: S101 (for the type checker)
            port = host.stdout.readline().decode().strip()
            if not port.isdigit():
                return refused(f"{python} cannot run the program. Install there what the project needs.")
            output = threading.Thread(target=shutil.copyfileobj, args=(host.stdout, sys.stdout.buffer))
            output.start()
            with grpc.insecure_channel(f"127.0.0.1:{port}", options=MESSAGES) as channel:
                answer = language_pb2_grpc.LanguageRuntimeStub(channel).Run(request)
            host.terminate()
            output.join()
        sys.stdout.flush()
        return answer


def answer(engine_address: str, request: bytes) -> bytes:
    """Run a program once, in this process, for whoever serves the engine elsewhere.

    `request` is a RunRequest, the answer a RunResponse.
    """
    asked = language_pb2.RunRequest.FromString(request)
    given: bytes = ProgramHost(engine_address).Run(asked, None).SerializeToString()
    return given


def refused(why: str) -> Any:
    """Say why there is no program, and end the run. An error in the answer would be called unhandled."""
    print(why, file=sys.stderr, flush=True)
    return language_pb2.RunResponse(bail=True)


def is_ours(environment: str) -> bool:
    """Tell whether an environment is the one that this process runs in."""
    return os.path.realpath(environment) == os.path.realpath(sys.prefix)


def run_program(program: str, root: str) -> None:
    """Run a Python file, or the `__main__.py` of a folder, of the project in the folder `root`."""
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
    server = grpc.server(ThreadPoolExecutor(4), options=MESSAGES)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(ProgramHost(address), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
