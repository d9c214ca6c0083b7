"""The emulator as a server in a thread, for the command line and for tests."""

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
from tenantry.emulator.seed import load_seed
from tenantry.emulator.settings import Settings
from tenantry.emulator.world import World

LOOPBACK = "127.0.0.1"
GRACE_SECONDS = 2


class _Protocol(H11Protocol):
    """HTTP with a handle on the socket, so that a fault can cut the connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "cut": transport.abort}


class _CancelledFilter(logging.Filter):
    """A filter that drops uvicorn's log records of requests that the server's stop has cancelled."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, asyncio.CancelledError)


logging.getLogger("uvicorn.error").addFilter(_CancelledFilter())


class _Server(uvicorn.Server):
    """A uvicorn server that starts and stops at once, not at its next tick."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """End `serve`. You can call this from any thread."""
        if self._loop:
            # The loop is closed if the server has ended by itself.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stopped.set)

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self.on_tick(0)
        self.ready.set()
        await self._stopped.wait()

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
    """Return uvicorn's configuration: no access log, no web sockets, no lifespan events.

    It sends no `Date` header either. The application sends one, with the time of its own clock.
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
    """Return a listening socket on the loopback address. The emulator listens nowhere else.

    With port 0, this is any free port.
    """
    # The protocol is named explicitly. Only then does asyncio switch off Nagle's delay on its connections.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
    except OSError:
        listener.close()
        raise
    listener.listen(128)
    return listener


class Emulator:
    """A local Qlik Cloud in a thread of this process.

    ```python
    with Emulator() as qlik:
        os.environ["QLIK_CLOUD_ENDPOINT"] = qlik.url
        ...
        assert not qlik.control.health()["unknown"]
    ```

    Args:
        data: the folder for the state. With None, a temporary folder, which is deleted at the end.
        port: the port to listen on. With 0, any free port.
        latency_ms: delay of every response, in milliseconds.
        rate_limits: whether Qlik's limits are enforced.
        tls: serve https with the emulator's own certificate, see `tenantry.emulator.tls`.
        middleware: wraps the ASGI application, for instance to check every response.
        settings: further settings, see `tenantry.emulator.settings.Settings`. All delays are 0 by default.
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
        """Start the server in a thread. Return this emulator.

        Raises:
            OSError: the port is in use, or the data folder cannot be used.
            RuntimeError: the server failed while it started.
        """
        self._failure = None
        with ExitStack() as resources:
            self._socket = resources.enter_context(bind(self._port))
            self._folder = Path(self._data or tempfile.mkdtemp(prefix="qlik-emulator-"))
            if self._data is None:
                resources.callback(shutil.rmtree, self._folder)
            self._world = self._open_world()
            resources.callback(self._world.close)
            self._server = self._build_server()
            self._thread = threading.Thread(target=self._serve, name="qlik-emulator", daemon=True)
            self._thread.start()
            resources.callback(self._stop_server)
            self._server.ready.wait()
            self._check_failure()
            self._resources = resources.pop_all()
        self.url = f"{'https' if self._tls else 'http'}://{LOOPBACK}:{self._socket.getsockname()[1]}"
        self.control = Control(self.url)
        return self

    def stop(self) -> None:
        """Close every connection and end the thread. Requests in progress are dropped.

        Raises:
            RuntimeError: the server had already failed. The text says why.
        """
        self._resources.close()
        self._check_failure()

    def _check_failure(self) -> None:
        if self._failure:
            raise RuntimeError(f"the emulator has failed: {self._failure!r}") from self._failure

    @property
    def has_failed(self) -> bool:
        """Whether the server has ended by itself. `stop` raises the reason."""
        return self._failure is not None

    def _open_world(self) -> World:
        try:
            return World(self._folder, load_seed, self._settings, durable=self._data is not None)
        except sqlite3.Error as error:
            raise OSError(f"the data in {self._folder} cannot be used: {error}") from error

    def _build_server(self) -> _Server:
        options = {}
        if self._tls:
            from tenantry.emulator.tls import create_certificate

            options = create_certificate(self._folder)
        config = config_for(self._middleware(Application(self._world)), **options)
        # Loaded here and not in the thread, so that the caller gets the error of an invalid certificate.
        config.load()
        return _Server(config)

    def _stop_server(self) -> None:
        self._server.stop()
        self._thread.join()

    def request(self, method: str, host: str, path: str, json: Any = None, *, token: str = "") -> Any:
        """Send a request to a tenant as an extra administrator, who is not one of the clients.

        Args:
            host: the tenant's hostname.
            path: such as `/api/v1/spaces/123`.
            token: a token to use instead of the administrator's.

        Returns:
            The response's JSON; None if it is empty.

        Raises:
            ControlError: the emulated API refused the request.
        """
        headers = {"authorization": f"Bearer {token or self.control.token(host)}"}
        status, response = send(self.url, method, host, path, json_body=json, headers=headers)
        if status >= 400:
            raise ControlError(f"{method} {host}{path}: {status} {response}")
        return response

    def _serve(self) -> None:
        try:
            asyncio.run(self._server.serve(sockets=[self._socket]))
        except BaseException as error:  # noqa: BLE001 - `stop` raises it in the caller's thread
            self._failure = error
        finally:
            # Also set after a failure, so that `start` does not wait forever.
            self._server.ready.set()
