"""A proxy responds with its own pages instead of Qlik: its 404 does not prove that an object is gone."""

from __future__ import annotations

from typing import Any

from tenantry.emulator import Emulator
from tests.e2e.customers import GLOBEX, Customer, changed, settings
from tests.e2e.harness import Stack
from tests.e2e.operations import DEACTIVATE, cloud, content, resources, revive_line, state, tenants
from tests.world import World, calls, writes

PAGE = "<html><body><h1>404 Not Found</h1>default backend</body></html>"
CUSTOMER: Customer = changed(
    GLOBEX,
    ("users", {"Grace": {"subject": "auth0|grace"}}),
    ("admins", {"Support": {"email": "ada@example.com"}}),
)
FRESH = "?" * 15 + ".eu.qlikcloud.com"
"""A pattern for the host of a created tenant: its name is longer than the other names."""
EMPTY: dict[str, Any] = {"method": "GET", "host": FRESH, "status": 200, "body": {"data": [], "links": {}}}


def page(qlik: Emulator, method: str = "GET", path: str = "*", **rule: Any) -> str:
    """Let a proxy page respond to some requests, by default of a customer's tenant."""
    return qlik.control.add_fault(
        **{"method": method, "path": path, "host": FRESH, **rule}, status=404, body=PAGE
    )


def test_a_page_of_a_proxy_proves_nothing(stack: Stack, qlik: Emulator) -> None:
    """In the whole life of a tenant, nothing is created twice, forgotten, or treated as done."""
    stack.write(**settings(CUSTOMER))
    fault = page(qlik, "POST", "/oauth/token")
    failed = stack.up(expect=1)
    assert (failed.failed, len(tenants(qlik))) == (["Tenant tenant"], 1)
    qlik.control.release(fault)
    assert "POST /api/v1/tenants" not in calls(stack.up().requests)
    (hostname,) = tenants(qlik)
    world = World(qlik, hostname)
    assert resources(stack)["Tenant tenant"]["id"] == hostname

    refresh(stack, qlik, hostname)
    delete(stack, qlik, world)
    destroy(stack, qlik, world)


def refresh(stack: Stack, qlik: Emulator, hostname: str) -> None:
    """One page per list and object has no effect. Pages in a whole run remove nothing from the state."""
    in_state, at_qlik = state(stack), cloud(qlik)
    for passing, empty in passing_pages(stack, hostname):
        faults = [page(qlik, path=f"/api/v1/{row}", times=1) for row in passing]
        faults += [qlik.control.add_fault(path=f"/api/v1/{row}", times=1, **EMPTY) for row in empty]
        stack.refresh()
        hits = {fault["id"]: fault["hit"] for fault in qlik.control.faults}
        assert [hits[fault] for fault in faults] == [1] * len(faults)
        assert state(stack) == in_state
        for fault in faults:
            qlik.control.release(fault)
    fault = page(qlik, path="/api/v1/apps/*")
    lasting = stack.refresh(expect=1)
    assert any("does not prove that" in error and "still lists it" in error for error in lasting.errors)
    assert state(stack) == in_state
    qlik.control.release(fault)

    fault = qlik.control.add_fault(host=FRESH, status=404, body=PAGE)
    gone = stack.refresh()
    assert gone.diffs == {"Tenant tenant": {"status": "update"}}
    assert gone.changes.keys() == {"update", "same"}
    qlik.control.release(fault)
    stack.refresh()
    assert (state(stack), cloud(qlik)) == (in_state, at_qlik)


def passing_pages(stack: Stack, hostname: str) -> list[tuple[list[str], list[str]]]:
    """Return the requests with proxy pages in two refreshes, and the lists that are empty in them."""
    ids = {name: resource["id"] for name, resource in resources(stack).items()}
    access = f"spaces/{ids['Space Sales']}/assignments"
    tenant = f"tenants/{World(stack.qlik, hostname).tenant['id']}"  # type: ignore[arg-type]
    lists = ["groups", "spaces", access, "users"]
    objects = [
        f"groups/{ids['Group Analysts']}",
        f"spaces/{ids['Space Staging']}",
        f"{access}/{ids['SpaceAssignment Analysts in Sales']}",
        f"users/{ids['User Grace']}",
    ]
    return [([*lists, tenant, f"apps/{ids['App Sales Overview']}"], []), (objects, lists)]


def delete(stack: Stack, qlik: Emulator, world: World) -> None:
    """An administrator counts as existing until Qlik itself, and not a proxy, responds that there is none."""
    customer = {key: value for key, value in CUSTOMER.items() if key != "admins"}
    stack.write(**settings(customer))
    fault = page(qlik, "DELETE", "/api/v1/users/*")
    failed = stack.up(expect=1)
    assert failed.failed == ["TenantAdmin Support"]
    assert any("does not prove that" in error for error in failed.errors)
    assert "TenantAdmin Support" in resources(stack)
    assert "auth0|ada" in {user["subject"] for user in world.every("user")}
    qlik.control.release(fault)
    assert stack.up().changes["delete"] == ["TenantAdmin Support"]
    assert "auth0|ada" not in {user["subject"] for user in world.every("user")}


def destroy(stack: Stack, qlik: Emulator, world: World) -> None:
    """A proxy page in response to a deactivation does not count as a deactivation."""
    before = content(world)
    fault = page(qlik, "POST", DEACTIVATE, host="register.*")
    failed = stack.destroy(expect=1)
    assert failed.failed == ["TenantLifecycle lifecycle"]
    assert any("does not prove that" in error for error in failed.errors)
    assert {"TenantProof proof", "Tenant tenant", "Space Sales"} <= resources(stack).keys()
    assert world.tenant["status"] == "active"
    qlik.control.release(fault)
    gone = stack.destroy()
    assert world.hostname in revive_line(gone)
    assert len(writes(gone.requests)) == 1
    assert (content(world), world.tenant["status"], resources(stack)) == (before, "disabled", {})
