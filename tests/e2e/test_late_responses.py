"""Qlik creates objects after the client has given up, and its clock differs: still no duplicates."""

from __future__ import annotations

from collections import Counter

from tenantry.emulator import Emulator
from tests.e2e.customers import GLOBEX, Customer, changed, settings
from tests.e2e.harness import Stack
from tests.e2e.operations import ORGANISATION, add_revive_line, tenants
from tests.e2e.test_harness import wait_for
from tests.e2e.test_kills import start
from tests.world import World, calls, writes

CUSTOMER: Customer = changed(
    GLOBEX, ("web_integrations", {"Portal": {"origins": ["https://portal.example"]}})
)
DELAY_SECONDS = 60
MAKING = ("/api/v1/apps/import", "/api/v1/web-integrations")


def late(qlik: Emulator, path: str) -> str:
    """Let Qlik accept a request, cut its connection, and carry it out a minute later by its own clock."""
    return qlik.control.add_fault(method="POST", path=path, done_after_ms=DELAY_SECONDS * 1000, times=1)


def reads(stack: Stack, path: str, since: int) -> int:
    """Count the reads of a list on the customer's tenant."""
    (hostname,) = tenants(stack.qlik)  # type: ignore[arg-type]
    asked = [request for request in stack.requests()[since:] if request["host"] == hostname]
    return calls(asked).count(f"GET {path}")


def test_one_of_each_at_the_end(stack: Stack, qlik: Emulator) -> None:
    """For the tenant, a person decides. For the import and the web integration, the run waits.

    Qlik's clock is ten minutes ahead of ours.
    """
    qlik.control.advance(600)
    stack.env |= ORGANISATION | {"TENANTRY_LAG_SECONDS": "1"}
    stack.write(**settings(CUSTOMER))
    late(qlik, "/api/v1/tenants")
    stack.up(expect=1)
    assert tenants(qlik) == {}
    early = stack.up(expect=1)
    assert "Qlik may still create it" in str(early.errors)
    qlik.control.advance(DELAY_SECONDS)
    (hostname,) = tenants(qlik)
    asked = stack.up(expect=1)
    assert writes(early.requests) == writes(asked.requests) == []
    taken = add_revive_line(stack, CUSTOMER, asked)
    assert taken["revive"]["hostname"] == hostname

    for path in MAKING:
        late(qlik, path)
    lost = stack.up("--continue-on-error", expect=1)
    assert {"App Sales Overview", "WebIntegration Portal"} == set(lost.failed)
    assert all(f"POST {hostname}{path}" in str(lost.errors) for path in MAKING)
    since = len(stack.requests())
    stack.env["TENANTRY_CREATION_SECONDS"] = "3600"
    run = start(stack)
    for path in ("/api/v1/items", "/api/v1/web-integrations"):
        wait_for(lambda: reads(stack, path, since) >= 2, seconds=60)  # noqa: B023
    qlik.control.advance(DELAY_SECONDS)
    assert run.wait().rc == 0

    world = World(qlik, hostname)
    assert tenants(qlik) == {hostname: "active"}
    assert [integration["name"] for integration in world.every("web-integration")] == ["Portal"]
    assert world.apps.keys() == {("Staging", "Sales Overview"), ("Sales", "Sales Overview")}
    sent = Counter(calls(stack.requests()))
    assert [sent[f"POST {path}"] for path in ("/api/v1/tenants", *MAKING)] == [1, 1, 1]
    assert sorted(request["late"]["status"] for request in stack.requests() if request.get("late")) == [
        200,
        201,
        201,
    ]
    stack.preview("--refresh", "--expect-no-changes")
