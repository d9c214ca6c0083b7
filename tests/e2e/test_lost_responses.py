"""Lost or incomplete responses and cut connections: no object is created twice or forgotten."""

from __future__ import annotations

import pytest

from tenantry.emulator import Emulator
from tests.e2e import creations
from tests.e2e.creations import COMPLETIONS, CREATIONS, add_faults_once, expect_exactly_one_of_each
from tests.e2e.customers import GLOBEX, settings, with_changes
from tests.e2e.harness import Stack
from tests.e2e.operations import HOUR, add_revive_line, bring_up, renewal, tenants
from tests.world import calls

NOT_IDEMPOTENT = {"POST /api/v1/apps/import", "POST publish"}
MAX_RUNS = 3


def up_until_done(stack: Stack, **env: str) -> list[str]:
    """Run `up` until it succeeds, at most a few times. Return the errors of the failed runs."""
    errors: list[str] = []
    for _ in range(MAX_RUNS):
        result = stack.up(expect=None, **env)
        if result.rc == 0:
            return errors
        errors += result.errors
    raise AssertionError(f"still failing after {MAX_RUNS} runs: {errors}")


def settle_tenant(stack: Stack, qlik: Emulator, effect: str) -> dict[str, str]:
    """Run `up` until it is certain whether the tenant exists. Return the environment for the next run.

    Either the operator confirms the tenant, or enough time has passed to prove that there is none.
    """
    lost = stack.up(expect=1)
    assert lost.failed == ["Tenant tenant"]
    assert any("its response was lost" in error for error in lost.errors)
    if effect != "drop_before":
        add_revive_line(stack, GLOBEX, lost)
        return {}
    assert "Run `pulumi up` again" in str(lost.errors)
    assert "Qlik may still create it" in str(stack.up(expect=1).errors)
    qlik.control.advance(HOUR)
    return renewal(stack.up(expect=1))


@pytest.mark.parametrize("effect", ["drop_after", "truncate", "drop_before"])
def test_a_lost_response_creates_nothing_twice(stack: Stack, qlik: Emulator, effect: str) -> None:
    """Each request that creates or completes an object fails once.

    Either the response is lost or cut off, or the request never arrives.
    """
    creations.write(stack)
    hits = add_faults_once(qlik, effect, *CREATIONS.values(), *COMPLETIONS.values())
    later_errors = up_until_done(stack, **settle_tenant(stack, qlik, effect))
    assert hits() == [1] * len(CREATIONS | COMPLETIONS)
    if effect == "drop_before":
        # The run does not repeat these requests, because they are not idempotent. The next run does.
        lost = [error for error in later_errors if "its response was lost" in error]
        assert len(lost) == len(NOT_IDEMPOTENT)
    else:
        assert later_errors == []
    expect_exactly_one_of_each(stack, qlik)


def test_updates_and_deletions_with_a_lost_response_are_repeated(stack: Stack, qlik: Emulator) -> None:
    """The run succeeds, and then Qlik agrees with the file."""
    stack.env |= creations.ENVIRONMENT
    bring_up(stack, qlik, GLOBEX)
    customer = with_changes(
        GLOBEX,
        ("name", "Globex Ltd"),
        ("groups/Analysts/roles", ["Developer"]),
        ("spaces/Sales/description", "Daily"),
        ("spaces/Sales/access", {"Analysts": ["consumer"]}),
        ("apps/Sales Overview/version", "2.4.0"),
    )
    del customer["groups"]["Partners"]
    stack.write(**settings(customer))
    paths = {
        "PATCH": ["/api/v1/tenants/*", "/api/v1/groups/*", "/api/v1/spaces/*"],
        "PUT": ["/api/v1/spaces/*/assignments/*", "/api/v1/apps/*/publish"],
        "DELETE": ["/api/v1/groups/*", "/api/v1/apps/*"],
    }
    rules = [{"method": method, "path": path} for method, patterns in paths.items() for path in patterns]
    hits = add_faults_once(qlik, "drop_after", *rules)
    stack.up()
    assert hits() == [1] * len(rules)
    stack.preview("--refresh", "--expect-no-changes")

    hits = add_faults_once(
        qlik, "drop_after", {"method": "POST", "path": "/api/v1/tenants/*/actions/deactivate"}
    )
    assert "DELETE" not in str(calls(stack.destroy().requests))
    assert hits() == [1]
    assert list(tenants(qlik).values()) == ["disabled"]
    assert stack.resources() == {}
