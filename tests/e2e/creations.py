"""The requests that create a customer. Each can be lost, cut or outlive its run; the checks are here."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tenantry.emulator import Emulator
from tests.e2e.customers import GLOBEX, settings
from tests.e2e.harness import Stack
from tests.e2e.operations import ORGANISATION, tenants
from tests.world import World

CREATIONS: dict[str, dict[str, str]] = {
    "tenant": {"method": "POST", "host": "register.*", "path": "/api/v1/tenants"},
    "group": {"method": "POST", "path": "/api/v1/groups"},
    "space": {"method": "POST", "path": "/api/v1/spaces"},
    "assignment": {"method": "POST", "path": "/api/v1/spaces/*/assignments"},
    "import": {"method": "POST", "path": "/api/v1/apps/import"},
    "publish": {"method": "POST", "path": "/api/v1/apps/*/publish"},
}
"""Every request that creates an object of the customer `GLOBEX`."""

FINISHING: dict[str, dict[str, str]] = {
    "name of the tenant": {"method": "PATCH", "path": "/api/v1/tenants/*"},
    "name of the app": {"method": "PUT", "path": "/api/v1/apps/*"},
}
"""What makes it complete."""

ENVIRONMENT = ORGANISATION | {"TENANTRY_LAG_SECONDS": "1"}


def write(stack: Stack) -> None:
    """Write that customer's stack file, and give the stack the organisation's credentials."""
    stack.env.update(ENVIRONMENT)
    stack.write(**settings(GLOBEX))


def expect_exactly_one_of_each(stack: Stack, qlik: Emulator) -> None:
    """Check that Qlik has each object of the customer exactly once, and that the state has the same ids."""
    made = tenants(qlik)
    assert list(made.values()) == ["active"], made
    (hostname,) = made
    world = World(qlik, hostname)
    assert world.tenant["name"] == "Globex"
    assert world.groups.keys() - {"Everyone"} == {"Analysts", "Partners"}
    assert world.spaces.keys() == {"Staging", "Sales"}
    assert world.access == {("Sales", "Analysts"): ["consumer", "contributor"]}
    staged, published = ("Staging", "Sales Overview"), ("Sales", "Sales Overview")
    assert world.apps.keys() == {staged, published}
    assert world.apps[published]["originAppId"] == world.apps[staged]["id"]

    resources = stack.resources()
    proof = resources["TenantProof proof"]["id"]
    assert resources["Tenant tenant"]["outputs"]["proof"]["id"] == proof, "the proof of its creation"
    assert {name: resource["id"] for name, resource in resources.items() if resource.get("id")} == {
        "TenantProof proof": proof,
        "Tenant tenant": hostname,
        "TenantLifecycle lifecycle": hostname,
        "TenantActivation activation": hostname,
        "Group Analysts": world.groups["Analysts"]["id"],
        "Group Partners": world.groups["Partners"]["id"],
        "Space Staging": world.spaces["Staging"]["id"],
        "Space Sales": world.spaces["Sales"]["id"],
        "SpaceAssignment Analysts in Sales": world.assignment("Sales", "Analysts")["id"],
        "App Sales Overview": world.apps[staged]["id"],
        "AppPublication Sales Overview in Sales": world.apps[published]["id"],
    }
    assert not [name for name, resource in resources.items() if resource.get("initErrors")]
    stack.preview("--refresh", "--expect-no-changes")


class Mute:
    """Wraps an emulator's application: Qlik carries out a request, but never sends the response."""

    def __init__(self) -> None:
        self._rule: dict[str, Any] = {}
        self.struck = threading.Event()

    def next(self, method: str, path: str, host: str = "*") -> None:
        """Hold back the response of the next matching request."""
        self._rule = {"method": method, "path": path, "host": host}

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """Return the wrapped application."""

        async def muted(scope: Scope, receive: Receive, send: Send) -> None:
            await app(scope, receive, self._silence if self._strikes(scope) else send)

        return muted

    def _strikes(self, scope: Scope) -> bool:
        rule = self._rule
        if not rule or scope["type"] != "http":
            return False
        host = dict(scope["headers"]).get(b"host", b"").decode()
        strikes = (
            scope["method"] == rule["method"]
            and fnmatchcase(scope["path"], rule["path"])
            and fnmatchcase(host, rule["host"])
        )
        if strikes:
            self._rule = {}
        return strikes

    async def _silence(self, message: Message) -> None:
        self.struck.set()
        await asyncio.Event().wait()  # until the emulator ends


def once(qlik: Emulator, effect: str, *rules: dict[str, str]) -> Callable[[], list[int]]:
    """Set a fault once for each kind of request; return a function that returns the hits of each."""
    ids = [qlik.control.add_fault(**rule, **{effect: True}, times=1) for rule in rules]

    def hits() -> list[int]:
        by_id = {fault["id"]: fault["hit"] for fault in qlik.control.faults}
        return [by_id[id] for id in ids]

    return hits
