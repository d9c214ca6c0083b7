"""The lifecycle of a tenant: all of it but its end is kept in the state alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.providers.twins import Case, InPlace, Inputs, Tenancy, Twin


def given(tenancy: Tenancy) -> Inputs:
    return {
        "tenant": tenancy.hostname,
        "kind": "trial",
        "ends_on": "2026-12-31",
        "grace_days": 10,
    }


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    return {} if tenancy.world.tenant["status"] == "active" else None


CASE = Case(
    "tenant_lifecycle",
    given,
    remote,
    creates=("GET /api/v1/tenants/me", "GET /api/v1/tenants/*"),
    deletes=("POST /api/v1/tenants/{tenant_id}/actions/deactivate",),
    changes={
        "kind": InPlace("production"),
        "ends_on": InPlace("2027-01-31"),
        "grace_days": InPlace(90),
    },
)


def test_its_end_is_that_of_the_tenant(twin: Callable[[str], Twin], tenancy: Tenancy) -> None:
    """It says how to bring the tenant back, ready to paste."""
    lifecycle = twin("tenant_lifecycle").create(given(tenancy))
    lifecycle.update({**given(tenancy), "grace_days": 12})
    lifecycle.delete()
    assert tenancy.world.tenant["status"] == "disabled"
    line = f"revive: {{hostname: {tenancy.hostname}, tenant_id: {tenancy.tenant_id}}}"
    assert line in tenancy.said[-1]


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("grace_days", 9, "10 to 90 days"),
        ("grace_days", 91, "10 to 90 days"),
        ("ends_on", "31.12.2026", "YYYY-MM-DD"),
        ("kind", "demo", "'production' or 'trial'"),
    ],
)
def test_values_out_of_limits(
    twin: Callable[[str], Twin], tenancy: Tenancy, name: str, value: object, why: str
) -> None:
    """The message says what is allowed."""
    with pytest.raises(AssertionError, match=f"{name}: .*{why}"):
        twin("tenant_lifecycle").check({**given(tenancy), name: value})
