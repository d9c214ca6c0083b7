"""The ASGI application: from a request to Qlik's answer."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from tenantry.emulator.clock import http_date
from tenantry.emulator.control import Controller
from tenantry.emulator.exchange import Exchange
from tenantry.emulator.hosts import Host
from tenantry.emulator.parts import Parts
from tenantry.emulator.world import World


class Application:
    """Qlik Cloud behind one socket.

    Args:
        world: the state to serve.
    """

    def __init__(self, world: World) -> None:
        self.parts = Parts.of(world)
        self.control = Controller(self.parts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; the server's own events need nothing here."""
        if scope["type"] != "http":
            return
        # Its own alarm may be a moment behind this request.
        self.parts.agenda.run()
        send = self._dated(send)
        request = Request(scope, receive)
        host = Host.parse(request.headers.get("host", ""))
        if host.kind == "loopback" and scope["path"].startswith("/_emulator/"):
            response = await self.control.respond(request)
            await response(scope, receive, send)
            return
        await Exchange(self.parts, request, host).run(receive, send)

    def _dated(self, send: Send) -> Send:
        """Send answers with the emulator's time as `Date`, unless a fault names another."""

        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(raw=message["headers"]).setdefault("date", http_date(self.parts.world.now()))
            await send(message)

        return dated
