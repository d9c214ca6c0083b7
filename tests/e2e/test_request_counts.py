"""A run sends each request to Qlik only once, for any number of threads, processes and resources."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tenantry.emulator import Emulator
from tests.e2e.customers import GLOBEX, settings, with_changes
from tests.e2e.harness import Stack
from tests.world import World, calls

APP = {"template": "Sales Overview", "version": "2.3.0", "staging": "Staging"}


def test_nothing_is_requested_twice(stack: Stack, qlik: Emulator) -> None:
    """A preview sends no request.

    `up` requests one token per host and one licence key. It looks up and exports a template once, although
    three apps use it.
    """
    qlik.control.settings(latency_ms=30)
    customer = with_changes(
        GLOBEX, *((f"apps/{name}", APP | {"publish_to": ["Sales"]}) for name in ("One", "Two"))
    )
    stack.write(**settings(customer))
    stack.preview()
    assert qlik.control.requests() == []

    up_requests = stack.pulumi("up", "--yes").requests
    tokens = Counter(request["host"] for request in up_requests if request["path"] == "/oauth/token")
    hosts = {request["host"] for request in up_requests}
    assert len(hosts) == 3, hosts
    assert tokens == dict.fromkeys(hosts, 1)
    exports = [
        request["path"] for request in up_requests if request["path"].partition("?")[0].endswith("/export")
    ]
    assert len(exports) == 1
    reads = Counter(
        f"{request['host']}{request['path']}" for request in up_requests if request["method"] == "GET"
    )
    polled_list = f"{stack.outputs()['hostname']}/api/v1/items?"
    assert {read for read, times in reads.items() if times > 1 and not read.startswith(polled_list)} == set()


def test_a_refresh_reads_lists(stack: Stack, qlik: Emulator) -> None:
    """A refresh reads one list of groups, one list of spaces and one list of access per space.

    The number of threads does not matter. The lists show changes outside Pulumi.
    """
    groups: dict[str, Any] = {f"Group {n}": {} for n in range(8)}
    access = {name: ["consumer"] for name in groups}
    spaces = {f"Space {n}": {"type": "managed", "access": access} for n in range(2)}
    lifecycle = {"kind": "trial", "ends_on": "2099-12-31"}
    stack.write(**settings({"name": "Globex", "lifecycle": lifecycle, "groups": groups, "spaces": spaces}))
    stack.up()
    world = World(qlik, stack.outputs()["hostname"])
    world.patch(f"groups/{world.groups['Group 3']['id']}", assignedRoles=[{"name": "Developer"}])
    qlik.control.settings(latency_ms=30)
    up = stack.up("--refresh")
    assert up.changes["update"] == ["Group Group 3", "Group Group 3"]
    assert Counter(calls(up.requests)) == dict.fromkeys(
        (
            f"GET /api/v1/tenants/{world.tenant['id']}",
            "GET /api/v1/groups",
            "GET /api/v1/spaces",
            *(f"GET /api/v1/spaces/{space['id']}/assignments" for space in world.spaces.values()),
            f"PATCH /api/v1/groups/{world.groups['Group 3']['id']}",
        ),
        1,
    )
