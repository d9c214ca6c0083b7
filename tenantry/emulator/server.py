"""The emulator as a server: in the foreground for the command line, in a thread for tests."""

from __future__ import annotations

import asyncio
import logging
import shutil
import socket
import sqlite3
import tempfile
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from tenantry.emulator.app import Application
from tenantry.emulator.control_client import Control, ControlError, send
from tenantry.emulator.seed import plant
from tenantry.emulator.settings import Settings
from tenantry.emulator.world import World

LOOPBACK = "127.0.0.1"
GRACE_SECONDS = 2


class _Protocol(H11Protocol):
    """HTTP with a handle on the socket, so that a fault can cut the connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "cut": transport.abort}


class _CutOff(logging.Filter):
    """Leaves out what uvicorn logs of a request that the end of the server has cut off."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, asyncio.CancelledError)


logging.getLogger("uvicorn.error").addFilter(_CutOff())


class _Server(uvicorn.Server):
    """uvicorn's server that starts and stops at once, not at its next tick."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over = asyncio.Event()

    def stop(self) -> None:
        """End `serve`; from any thread."""
        if self._loop:
            # Its loop is closed where it has ended by itself.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._over.set)

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self.on_tick(0)
        self.ready.set()
        await self._over.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        tasks = list(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def config_for(app: ASGIApp, **options: Any) -> uvicorn.Config:
    """What both ways of serving share: no log of its own, no web sockets, no lifespan events.

    Nor a date: the application sends its own clock's.
    """
    return uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=GRACE_SECONDS,
        **options,
    )


def bind(port: int) -> socket.socket:
    """A listening socket on the loopback address, the only one there ever is; 0 = any free port."""
    # Named TCP explicitly: only then does asyncio switch off Nagle's delay on what is accepted.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((LOOPBACK, port))
    except OSError:
        bound.close()
        raise
    bound.listen(128)
    return bound


class Emulator:
    """A local Qlik Cloud in a thread of this process.

    ```python
    with Emulator() as qlik:
        os.environ["QLIK_CLOUD_ENDPOINT"] = qlik.url
        ...
        assert not qlik.control.health()["unknown"]
    ```

    Args:
        data: folder to keep the state in; None for one that is removed at the end.
        port: 0 for any free one.
        latency_ms: added to every answer.
        rate_limits: whether Qlik's limits are enforced.
        tls: serve https with a certificate of its own, see `tenantry.emulator.tls`.
        middleware: wraps the ASGI application, for instance to check every answer.
        settings: further settings, see `tenantry.emulator.settings.Settings`; all delays are 0 unless named.
    """

    def __init__(
        self,
        data: str | Path | None = None,
        port: int = 0,
        latency_ms: float = 0,
        rate_limits: bool = False,
        tls: bool = False,
        middleware: Callable[[ASGIApp], ASGIApp] | None = None,
        **settings: Any,
    ) -> None:
        self._data = data
        self._port = port
        self._tls = tls
        self._middleware = middleware or (lambda app: app)
        self._settings = Settings(latency_ms=latency_ms, rate_limits=rate_limits)
        self._settings.change(settings)
        self._failure: BaseException | None = None
        self.url = ""

    def __enter__(self) -> Emulator:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> Emulator:
        """Listen, and answer from now on; returns itself.

        Raises:
            OSError: the port is taken, or the folder with the data cannot be used.
            RuntimeError: the server has failed at once.
        """
        self._failure = None
        with ExitStack() as kept:
            self._socket = kept.enter_context(bind(self._port))
            self._folder = Path(self._data or tempfile.mkdtemp(prefix="qlik-emulator-"))
            if self._data is None:
                kept.callback(shutil.rmtree, self._folder)
            self._world = self._opened()
            kept.callback(self._world.close)
            self._server = self._made()
            self._thread = threading.Thread(target=self._serve, name="qlik-emulator", daemon=True)
            self._thread.start()
            kept.callback(self._end)
            self._server.ready.wait()
            self._check_failure()
            self._kept = kept.pop_all()
        self.url = f"{'https' if self._tls else 'http'}://{LOOPBACK}:{self._socket.getsockname()[1]}"
        self.control = Control(self.url)
        return self

    def stop(self) -> None:
        """Close every connection and end the thread; what a request was doing is dropped.

        Raises:
            RuntimeError: the server had ended by itself; the text says why.
        """
        self._kept.close()
        self._check_failure()

    def _check_failure(self) -> None:
        if self._failure:
            raise RuntimeError(f"the emulator has failed: {self._failure!r}") from self._failure

    @property
    def has_failed(self) -> bool:
        """Whether the server has ended by itself; `stop` says why."""
        return self._failure is not None

    def _opened(self) -> World:
        try:
            return World(self._folder, plant, self._settings, durable=self._data is not None)
        except sqlite3.Error as error:
            raise OSError(f"the data in {self._folder} cannot be used: {error}") from error

    def _made(self) -> _Server:
        options = {}
        if self._tls:
            from tenantry.emulator.tls import certificate

            options = certificate(self._folder)
        config = config_for(self._middleware(Application(self._world)), **options)
        # Here and not in the thread, where nobody would hear of a certificate that cannot be used.
        config.load()
        return _Server(config)

    def _end(self) -> None:
        self._server.stop()
        self._thread.join()

    def request(self, method: str, host: str, path: str, json: Any = None, *, token: str = "") -> Any:
        """Do something on a tenant as an administrator who is none of the clients.

        Args:
            host: the tenant's hostname.
            path: such as `/api/v1/spaces/123`.
            token: another token than the administrator's.

        Returns:
            The answer's JSON; None for an empty one.

        Raises:
            ControlError: the emulated API refused.
        """
        headers = {"authorization": f"Bearer {token or self.control.token(host)}"}
        status, answer = send(self.url, method, host, path, json_body=json, headers=headers)
        if status >= 400:
            raise ControlError(f"{method} {host}{path}: {status} {answer}")
        return answer

    def _serve(self) -> None:
        try:
            asyncio.run(self._server.serve(sockets=[self._socket]))
        except BaseException as error:  # noqa: BLE001 - a thread has nobody else to tell
            self._failure = error
        finally:
            # Whoever waits for the start waits no longer.
            self._server.ready.set()
