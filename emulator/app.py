"""The ASGI application: from a request to Qlik's answer."""

from __future__ import annotations

import asyncio
import json
import random
import time
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from . import effects, sessions
from .authentication import authenticate
from .call import HANDLERS, Call, Reply
from .clock import http_date, iso
from .contract import Operation, contract
from .control import Controller
from .errors import PUBLISHED_404, Invalid, Refusal
from .faults import Faults
from .hosts import Host
from .limits import Limits
from .log import RequestLog
from .world import World

ADMIN_APIS = {"roles", "identity-providers"}
ADMIN_WRITES = {"groups", "users", "web-integrations", "licenses", "tenants"}

LARGEST_JSON = 500_000
"""Bytes; the Users API names it, the others only say that there is a limit."""


class Application:
    """Qlik Cloud behind one socket.

    Args:
        world: the state to serve.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.contract = contract()
        self.log = RequestLog(world.store)
        self.faults = Faults()
        self.limits = Limits(world)
        self.control = Controller(self)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; the server's own events need nothing here."""
        if scope["type"] != "http":
            return
        send = self._dated(send)
        request = Request(scope, receive)
        host = Host.parse(request.headers.get("host", ""))
        if host.kind == "loopback" and scope["path"].startswith("/_emulator/"):
            response = await self.control.respond(request)
            await response(scope, receive, send)
            return
        await _Exchange(self, request, host).run(receive, send)

    def _dated(self, send: Send) -> Send:
        """Send answers with the emulator's time as `Date`, unless a fault names another."""

        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(raw=message["headers"]).setdefault("date", http_date(self.world.now()))
            await send(message)

        return dated


