"""The ASGI application, which turns a request into Qlik's response."""

from __future__ import annotations

import re

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from tenantry.emulator.clock import http_date
from tenantry.emulator.control import Controller
from tenantry.emulator.exchange import Exchange
from tenantry.emulator.hosts import Host
from tenantry.emulator.services import Services
from tenantry.emulator.world import World


class Application:
    """Qlik Cloud behind one socket.

    Args:
        world: the state to serve.
    """

    def __init__(self, world: World) -> None:
        self.services = Services.of(world)
        self.control = Controller(self.services)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. Ignore the server's own events."""
        if scope["type"] != "http":
            return
        # The agenda's own timer can fire slightly after this request.
        self.services.agenda.run()
        # Several clients send a double slash. Qlik reads it as one.
        scope["path"] = re.sub("/{2,}", "/", scope["path"])
        send = self._with_date(send)
        request = Request(scope, receive)
        host = Host.parse(request.headers.get("host", ""))
        if host.kind == "loopback" and scope["path"].startswith("/_emulator/"):
            response = await self.control.respond(request)
            await response(scope, receive, send)
            return
        await Exchange(self.services, request, host).run(receive, send)

    def _with_date(self, send: Send) -> Send:
        """Add the emulator's time as the `Date` header, unless a fault sets another date.

        Header names are sent in title case, because some clients do not find them in any other form.
        """

        async def send_with_date(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message["headers"])
                MutableHeaders(raw=headers).setdefault("date", http_date(self.services.world.now()))
                message = {**message, "headers": [(name.title(), value) for name, value in headers]}
            await send(message)

        return send_with_date
