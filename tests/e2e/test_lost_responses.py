"""Lost or partial responses and cut connections: nothing is created twice or forgotten."""

from __future__ import annotations

import pytest

from tenantry.emulator import Emulator
from tests.e2e import creations
from tests.e2e.creations import COMPLETIONS, CREATIONS, add_faults_once, expect_exactly_one_of_each
from tests.e2e.customers import GLOBEX, changed, settings
from tests.e2e.harness import Stack
from tests.e2e.operations import HOUR, add_revive_line, bring_up, renewal, tenants
from tests.world import calls

NOT_REPEATED = {"POST /api/v1/apps/import", "POST publish"}
MAX_RUNS = 3


def up_until_done(stack: Stack, **env: str) -> list[str]:
    """Run `up` until it succeeds, at most a few times; return the errors of the failed runs."""
    errors: list[str] = []
    for _ in range(MAX_RUNS):
        result = stack.up(expect=None, **env)
        if result.rc == 0:
            return errors
        errors += result.errors
    raise AssertionError(f"still failing after {MAX_RUNS} runs: {errors}")


def settle_tenant(stack: Stack, qlik: Emulator, effect: str) -> dict[str, str]:
    """Run `up` until the tenant is certain: a person confirms it, or enough time proves that there is none.

    Return the environment for the next run.
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
def test_each_request_that_makes_a_customer_loses_its_answer_once(
    stack: Stack, qlik: Emulator, effect: str
) -> None:
    """The requests for tenant, groups, spaces, access, import and publication each fail once.

    Qlik carries them out and the response is lost or cut, or the request never arrives.
    """
    creations.write(stack)
    hits = add_faults_once(qlik, effect, *CREATIONS.values(), *COMPLETIONS.values())
    failures = up_until_done(stack, **settle_tenant(stack, qlik, effect))
    assert hits() == [1] * len(CREATIONS | COMPLETIONS)
    if effect == "drop_before":
        # Not carried out, and not idempotent: the run stops with an error, and the next run continues.
        lost = [error for error in failures if "its response was lost" in error]
        assert len(lost) == len(NOT_REPEATED)
    else:
        assert failures == []
    expect_exactly_one_of_each(stack, qlik)


def test_each_request_that_changes_or_removes_loses_its_answer_once(stack: Stack, qlik: Emulator) -> None:
    """The run repeats these requests and succeeds, and Qlik's content is as in the file."""
    stack.env |= creations.ENVIRONMENT
    bring_up(stack, qlik, GLOBEX)
    customer = changed(
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