class _Exchange:
    """One request of the emulated cloud and its answer."""

    def __init__(self, app: Application, request: Request, host: Host) -> None:
        self.app = app
        self.world = app.world
        self.request = request
        self.host = host
        self.operation: Operation | None = None
        self.client = ""
        self.started = time.perf_counter()

    async def run(self, receive: Receive, send: Send) -> None:
        """Answer, unless a fault has something else in store."""
        path = self.request.scope["path"]
        await self._latency()
        fault = self.app.faults.strike(self.request.method, self.host.name, path)
        rule = fault.rule if fault else {}
        if fault:
            await effects.wait(fault)
        if rule.get("drop_before"):
            self._write_down(0)
            self._cut()
            return
        response = await self._response(rule)
        if response is None:
            return
        if rule.get("merge"):
            effects.merge(response, rule["merge"])
        # Written down before it is sent, so that whoever has the answer finds it in the log.
        self._write_down(0 if rule.get("drop_after") else response.status_code)
        if rule.get("drop_after"):
            self._cut()
            return
        if rule.get("truncate"):
            await effects.send_half(response, send)
            self._cut()
            return
        await response(self.request.scope, receive, send)

    async def _response(self, rule: dict[str, Any]) -> Response | None:
        """Qlik's answer, or the rule's; None for a client that left before it had sent everything."""
        if "status" not in rule:
            return await self._answer()
        done = not rule.get("done") or await self._answer()
        return effects.made_up(rule) if done else None

    async def _answer(self) -> Response | None:
        try:
            return await self._handle()
        except Invalid as problem:
            return self._refuse(problem.refusal(self._api, self.request.method))
        except Refusal as refusal:
            return self._refuse(refusal)
        except ClientDisconnect:
            return None

    @property
    def _api(self) -> str:
        return self.operation.api if self.operation else ""

    async def _handle(self) -> Response:
        self.world.purge()
        tenant = self._tenant()
        self.operation, path = self._route()
        handler = HANDLERS.get((self.operation.api, self.operation.id))
        if handler is None:
            self._unknown()
            detail = f"the emulator does not cover {self.operation.method} {self.operation.path}"
            raise Refusal(501, "Not covered", code="EMULATOR-NOT-COVERED", detail=detail)
        headers = self.request.headers
        cookies = sessions.cookies_of(headers.get("cookie", ""))
        call = Call(
            self.world, self.host, self.operation, path, headers=headers, tenant=tenant, cookies=cookies
        )
        authenticate(call)
        self.client = call.client
        self._authorise(call)
        self.app.limits.count(call)
        query = parse_qsl(self.request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
        call.query = self.operation.check_query(query)
        try:
            await self._receive(call)
            with self.world.store.transaction():
                reply = handler(call)
        finally:
            if call.upload:
                call.upload.discard()
        return _response(reply)

    def _tenant(self) -> dict[str, Any]:
        """The tenant that was asked; `{}` on the register host and the console."""
        if self.host.kind in ("register", "console"):
            return {}
        tenant = self.world.tenant_of(self.host.name) if self.host.kind == "tenant" else None
        if tenant is None:
            detail = f"no tenant answers to {self.host.name or 'a request without Host header'}"
            if self.host.kind == "loopback":
                detail += "; send the Host header of a Qlik host, the control API is under /_emulator/"
            raise Refusal(404, code="TENANT_NOT_FOUND", detail=detail)
        if tenant["status"] == "disabled":
            raise Refusal(401, "Tenant has been deactivated", code="TENANT_DISABLED", api="tenants")
        return tenant

    def _route(self) -> tuple[Operation, dict[str, str]]:
        found = self.app.contract.find(self.request.method, self.request.scope["path"])
        if found is None:
            self._unknown()
            raise Refusal(404, detail=f"no such path: {self.request.method} {self.request.scope['path']}")
        operation, path = found
        if operation.host not in ("any", self.host.kind):
            # Not a 404, which a client could take for "already gone".
            self._unknown()
            self.operation = operation
            raise Refusal(400, "Wrong host", detail=f"this is served by the {operation.host} host")
        return operation, path

    def _unknown(self) -> None:
        self.app.log.note_unknown(f"{self.request.method} {self.host.name}{self.request.scope['path']}")

    def _authorise(self, call: Call) -> None:
        """What only a TenantAdmin may do, whatever it is done to."""
        operation = call.operation
        closed = operation.api in ADMIN_APIS or (operation.api in ADMIN_WRITES and operation.method != "GET")
        if closed and call.tenant and not call.is_admin:
            raise Refusal(403, detail="needs the role TenantAdmin")

    async def _receive(self, call: Call) -> None:
        operation = call.operation
        if operation.is_upload:
            call.upload = self.world.files.spool()
            async for chunk in self.request.stream():
                call.upload.write(chunk)
            return
        raw = bytearray()
        async for chunk in self.request.stream():
            raw += chunk
            if len(raw) > LARGEST_JSON:
                raise Refusal(413 if "413" in operation.responses else 400, "Payload too large")
        if operation.body is None:
            return
        if not raw:
            if operation.body.get("required"):
                raise Invalid("the body is missing")
            return
        call.body = _parsed(bytes(raw), self.request.headers, operation)
        operation.check_body(call.body)

    def _refuse(self, refusal: Refusal) -> Response:
        look = self.world.settings.not_found
        if refusal.status == 404 and look != "published" and refusal.code_in(self._api) not in PUBLISHED_404:
            return effects.not_found(look, self._api)
        # A connection with an unread body cannot be used again.
        headers = refusal.headers if refusal.status != 413 else refusal.headers | {"connection": "close"}
        return JSONResponse(refusal.body(self._api), refusal.status, headers)

    async def _latency(self) -> None:
        settings = self.world.settings
        milliseconds = settings.latency_ms + random.random() * settings.jitter_ms  # noqa: S311
        if milliseconds:
            await asyncio.sleep(milliseconds / 1000)

    def _cut(self) -> None:
        """Close the socket under the client."""
        self.request.scope["state"]["cut"]()

    def _write_down(self, status: int) -> None:
        query = self.request.scope["query_string"].decode("latin-1")
        self.app.log.add(
            {
                "time": iso(self.world.now()),
                "host": self.host.name,
                "method": self.request.method,
                "path": self.request.scope["path"] + (f"?{query}" if query else ""),
                "status": status,
                "tier": self.operation.tier if self.operation else "",
                "ms": round((time.perf_counter() - self.started) * 1000, 2),
                "client": self.client,
            }
        )


def _parsed(raw: bytes, headers: Headers, operation: Operation) -> Any:
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in operation.media_types:
        raise Invalid(f"content-type must be {' or '.join(operation.media_types)}")
    try:
        if media_type == "application/json":
            body = json.loads(raw, parse_constant=_no_constant)
            if b"\\u" in raw:
                # Half of a surrogate pair parses, and could never be sent back.
                json.dumps(body, ensure_ascii=False).encode()
            return body
        return dict(parse_qsl(raw.decode(), keep_blank_values=True, strict_parsing=True))
    except (ValueError, RecursionError):
        raise Invalid("the body cannot be parsed") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _response(reply: Reply) -> Response:
    response = _plain_response(reply)
    for name, value in reply.cookies.items():
        response.headers.append("set-cookie", f"{name}={value}; Path=/; HttpOnly")
    return response


def _plain_response(reply: Reply) -> Response:
    headers = dict(reply.headers)
    if reply.content:
        start, end = reply.span or (0, reply.content.size)
        headers["content-length"] = str(end - start)
        return StreamingResponse(reply.content.chunks(start, end), reply.status, headers)
    if reply.text is not None:
        return HTMLResponse(reply.text, reply.status, headers)
    if reply.body is None:
        return Response(status_code=reply.status, headers=headers)
    return JSONResponse(reply.body, reply.status, headers)
