"""The ASGI application: from a request to Qlik's answer."""

from __future__ import annotations

import re

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
        # Qlik takes a doubled slash for one, as several clients send it.
        scope["path"] = re.sub("/{2,}", "/", scope["path"])
        send = self._finished(send)
        request = Request(scope, receive)
        host = Host.parse(request.headers.get("host", ""))
        if host.kind == "loopback" and scope["path"].startswith("/_emulator/"):
            response = await self.control.respond(request)
            await response(scope, receive, send)
            return
        await Exchange(self.parts, request, host).run(receive, send)

    def _finished(self, send: Send) -> Send:
        """Send answers with the emulator's time as `Date`, unless a fault names another.

        Names of headers go in their usual case: there are clients that look for no other.
        """

        async def finished(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message["headers"])
                MutableHeaders(raw=headers).setdefault("date", http_date(self.parts.world.now()))
                message = {**message, "headers": [(name.title(), value) for name, value in headers]}
            await send(message)

        return finished
