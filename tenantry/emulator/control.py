"""The emulator's own API, under /_emulator/ on loopback host names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tenantry.emulator import bodies
from tenantry.emulator.apis import oauth, users
from tenantry.emulator.clock import iso
from tenantry.emulator.hosts import Host
from tenantry.emulator.parts import Parts
from tenantry.emulator.store import SHARED

OPERATOR = "emulator"
"""Client id behind the tokens that the control API gives out."""

LATEST = 2e11
"""In seconds since 1970: the year 8307, as what is due later has a date before the year 10000 as well."""

Body = dict[str, Any]


class Controller:
    """Answers the control API.

    Only loopback host names lead here, and writes need `content-type: application/json`: a page in a browser
    can neither name such a host nor send such a request unasked.
    """

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.world = parts.world
        self._routes: dict[tuple[str, str], Callable[[Body], Any]] = {
            ("GET", "health"): self.health,
            ("POST", "reset"): self.reset,
            ("GET", "requests"): lambda _: parts.log.entries(),
            ("DELETE", "requests"): lambda _: parts.log.clear(),
            ("GET", "faults"): lambda _: parts.faults.view(),
            ("POST", "faults"): lambda body: parts.faults.add(body).view(),
            ("DELETE", "faults"): lambda _: parts.faults.clear(),
            ("GET", "clock"): lambda _: self.clock(),
            ("POST", "clock"): self.advance,
            ("GET", "settings"): lambda _: self.world.settings.as_dict(),
            ("POST", "settings"): self.change_settings,
            ("GET", "dump"): lambda _: self.world.dump(),
            ("POST", "tokens"): self.token,
        }

    async def respond(self, request: Request) -> Response:
        """Answer one request: 404 unknown, 405 wrong method, 413 too large, 415 not JSON, 400 with why."""
        name = request.url.path.removeprefix("/_emulator/")
        if name.startswith("faults/") and request.method in ("DELETE", "POST"):
            return self._release(name)
        action = self._routes.get((request.method, name))
        if action is None:
            known = any(name == route for _, route in self._routes)
            return JSONResponse({"error": f"no {request.method} of {name!r}"}, 405 if known else 404)
        if request.method == "POST" and not _is_json(request):
            return JSONResponse({"error": "send content-type: application/json"}, 415)
        raw = await bodies.read(request)
        if raw is None:
            # A connection with an unread body cannot be used again.
            return JSONResponse({"error": "the body is too large"}, 413, {"connection": "close"})
        try:
            result = action(_object(raw))
        except ValueError as problem:
            return JSONResponse({"error": str(problem)}, 400)
        return Response(status_code=204) if result is None else JSONResponse(result)

    def health(self, _: Body) -> Body:
        """Whether it runs, its time, what is accepted and not done yet, and what it does not know."""
        return {
            "status": "ok",
            "time": iso(self.world.now()),
            "tenants": self.world.store.count(SHARED, "tenant"),
            "operations": len(self.parts.contract.operations),
            "waiting": len(self.parts.agenda),
            "unknown": self.parts.log.unknown,
        }

    def reset(self, _: Body) -> None:
        """Back to the seed; no request, fault or setting of before is left."""
        self.parts.agenda.clear()
        self.parts.faults.clear()
        self.parts.limits.clear()
        self.parts.log.clear()
        self.world.reset()

    def clock(self) -> Body:
        """The emulator's time, and how far it is ahead of the machine's."""
        return {"now": iso(self.world.now()), "offset_seconds": self.world.clock.offset}

    def advance(self, body: Body) -> Body:
        """Move the time, and do what is due by then: `{"advance_seconds": n}`."""
        seconds = body.get("advance_seconds")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or len(body) != 1:
            raise ValueError('send {"advance_seconds": n}')
        if seconds > LATEST or self.world.now() + seconds > LATEST:
            raise ValueError("advance_seconds is too far away")
        self.world.advance(seconds)
        self.world.do_chores()
        self.parts.agenda.run()
        return self.clock()

    def change_settings(self, body: Body) -> Body:
        """Change some settings; returns all of them."""
        self.world.settings.change(body)
        return self.world.settings.as_dict()

    def token(self, body: Body) -> Body:
        """A token of an administrator other than the clients: `{"host": hostname}`.

        For changing things behind a client's back. Requests with it carry the client `emulator` in the log
        and count towards no rate limit.
        """
        host = Host.parse(str(body.get("host", "")))
        tenant = self.world.tenant_of(host.name)
        if tenant is None:
            raise ValueError(f"no tenant answers to {host.name!r}")
        store = self.world.store
        with store.transaction():
            admin = users.by_subject(self.world, tenant["id"], OPERATOR) or users.add_user(
                self.world, tenant, subject=OPERATOR, name="Emulator operator", roles=["TenantAdmin"]
            )
            return {"access_token": oauth.issue(self.world, tenant["id"], admin, OPERATOR)}

    def _release(self, name: str) -> Response:
        """`DELETE faults/<id>`, `POST faults/<id>/release`: end one rule, let go what it holds."""
        fault_id = name.removeprefix("faults/").removesuffix("/release")
        if self.parts.faults.remove(fault_id):
            return Response(status_code=204)
        return JSONResponse({"error": f"no fault {fault_id!r}"}, 404)


def _is_json(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


def _object(raw: bytes) -> Body:
    body = bodies.parsed_json(raw) if raw else {}
    if not isinstance(body, dict):
        raise ValueError("send a JSON object")
    return body
