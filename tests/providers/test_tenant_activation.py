"""The activation of a tenant: there as long as no destroy has begun."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from providers.engine import Failure
from tests.providers.test_tenant import deactivate
from tests.providers.twins import Case, InPlace, Inputs, Tenancy, Twin


def given(tenancy: Tenancy) -> Inputs:
    return {"tenant": tenancy.hostname, "tenant_id": tenancy.tenant_id, "ends_on": "2999-12-31"}


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    return {}


CASE = Case(
    "tenant_activation",
    given,
    remote,
    creates=("GET /api/v1/tenants/{tenant_id}",),
    deletes=(),
    changes={"ends_on": InPlace("2999-01-31")},
    stays=True,
)


def test_a_tenant_that_waits_for_its_purge_is_active_again(
    twin: Callable[[str], Twin], tenancy: Tenancy
) -> None:
    """A destroy was cut off after it had deactivated the tenant: the next `up` makes the activation."""
    deactivate(tenancy, tenancy.hostname)
    twin("tenant_activation").create(given(tenancy))
    assert tenancy.world.tenant["status"] == "active"
    assert "it is active again" in tenancy.said[-1]


def test_a_trial_that_has_ended_stays_down(twin: Callable[[str], Twin], tenancy: Tenancy) -> None:
    """The day is told, and what keeps it going."""
    deactivate(tenancy, tenancy.hostname)
    with pytest.raises(Failure) as caught:
        twin("tenant_activation").create(given(tenancy) | {"ends_on": "2020-12-31"})
    for words in ("2020-12-31", "ends_on", "revive", "lifecycle"):
        assert words in str(caught.value)
    assert tenancy.world.tenant["status"] == "disabled"
