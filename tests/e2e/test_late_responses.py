"""Qlik creates objects after the client has given up, and its clock differs. No duplicates result."""

from __future__ import annotations

from collections import Counter

from tenantry.emulator import Emulator
from tests.e2e.customers import GLOBEX, Customer, settings, with_changes
from tests.e2e.harness import Stack
from tests.e2e.operations import ORGANISATION, add_revive_line, tenants
from tests.e2e.test_harness import wait_for
from tests.e2e.test_kills import start
from tests.world import World, calls, writes

CUSTOMER: Customer = with_changes(
    GLOBEX, ("web_integrations", {"Portal": {"origins": ["https://portal.example"]}})
)
DELAY_SECONDS = 60
CREATION_PATHS = ("/api/v1/apps/import", "/api/v1/web-integrations")


def carry_out_late(qlik: Emulator, path: str) -> str:
    """Make Qlik accept a request, cut the connection, and carry the request out a minute later."""
    return qlik.control.add_fault(method="POST", path=path, done_after_ms=DELAY_SECONDS * 1000, times=1)


def reads(stack: Stack, path: str, requests_before: int) -> int:
    """Count the reads of a list on the customer's tenant since an earlier number of requests."""
    (hostname,) = tenants(stack.qlik)  # type: ignore[arg-type]
    requests = [request for request in stack.requests()[requests_before:] if request["host"] == hostname]
    return calls(requests).count(f"GET {path}")


def test_a_late_creation_causes_no_duplicate(stack: Stack, qlik: Emulator) -> None:
    """The operator confirms the tenant. The run waits for the import and for the web integration.

    Qlik's clock is ten minutes ahead of the local one.
    """
    qlik.control.advance(600)
    stack.env |= ORGANISATION | {"TENANTRY_LAG_SECONDS": "1"}
    stack.write(**settings(CUSTOMER))
    carry_out_late(qlik, "/api/v1/tenants")
    stack.up(expect=1)
    assert tenants(qlik) == {}
    early = stack.up(expect=1)
    assert "Qlik may still create it" in str(early.errors)
    qlik.control.advance(DELAY_SECONDS)
    (hostname,) = tenants(qlik)
    stopped = stack.up(expect=1)
    assert writes(early.requests) == writes(stopped.requests) == []
    revived = add_revive_line(stack, CUSTOMER, stopped)
    assert revived["revive"]["hostname"] == hostname

    for path in CREATION_PATHS:
        carry_out_late(qlik, path)
    unfinished = stack.up("--continue-on-error", expect=1)
    assert {"App Sales Overview", "WebIntegration Portal"} == set(unfinished.failed)
    assert all(f"POST {hostname}{path}" in str(unfinished.errors) for path in CREATION_PATHS)
    requests_before = len(stack.requests())
    stack.env["TENANTRY_CREATION_SECONDS"] = "3600"
    run = start(stack)
    for path in ("/api/v1/items", "/api/v1/web-integrations"):
        wait_for(lambda: reads(stack, path, requests_before) >= 2, seconds=60)  # noqa: B023
    qlik.control.advance(DELAY_SECONDS)
    assert run.wait().rc == 0

    world = World(qlik, hostname)
    assert tenants(qlik) == {hostname: "active"}
    assert [integration["name"] for integration in world.every("web-integration")] == ["Portal"]
    assert world.apps.keys() == {("Staging", "Sales Overview"), ("Sales", "Sales Overview")}
    call_counts = Counter(calls(stack.requests()))
    assert [call_counts[f"POST {path}"] for path in ("/api/v1/tenants", *CREATION_PATHS)] == [1, 1, 1]
    assert sorted(request["late"]["status"] for request in stack.requests() if request.get("late")) == [
        200,
        201,
        201,
    ]
    stack.preview("--refresh", "--expect-no-changes")
