"""A proxy responds with its own 404 page instead of Qlik. This does not prove that an object is gone."""

from __future__ import annotations

from typing import Any

from tenantry.emulator import Emulator
from tests.e2e.customers import GLOBEX, Customer, settings, with_changes
from tests.e2e.harness import Stack
from tests.e2e.operations import DEACTIVATE, cloud, content, resources, revive_line, state, tenants
from tests.world import World, calls, writes

PAGE = "<html><body><h1>404 Not Found</h1>default backend</body></html>"
CUSTOMER: Customer = with_changes(
    GLOBEX,
    ("users", {"Grace": {"subject": "auth0|grace"}}),
    ("admins", {"Support": {"email": "ada@example.com"}}),
)
CREATED_TENANT_HOST = "?" * 15 + ".eu.qlikcloud.com"
"""A pattern for the host of a created tenant, whose name is longer than those of other hosts."""
EMPTY_LIST: dict[str, Any] = {
    "method": "GET",
    "host": CREATED_TENANT_HOST,
    "status": 200,
    "body": {"data": [], "links": {}},
}


def respond_with_page(qlik: Emulator, method: str = "GET", path: str = "*", **rule: Any) -> str:
    """Respond to some requests with a proxy page, by default on the host of a customer's tenant."""
    return qlik.control.add_fault(
        **{"method": method, "path": path, "host": CREATED_TENANT_HOST, **rule}, status=404, body=PAGE
    )


def test_a_404_page_of_a_proxy_proves_nothing(stack: Stack, qlik: Emulator) -> None:
    """A run never creates a second object, forgets one, or treats a step as done because of such a page."""
    stack.write(**settings(CUSTOMER))
    fault = respond_with_page(qlik, "POST", "/oauth/token")
    failed = stack.up(expect=1)
    assert (failed.failed, len(tenants(qlik))) == (["Tenant tenant"], 1)
    qlik.control.release(fault)
    assert "POST /api/v1/tenants" not in calls(stack.up().requests)
    (hostname,) = tenants(qlik)
    world = World(qlik, hostname)
    assert resources(stack)["Tenant tenant"]["id"] == hostname

    _check_refresh(stack, qlik, hostname)
    _check_delete(stack, qlik, world)
    _check_destroy(stack, qlik, world)


def _check_refresh(stack: Stack, qlik: Emulator, hostname: str) -> None:
    """Check that neither one page per list or object, nor only pages, removes anything from the state."""
    in_state, at_qlik = state(stack), cloud(qlik)
    for pages, empty in harmless_pages(stack, hostname):
        faults = [respond_with_page(qlik, path=f"/api/v1/{path_end}", times=1) for path_end in pages]
        faults += [
            qlik.control.add_fault(path=f"/api/v1/{path_end}", times=1, **EMPTY_LIST) for path_end in empty
        ]
        stack.refresh()
        hits = {fault["id"]: fault["hit"] for fault in qlik.control.faults}
        assert [hits[fault] for fault in faults] == [1] * len(faults)
        assert state(stack) == in_state
        for fault in faults:
            qlik.control.release(fault)
    fault = respond_with_page(qlik, path="/api/v1/apps/*")
    failed = stack.refresh(expect=1)
    assert any("does not prove that" in error and "still lists it" in error for error in failed.errors)
    assert state(stack) == in_state
    qlik.control.release(fault)

    fault = qlik.control.add_fault(host=CREATED_TENANT_HOST, status=404, body=PAGE)
    refreshed = stack.refresh()
    assert refreshed.diffs == {"Tenant tenant": {"status": "update"}}
    assert refreshed.changes.keys() == {"update", "same"}
    qlik.control.release(fault)
    stack.refresh()
    assert (state(stack), cloud(qlik)) == (in_state, at_qlik)


def harmless_pages(stack: Stack, hostname: str) -> list[tuple[list[str], list[str]]]:
    """Return two rounds: the paths that get a proxy page, and the paths whose list is empty."""
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


def _check_delete(stack: Stack, qlik: Emulator, world: World) -> None:
    """Check that a page in response to a deletion does not count as a deletion."""
    customer = {key: value for key, value in CUSTOMER.items() if key != "admins"}
    stack.write(**settings(customer))
    fault = respond_with_page(qlik, "DELETE", "/api/v1/users/*")
    failed = stack.up(expect=1)
    assert failed.failed == ["TenantAdmin Support"]
    assert any("does not prove that" in error for error in failed.errors)
    assert "TenantAdmin Support" in resources(stack)
    assert "auth0|ada" in {user["subject"] for user in world.every("user")}
    qlik.control.release(fault)
    assert stack.up().changes["delete"] == ["TenantAdmin Support"]
    assert "auth0|ada" not in {user["subject"] for user in world.every("user")}


def _check_destroy(stack: Stack, qlik: Emulator, world: World) -> None:
    """Check that a page in response to a deactivation does not count as a deactivation."""
    before = content(world)
    fault = respond_with_page(qlik, "POST", DEACTIVATE, host="register.*")
    failed = stack.destroy(expect=1)
    assert failed.failed == ["TenantLifecycle lifecycle"]
    assert any("does not prove that" in error for error in failed.errors)
    assert {"TenantProof proof", "Tenant tenant", "Space Sales"} <= resources(stack).keys()
    assert world.tenant["status"] == "active"
    qlik.control.release(fault)
    destroyed = stack.destroy()
    assert world.hostname in revive_line(destroyed)
    assert len(writes(destroyed.requests)) == 1
    assert (content(world), world.tenant["status"], resources(stack)) == (before, "disabled", {})
