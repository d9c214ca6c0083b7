"""One request budget for all workers of a cluster.

The scheduler keeps the budget in the same files as the runs on its own machine, see
`tenantry.providers.qlik.governor`. A provider is a subprocess of a worker and knows nothing about Dask. So
the worker listens on its loopback address and forwards the provider's requests.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
import socketserver
import threading
from contextlib import suppress
from typing import Any

from distributed import Client, Scheduler, get_client
from distributed.diagnostics.plugin import SchedulerPlugin

from tenantry.providers.qlik import folders
from tenantry.providers.qlik.deadlines import SYSTEM_CLOCK, Deadline
from tenantry.providers.qlik.errors import DeadlineExceeded
from tenantry.providers.qlik.governor import Governor, Turn
from tenantry.providers.qlik.limits import TIERS

TIMEOUT_SECONDS = 2.0
"""The time limit for a response of the scheduler. A provider waits slightly longer for the worker."""

MAX_REQUEST_BYTES = 2000
"""The size of the largest request that the worker reads."""


class Rates(SchedulerPlugin):
    """The plugin of the scheduler that handles requests of workers about the budget."""

    name = "tenantry-rates"
    idempotent = True

    async def start(self, scheduler: Scheduler) -> None:
        """Register the handler with the scheduler."""
        scheduler.handlers.update({"tenantry_rates": handle_request})


async def handle_request(do: str, share: float, window: float, **request: Any) -> dict[str, Any]:
    """Handle a request of `tenantry.providers.qlik.cluster_governor` about the budget."""
    return await asyncio.to_thread(_respond, do, share, window, **request)


def _respond(
    do: str,
    share: float,
    window: float,
    *,
    host: str,
    budget: str,
    slot: int = 0,
    seconds: float = 0.0,
    remaining: float = 0.0,
) -> dict[str, Any]:
    if budget not in TIERS:
        return {}
    governor = Governor(folders.state() / "rates", share, SYSTEM_CLOCK, window)
    try:
        if do == "turn":
            turn = governor.turn(host, budget, Deadline(remaining))
            return turn._asdict() if turn else {}
        if do == "confirmed":
            return governor.confirmed(host, budget, Turn(slot, 0.0), Deadline(remaining))._asdict()
    except DeadlineExceeded:
        return {"late": True}
    if do == "answered":
        governor.answered(host, budget, Turn(slot, 0.0))
    elif do == "close":
        governor.close(host, budget, seconds)
    return {}


class Relay:
    """A server on the loopback address of a worker, for the worker's providers and until the worker ends.

    `address` is `HOST:PORT:TOKEN`. Other users of the machine can connect, but they do not have the token.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._token = secrets.token_hex(16)
        relay = self

        class Handler(socketserver.StreamRequestHandler):
            timeout = TIMEOUT_SECONDS

            def handle(self) -> None:
                with suppress(OSError, ValueError):
                    response = relay.forward(json.loads(self.rfile.readline(MAX_REQUEST_BYTES)))
                    self.wfile.write(f"{json.dumps(response)}\n".encode())

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """Print nothing. Without a response, the provider uses the budget of its machine."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_address[1]}:{self._token}"
        threading.Thread(target=self._server.serve_forever, name="rates", daemon=True).start()

    def forward(self, request: dict[str, Any]) -> Any:
        """Forward a request to the scheduler.

        Raises ValueError if the request has no valid token, and OSError if the scheduler does not respond.
        """
        token = str(request.pop("token", ""))
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            raise ValueError("the request does not come from a provider")
        scheduler: Any = self._client.scheduler
        return self._client.sync(scheduler.tenantry_rates, **request, callback_timeout=TIMEOUT_SECONDS)


_relays: list[Relay] = []
_lock = threading.Lock()


def relay() -> str:
    """Return the address of this worker's relay, or an empty string if it cannot listen. Run it in a task."""
    with _lock:
        if not _relays:
            try:
                _relays.append(Relay(get_client()))
            except OSError:
                return ""
        return _relays[0].address
