"""The activation of a tenant. The state has it until a destroy begins."""

from __future__ import annotations

import pytest

from tenantry.providers.framework.engine import Failure
from tenantry.providers.tenants import lifetime
from tests.providers.resource_driver import Case, InPlace, Inputs, MakeDriver, Tenancy
from tests.providers.test_tenant import deactivate, purge


def inputs_for(tenancy: Tenancy) -> Inputs:
    return {"tenant": tenancy.hostname, "tenant_id": tenancy.tenant_id, "ends_on": "2999-12-31"}


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    return {}


CASE = Case(
    "tenant_activation",
    inputs_for,
    remote,
    creates=("GET /api/v1/tenants/{tenant_id}",),
    deletes=(),
    changes={"ends_on": InPlace("2999-01-31")},
    is_state_only=True,
)


def test_the_activation_reactivates_a_tenant_that_waits_for_its_purge(
    driver: MakeDriver, tenancy: Tenancy
) -> None:
    """A destroy was interrupted after it had deactivated the tenant. The next `up` creates the activation."""
    deactivate(tenancy, tenancy.hostname)
    driver("tenant_activation").create(inputs_for(tenancy))
    assert tenancy.world.tenant["status"] == "active"
    assert "it is active again" in tenancy.messages[-1]


def test_a_trial_that_has_ended_is_not_reactivated(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The error names the day and says how to keep the trial."""
    deactivate(tenancy, tenancy.hostname)
    with pytest.raises(Failure) as caught:
        driver("tenant_activation").create(inputs_for(tenancy) | {"ends_on": "2020-12-31"})
    for words in ("2020-12-31", "ends_on", "revive", "lifecycle"):
        assert words in str(caught.value)
    assert tenancy.world.tenant["status"] == "disabled"


@pytest.mark.parametrize("has_list", [True, False], ids=["list", "no list"])
def test_the_error_of_a_purged_tenant_says_what_to_do(
    driver: MakeDriver, tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch, has_list: bool
) -> None:
    """A destroy was interrupted and the grace period has ended. Each further run shows the same error."""
    purge(tenancy, tenancy.hostname)
    monkeypatch.setattr(lifetime, "is_listed", lambda *_: False if has_list else None)
    for _ in range(2):
        with pytest.raises(Failure) as caught:
            driver("tenant_activation").create(inputs_for(tenancy))
        assert "tenantry forget" in str(caught.value)
        assert ("no longer exists" in str(caught.value)) == has_list


def test_a_404_page_of_an_ingress_does_not_prove_a_purge(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The run fails without a change, and the next run creates the activation."""
    fault = tenancy.qlik.control.add_fault(path="/api/v1/tenants/*", status=404, body="default backend - 404")
    with pytest.raises(Failure, match=r"does not prove that .* is gone"):
        driver("tenant_activation").create(inputs_for(tenancy))
    tenancy.qlik.control.release(fault)
    driver("tenant_activation").create(inputs_for(tenancy))
