"""One request to the emulated cloud, from its arrival to its response."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Send

from tenantry.emulator import bodies, effects, login_services, sessions
from tenantry.emulator.authentication import authenticate, refresh_user
from tenantry.emulator.call import HANDLERS, Call
from tenantry.emulator.clock import iso
from tenantry.emulator.contract import Operation
from tenantry.emulator.errors import PUBLISHED_404, Invalid, Refusal
from tenantry.emulator.hosts import Host
from tenantry.emulator.responses import response as response_of
from tenantry.emulator.services import Services

ADMIN_APIS = {"csp-origins", "roles", "identity-providers"}
ADMIN_WRITES = {
    "brands",
    "extensions",
    "groups",
    "licenses",
    "oauth-clients",
    "tenants",
    "themes",
    "ui-config",
    "users",
    "web-integrations",
}

CREATIONS_WITHOUT_KEY = {
    ("tenants", "createTenant"),
    ("apps", "importApp"),
    ("apps", "publishApp"),
    ("web-integrations", "createWebIntegration"),
    ("identity-providers", "createIdp"),
    ("csp-origins", "createCSPEntry"),
    ("webhooks", "createWebhookCore"),
    ("brands", "createBrand"),
    ("scheduling-tasks", "createReloadTaskOnTimeSchedule"),
    ("scheduling-tasks", "createReloadTaskOnTaskEvent"),
    ("automations", "createAutomation"),
    ("ui-config", "createPinnedLink"),
    ("oauth-clients", "createOAuthClient"),
    ("oauth-clients", "createOAuthClientSecret"),
}
"""Operations without a unique key, so Qlik does not refuse a second request. They take `creation_ms`."""


class Exchange:
    """One request to the emulated cloud and its response."""

    def __init__(self, services: Services, request: Request, host: Host) -> None:
        self.services = services
        self.world = services.world
        self.request = request
        self.host = host
        self.operation: Operation | None = None
        self.client = ""
        self.started = time.perf_counter()
        self.log_line = 0
        self.log_entry: dict[str, Any] = {}
        self.log_extra: dict[str, Any] = {}

    async def run(self, receive: Receive, send: Send) -> None:
        """Answer the request, unless a fault prevents it."""
        await self._wait_latency()
        fault = self.services.faults.strike(self.request.method, self.host.name, self.request.scope["path"])
        rule = fault.rule if fault else {}
        if fault:
            await effects.wait(fault)
        try:
            response = None if rule.get("drop_before") else await self._response(rule)
        except ClientDisconnect:
            return
        if response is None or rule.get("drop_after"):
            self._log(0)
            self._close_connection()
            return
        if rule.get("merge"):
            effects.merge(response, rule["merge"])
        # Logged before it is sent, so that a client with the response finds the request in the log.
        self._log(response.status_code)
        if rule.get("truncate"):
            await effects.send_half(response, send)
            self._close_connection()
            return
        await response(self.request.scope, receive, send)

    async def _response(self, rule: dict[str, Any]) -> Response | None:
        """Return the response from Qlik or from the rule, or None if the client gets no response."""
        response = None
        if "done_after_ms" in rule:
            await self._defer(rule["done_after_ms"] / 1000)
        elif rule.get("done") or "status" not in rule:
            response = await self._qlik_response()
        return effects.replacement(rule) if "status" in rule else response

    async def _qlik_response(self) -> Response | None:
        """Execute the request and return the response, or None if a reset came first."""
        if self.host.kind == "unknown":
            path = self.request.scope["path"]
            if reply := login_services.reply(self.host.name, self.request.method, path):
                return response_of(reply)
        try:
            call = await self._accept()
        except (Invalid, Refusal) as problem:
            return self._refuse(problem)
        seconds = self.world.settings.creation_ms / 1000
        if seconds and (call.operation.api, call.operation.id) in CREATIONS_WITHOUT_KEY:
            return await self.services.agenda.add(
                self._prepare_to_wait(call, seconds), lambda: self._execute(call, late=True)
            )
        return self._execute(call)

    async def _defer(self, seconds: float) -> None:
        """Accept the request now and execute it later, even if the client no longer waits."""
        try:
            call = await self._accept()
        except (Invalid, Refusal) as problem:
            status = self._refuse(problem).status_code
            self.log_extra = {"late": {"at": iso(self.world.now()), "status": status}}
            return
        due = self._prepare_to_wait(call, seconds)
        self.log_extra = {"late": {"at": iso(due), "status": None}}
        self.services.agenda.add(due, lambda: self._execute_deferred(call))

    def _prepare_to_wait(self, call: Call, seconds: float) -> float:
        """Close the upload of a call that must wait. Return the due time of the call."""
        if call.upload:
            call.upload.finish()
        return self.world.now() + seconds

    def _execute_deferred(self, call: Call) -> Response:
        response = self._execute(call, late=True)
        outcome = {"late": self.log_extra["late"] | {"status": response.status_code}}
        self.services.log.amend(self.log_line, self.log_entry, self.log_entry | outcome)
        return response

    @property
    def _api(self) -> str:
        return self.operation.api if self.operation else ""

    async def _accept(self) -> Call:
        """Receive the whole request, authenticate it and check it against the contract.

        Raises:
            Invalid, Refusal: Qlik refuses the request.
            ClientDisconnect: the request did not arrive completely.
        """
        self.world.purge()
        self.world.do_chores()
        tenant = self._tenant()
        self.operation, path = self._route()
        if (self.operation.api, self.operation.id) not in HANDLERS:
            self._count_unknown()
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
        self.services.limits.count(call)
        query = parse_qsl(self.request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
        call.query = self.operation.check_query(query, drop_unknown=call.tolerates("unknown-parameters"))
        await bodies.receive(self.request, call)
        return call

    def _execute(self, call: Call, *, late: bool = False) -> Response:
        """Execute an accepted call. If it is `late`, look up the tenant and the user again."""
        try:
            if late:
                self.world.purge()
                call.tenant = self._tenant()
                refresh_user(call)
                self._authorise(call)
            with self.world.store.transaction():
                reply = HANDLERS[call.operation.api, call.operation.id](call)
            return response_of(reply)
        except (Invalid, Refusal) as problem:
            return self._refuse(problem)
        finally:
            if call.upload:
                call.upload.discard()

    def _tenant(self) -> dict[str, Any]:
        """Return the tenant of the host; `{}` on the register host and the console."""
        if self.host.kind in ("register", "console"):
            return {}
        tenant = self.world.tenant_of(self.host.name) if self.host.kind == "tenant" else None
        if tenant is None:
            detail = (
                f"no tenant has the hostname {self.host.name}"
                if self.host.name
                else "the Host header is missing"
            )
            if self.host.kind == "loopback":
                detail += ". Send the Host header of a Qlik host. The control API is under /_emulator/"
            raise Refusal(404, code="TENANT_NOT_FOUND", detail=detail)
        if tenant["status"] == "disabled":
            raise Refusal(401, "Tenant has been deactivated", code="TENANT_DISABLED", api="tenants")
        return tenant

    def _route(self) -> tuple[Operation, dict[str, str]]:
        found = self.services.contract.find(self.request.method, self.request.scope["path"])
        if found is None:
            self._count_unknown()
            raise Refusal(404, detail=f"unknown path: {self.request.method} {self.request.scope['path']}")
        operation, path = found
        if operation.host not in ("any", self.host.kind):
            # Not a 404, because a client could take a 404 for "already deleted".
            self._count_unknown()
            self.operation = operation
            raise Refusal(400, "Wrong host", detail=f"the {operation.host} host serves this path")
        return operation, path

    def _count_unknown(self) -> None:
        self.services.log.count_unknown(f"{self.request.method} {self.host.name}{self.request.scope['path']}")

    def _authorise(self, call: Call) -> None:
        """Refuse requests that only a TenantAdmin may send."""
        operation = call.operation
        is_admin_only = operation.api in ADMIN_APIS or (
            operation.api in ADMIN_WRITES and operation.method != "GET"
        )
        if is_admin_only and call.tenant and not call.is_admin:
            raise Refusal(403, detail="the role TenantAdmin is required")

    def _refuse(self, problem: Invalid | Refusal) -> Response:
        refusal = problem.refusal(self._api, self.request.method) if isinstance(problem, Invalid) else problem
        form = self.world.settings.not_found
        if refusal.status == 404 and form != "published" and refusal.code_in(self._api) not in PUBLISHED_404:
            return effects.not_found(form, self._api)
        # A connection with an unread body cannot be used again.
        headers = refusal.headers if refusal.status != 413 else refusal.headers | {"connection": "close"}
        return JSONResponse(refusal.body(self._api), refusal.status, headers)

    async def _wait_latency(self) -> None:
        settings = self.world.settings
        milliseconds = settings.latency_ms + random.random() * settings.jitter_ms  # noqa: S311
        if milliseconds:
            await asyncio.sleep(milliseconds / 1000)

    def _close_connection(self) -> None:
        """Close the client's connection."""
        self.request.scope["state"]["cut"]()

    def _log(self, status: int) -> None:
        query = self.request.scope["query_string"].decode("latin-1")
        self.log_entry = {
            "time": iso(self.world.now()),
            "host": self.host.name,
            "method": self.request.method,
            "path": self.request.scope["path"] + (f"?{query}" if query else ""),
            "status": status,
            "tier": self.operation.tier if self.operation else "",
            "ms": round((time.perf_counter() - self.started) * 1000, 2),
            "client": self.client,
            **self.log_extra,
        }
        self.log_line = self.services.log.add(self.log_entry)
