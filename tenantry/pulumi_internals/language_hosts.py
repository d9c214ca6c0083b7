"""A language host that the engine attaches to instead of starting one.

Relies on: the engine attaches to the process in `PULUMI_DEBUG_LANGUAGES=python:<port>`, whatever runtime
Pulumi.yaml has. It calls the service `pulumirpc.LanguageRuntime` there: `Handshake` first, with its own
address, and `Run` for each run of the program. It cancels a `Run` when it ends or is killed. An empty
response means no plugins, no packages, no version. The official host searches for packages in the environment
and can run plugins; this host does neither. `Log` at the engine's address accepts the output of a program.
The SDK sends its debug messages, five per resource, with `pulumi.log.debug`. Only `--debug`, or
`PULUMI_OPTION_DEBUG`, shows them.

Verified with: SDK 3.272.0, CLI 3.259.0.

When it breaks: a preview fails, and runs again without this host. An `up` fails before it changes anything.
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
EMPTY_RESPONSES = ("GetPluginInfo", "GetRequiredPackages", "GetProgramDependencies", "Cancel")
MAX_MESSAGE_BYTES = 400 << 20
"""The limit of the engine."""

CALLS_AT_ONCE = 4
"""One `Run`, and the other calls of the engine at the same time."""

LAST_LINES_SECONDS = 2.0
"""How long to wait for the reader. A process that the program has started may hold the pipe longer."""

Method = Callable[[bytes, Any], Any]
Run = Callable[[bytes, bytes, Callable[[Callable[[], None]], None]], bytes | str]
"""Receives the engine's handshake and its request to run the program.

Returns the response, or the text of an error.
It passes a function to the third argument, which is called when the engine cancels the request.
"""


class LanguageHost:
    """A server of LanguageRuntime on its own port, in threads of this process.

    Messages stay bytes, because decoding them would need an import of the SDK.
    """

    def __init__(self, run: Run) -> None:
        import grpc

        self._run, self._handshake = run, b""
        options = [(f"grpc.max_{way}_message_length", MAX_MESSAGE_BYTES) for way in ("receive", "send")]
        self._server = grpc.server(
            ThreadPoolExecutor(CALLS_AT_ONCE), options=[*options, ("grpc.so_reuseport", 0)]
        )
        methods: dict[str, Method] = dict.fromkeys(EMPTY_RESPONSES, self._empty)
        methods |= {"Handshake": self._take_handshake, "Run": self._answer}
        handlers: Any = {
            name: grpc.unary_unary_rpc_method_handler(method) for name, method in methods.items()
        }
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
        self.port: int = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which `pulumi` attaches to this host."""
        return {ATTACH: f"python:{self.port}"}

    def close(self) -> None:
        """Stop the server."""
        self._server.stop(None)

    def _empty(self, _request: bytes, _context: Any) -> bytes:
        return b""

    def _take_handshake(self, request: bytes, _context: Any) -> bytes:
        self._handshake = request
        return b""

    def _answer(self, request: bytes, context: Any) -> Any:
        import grpc

        def on_cancel(stop: Callable[[], None]) -> None:
            if not context.add_callback(stop):
                stop()

        response = self._run(self._handshake, request, on_cancel)
        if isinstance(response, str):
            context.abort(grpc.StatusCode.ABORTED, response)
        return response


def engine_of(handshake: bytes) -> str:
    """Return the address of the engine that sent a handshake."""
    from pulumi.runtime.proto import language_pb2

    address: str = language_pb2.LanguageHandshakeRequest.FromString(handshake).engine_address
    return address


def drop_debug_messages() -> None:
    """Drop the SDK's debug messages. Each would be a call of the engine, which does not show them."""
    from pulumi import log

    if not os.environ.get(DEBUG):
        log.debug = lambda *_, **__: None


@contextmanager
def streams_to(engine: str) -> Iterator[None]:
    """Send each line that this process prints to the engine, which expects that from a language host."""
    reading, writing = os.pipe()
    for stream in (1, 2):
        os.dup2(writing, stream)
    os.close(writing)
    reader = threading.Thread(target=_forward_lines, args=(reading, engine), daemon=True)
    reader.start()
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        with open(os.devnull, "wb") as nowhere:
            for stream in (1, 2):
                os.dup2(nowhere.fileno(), stream)
        reader.join(LAST_LINES_SECONDS)


def _forward_lines(reading: int, engine: str) -> None:
    stub: Any = None
    with open(reading, encoding="utf-8", errors="replace") as lines:
        for line in filter(str.strip, lines):
            import grpc
            from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

            stub = stub or engine_pb2_grpc.EngineStub(grpc.insecure_channel(engine))
            stub.Log(engine_pb2.LogRequest(severity=engine_pb2.INFO, message=line))
