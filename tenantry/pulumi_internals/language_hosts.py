"""A language host that the engine attaches to instead of starting one.

Relies on: the engine attaches to what `PULUMI_DEBUG_LANGUAGES=python:<port>` names, whatever else Pulumi.yaml
says of the runtime. It calls the service `pulumirpc.LanguageRuntime` there: `Handshake` first, with its own
address, and `Run` for each run of the program. It gives up a `Run` when it ends or is killed. An answer
without content means no plugins, no packages, no version: the official host looks for packages in the
environment and can run plugins, which this one leaves alone. `Log` at the engine's address takes what a
program has printed. The SDK sends its debugging messages, five for each resource, with `pulumi.log.debug`;
only `--debug` shows them, which may be in the environment as `PULUMI_OPTION_DEBUG`.

Seen to hold: SDK 3.272.0, CLI 3.259.0.

When it breaks: a preview fails, and is run once more in the plain way. An `up` fails before anything is done;
`TENANTRY_COLD` turns the attempt off.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

ATTACH = "PULUMI_DEBUG_LANGUAGES"
DEBUG = "PULUMI_OPTION_DEBUG"
SERVICE = "pulumirpc.LanguageRuntime"
NOTHING_TO_SAY = ("GetPluginInfo", "GetRequiredPackages", "GetProgramDependencies", "Cancel")
LONGEST_MESSAGE = 400 << 20
"""The engine's own limit, in bytes."""

CALLS_AT_ONCE = 4
"""One `Run`, and what the engine asks meanwhile."""

SECONDS_FOR_LAST_LINES = 2.0
"""How long the reader is waited for: what a program has started may hold the pipe for longer."""

Method = Callable[[bytes, Any], Any]
Run = Callable[[bytes, bytes, Callable[[Callable[[], None]], None]], bytes | str]
"""Takes the engine's handshake and its request to run the program, and returns the answer, or why there is
none. What it gives to the third argument is called when the engine wants no answer any more.
"""


class LanguageHost:
    """Serves LanguageRuntime on a port of its own, in threads of this process.

    Messages stay bytes here: to decode them this process would have to import the SDK.
    """

    def __init__(self, run: Run) -> None:
        import grpc

        self._run, self._handshake = run, b""
        options = [(f"grpc.max_{way}_message_length", LONGEST_MESSAGE) for way in ("receive", "send")]
        self._server = grpc.server(
            ThreadPoolExecutor(CALLS_AT_ONCE), options=[*options, ("grpc.so_reuseport", 0)]
        )
        methods: dict[str, Method] = dict.fromkeys(NOTHING_TO_SAY, self._nothing)
        methods |= {"Handshake": self._take_handshake, "Run": self._answer}
        handlers: Any = {name: grpc.unary_unary_rpc_method_handler(each) for name, each in methods.items()}
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
        self.port: int = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which `pulumi` attaches to this host."""
        return {ATTACH: f"python:{self.port}"}

    def close(self) -> None:
        """Serve no longer."""
        self._server.stop(None)

    def _nothing(self, _request: bytes, _context: Any) -> bytes:
        return b""

    def _take_handshake(self, request: bytes, _context: Any) -> bytes:
        self._handshake = request
        return b""

    def _answer(self, request: bytes, context: Any) -> Any:
        import grpc

        def when_unwanted(stop: Callable[[], None]) -> None:
            if not context.add_callback(stop):
                stop()

        answer = self._run(self._handshake, request, when_unwanted)
        if isinstance(answer, str):
            context.abort(grpc.StatusCode.ABORTED, answer)
        return answer


def engine_of(handshake: bytes) -> str:
    """Return the address of the engine that sent a handshake."""
    from pulumi.runtime.proto import language_pb2

    address: str = language_pb2.LanguageHandshakeRequest.FromString(handshake).engine_address
    return address


def drop_debug_messages() -> None:
    """Keep the SDK's debugging messages in this process: each is a call of the engine, which shows none."""
    from pulumi import log

    if not os.environ.get(DEBUG):
        log.debug = lambda *_, **__: None


@contextmanager
def streams_to(engine: str) -> Iterator[None]:
    """Tell the engine each line that this process prints, as it reads them from a host of its own."""
    reading, writing = os.pipe()
    for stream in (1, 2):
        os.dup2(writing, stream)
    os.close(writing)
    reader = threading.Thread(target=_tell, args=(reading, engine), daemon=True)
    reader.start()
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        with open(os.devnull, "wb") as nowhere:
            for stream in (1, 2):
                os.dup2(nowhere.fileno(), stream)
        reader.join(SECONDS_FOR_LAST_LINES)


def _tell(reading: int, engine: str) -> None:
    stub: Any = None
    with open(reading, encoding="utf-8", errors="replace") as lines:
        for line in filter(str.strip, lines):
            import grpc
            from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

            stub = stub or engine_pb2_grpc.EngineStub(grpc.insecure_channel(engine))
            stub.Log(engine_pb2.LogRequest(severity=engine_pb2.INFO, message=line))
