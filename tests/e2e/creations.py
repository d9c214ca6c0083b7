"""The requests that create a customer, the faults for them, and the checks after a run.

Each request can be lost, cut off, or still be running when its run ends.
"""

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

COMPLETIONS: dict[str, dict[str, str]] = {
    "name of the tenant": {"method": "PATCH", "path": "/api/v1/tenants/*"},
    "name of the app": {"method": "PUT", "path": "/api/v1/apps/*"},
}
"""The requests that complete the created objects."""

ENVIRONMENT = ORGANISATION | {"TENANTRY_LAG_SECONDS": "1"}


def write(stack: Stack) -> None:
    """Write the stack file of `GLOBEX`, and give the stack the organisation's credentials."""
    stack.env.update(ENVIRONMENT)
    stack.write(**settings(GLOBEX))


def expect_exactly_one_of_each(stack: Stack, qlik: Emulator) -> None:
    """Check that Qlik has each object of the customer exactly once, and that the state has the same ids."""
    statuses = tenants(qlik)
    assert list(statuses.values()) == ["active"], statuses
    (hostname,) = statuses
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
    assert resources["Tenant tenant"]["outputs"]["proof"]["id"] == proof, "the tenant must name its proof"
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


class ResponseBlocker:
    """A wrapper for an emulator's application: Qlik carries out a request but never sends the response.

    `triggered` is set as soon as a response is held back.
    """

    def __init__(self) -> None:
        self._rule: dict[str, Any] = {}
        self.triggered = threading.Event()

    def hold_next_response(self, method: str, path: str, host: str = "*") -> None:
        """Hold back the response of the next matching request."""
        self._rule = {"method": method, "path": path, "host": host}

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """Return the wrapped application."""

        async def muted(scope: Scope, receive: Receive, send: Send) -> None:
            await app(scope, receive, self._drop_message if self._matches(scope) else send)

        return muted

    def _matches(self, scope: Scope) -> bool:
        rule = self._rule
        if not rule or scope["type"] != "http":
            return False
        host = dict(scope["headers"]).get(b"host", b"").decode()
        matches = (
            scope["method"] == rule["method"]
            and fnmatchcase(scope["path"], rule["path"])
            and fnmatchcase(host, rule["host"])
        )
        if matches:
            self._rule = {}
        return matches

    async def _drop_message(self, message: Message) -> None:
        self.triggered.set()
        await asyncio.Event().wait()  # until the emulator ends


def add_faults_once(qlik: Emulator, effect: str, *rules: dict[str, str]) -> Callable[[], list[int]]:
    """Add a fault for one request of each rule. Return a function that counts the hits of each rule."""
    ids = [qlik.control.add_fault(**rule, **{effect: True}, times=1) for rule in rules]

    def count_hits() -> list[int]:
        by_id = {fault["id"]: fault["hit"] for fault in qlik.control.faults}
        return [by_id[id] for id in ids]

    return count_hits
