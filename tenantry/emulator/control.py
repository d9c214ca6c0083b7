"""The emulator's control API, under /_emulator/ on loopback host names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tenantry.emulator import bodies
from tenantry.emulator.apis import oauth, users
from tenantry.emulator.clock import iso
from tenantry.emulator.hosts import Host
from tenantry.emulator.services import Services
from tenantry.emulator.store import SHARED

OPERATOR = "emulator"
"""Client id behind the tokens of the control API."""

LATEST_TIME = 2e11
"""Seconds since 1970: the year 8307. Work that is scheduled then is still due before the year 10000."""

Body = dict[str, Any]


class Controller:
    """The handlers of the control API.

    The API answers on loopback host names only, and writes need `content-type: application/json`. A page in a
    browser can neither use such a host name nor send such a request without a preflight.
    """

    def __init__(self, services: Services) -> None:
        self.services = services
        self.world = services.world
        self._routes: dict[tuple[str, str], Callable[[Body], Any]] = {
            ("GET", "health"): self.health,
            ("POST", "reset"): self.reset,
            ("GET", "requests"): lambda _: services.log.entries(),
            ("DELETE", "requests"): lambda _: services.log.clear(),
            ("GET", "faults"): lambda _: services.faults.view(),
            ("POST", "faults"): lambda body: services.faults.add(body).view(),
            ("DELETE", "faults"): lambda _: services.faults.clear(),
            ("GET", "clock"): lambda _: self.clock(),
            ("POST", "clock"): self.advance,
            ("GET", "settings"): lambda _: self.world.settings.as_dict(),
            ("POST", "settings"): self.change_settings,
            ("GET", "dump"): lambda _: self.world.dump(),
            ("POST", "tokens"): self.token,
        }

    async def respond(self, request: Request) -> Response:
        """Answer one request.

        Error statuses: 400 with the reason, 404 unknown, 405 wrong method, 413 too large, 415 not JSON.
        """
        name = request.url.path.removeprefix("/_emulator/")
        if name.startswith("faults/") and request.method in ("DELETE", "POST"):
            return self._remove_fault(name)
        action = self._routes.get((request.method, name))
        if action is None:
            is_known_path = any(name == route for _, route in self._routes)
            problem = f"there is no {request.method} {name!r}"
            return JSONResponse({"error": problem}, 405 if is_known_path else 404)
        if request.method == "POST" and not _is_json(request):
            return JSONResponse({"error": "send content-type: application/json"}, 415)
        raw = await bodies.read(request)
        if raw is None:
            # A connection with an unread body cannot be used again.
            return JSONResponse({"error": "the body is too large"}, 413, {"connection": "close"})
        try:
            result = action(_parsed_object(raw))
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        return Response(status_code=204) if result is None else JSONResponse(result)

    def health(self, _: Body) -> Body:
        """Return status, time, the number of requests still waiting, and the unknown requests."""
        return {
            "status": "ok",
            "time": iso(self.world.now()),
            "tenants": self.world.store.count(SHARED, "tenant"),
            "operations": len(self.services.contract.operations),
            "waiting": len(self.services.agenda),
            "unknown": self.services.log.unknown,
        }

    def reset(self, _: Body) -> None:
        """Restore the seed, and drop all requests, faults and settings."""
        self.services.agenda.clear()
        self.services.faults.clear()
        self.services.limits.clear()
        self.services.log.clear()
        self.world.reset()

    def clock(self) -> Body:
        """Return the emulator's time, and how far it is ahead of the machine's time."""
        return {"now": iso(self.world.now()), "offset_seconds": self.world.clock.offset}

    def advance(self, body: Body) -> Body:
        """Move the clock by `{"advance_seconds": n}`, and run the work that is due by then."""
        seconds = body.get("advance_seconds")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or len(body) != 1:
            raise ValueError('send {"advance_seconds": n}')
        if seconds > LATEST_TIME or self.world.now() + seconds > LATEST_TIME:
            raise ValueError("advance_seconds is too large")
        self.world.advance(seconds)
        self.world.do_chores()
        self.services.agenda.run()
        return self.clock()

    def change_settings(self, body: Body) -> Body:
        """Change some settings and return all of them."""
        self.world.settings.change(body)
        return self.world.settings.as_dict()

    def token(self, body: Body) -> Body:
        """Return a token of an extra administrator, who is not one of the clients: `{"host": hostname}`.

        Use it to change things without a client's knowledge. The log shows its requests under the client
        `emulator`, and they do not count towards rate limits.
        """
        host = Host.parse(str(body.get("host", "")))
        tenant = self.world.tenant_of(host.name)
        if tenant is None:
            raise ValueError(f"no tenant has the hostname {host.name!r}")
        store = self.world.store
        with store.transaction():
            admin = users.by_subject(self.world, tenant["id"], OPERATOR) or users.add_user(
                self.world, tenant, subject=OPERATOR, name="Emulator operator", roles=["TenantAdmin"]
            )
            return {"access_token": oauth.issue(self.world, tenant["id"], admin, OPERATOR)}

    def _remove_fault(self, name: str) -> Response:
        """Handle `DELETE faults/<id>` and `POST faults/<id>/release`: end a rule, release what it holds."""
        fault_id = name.removeprefix("faults/").removesuffix("/release")
        if self.services.faults.remove(fault_id):
            return Response(status_code=204)
        return JSONResponse({"error": f"there is no fault {fault_id!r}"}, 404)


def _is_json(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


def _parsed_object(raw: bytes) -> Body:
    body = bodies.parsed_json(raw) if raw else {}
    if not isinstance(body, dict):
        raise ValueError("send a JSON object")
    return body
