"""The properties of tenants. Their creation and revival is in tenants/test_registration.py."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from tenantry.providers.framework.engine import Failure
from tests.providers.resource_driver import Case, Drift, InPlace, Inputs, MakeDriver, ResourceDriver, Tenancy
from tests.world import World

PATCH = ("PATCH /api/v1/tenants/{tenant_id}",)
SWITCHES = {
    "auto_assign_create_shared_spaces_role_to_professionals": False,
    "auto_assign_private_analytics_content_creator_role_to_professionals": False,
    "auto_assign_data_services_contributor_role_to_professionals": False,
    "enable_app_opening_feedback": True,
}


def inputs_for(tenancy: Tenancy) -> Inputs:
    return {
        "region": "eu",
        "source_tenant": "templates.eu.qlikcloud.com",
        "proof": proof(tenancy),
        "name": "Globex",
        "alias": "globex.eu.qlikcloud.com",
        "datacenter": "eu-west-1",
        "status": "active",
        **SWITCHES,
    }


def proof(tenancy: Tenancy) -> Inputs:
    """Create a proof with its permit in this run. Return the `proof` output."""
    inputs = {"region": "eu", "source_tenant": "templates.eu.qlikcloud.com", "name": "Globex"}
    output: Inputs = ResourceDriver(tenancy, "tenant_proof").create(inputs).state["proof"]
    return output


def camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(word.title() for word in tail)


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    found = World(tenancy.qlik, id).tenant
    if found["status"] == "disabled":
        return None
    return {
        "region": id.split(".")[1],
        "name": found["name"],
        "alias": found["hostnames"][1],
        "datacenter": found["datacenter"],
        "status": found["status"],
        **{name: found[camel(name)] for name in SWITCHES},
    }


def patch_tenant(path: str, value: object) -> Callable[[Tenancy, str], object]:
    """Return a function that changes one property of the tenant as somebody else."""

    def do(tenancy: Tenancy, id: str) -> None:
        world = World(tenancy.qlik, id)
        world.patch(f"tenants/{world.tenant['id']}", **{path: value})

    return do


def deactivate(tenancy: Tenancy, id: str) -> None:
    """Deactivate the tenant outside Tenantry, with the same OAuth client."""
    register = tenancy.cloud.register("eu")
    path = f"/api/v1/tenants/{World(tenancy.qlik, id).tenant['id']}/actions/deactivate"
    register.post(path, {"purgeAfterDays": 10}, headers={"qlik-confirm-hostname": id})


def purge(tenancy: Tenancy, id: str) -> None:
    """Deactivate the tenant and wait until its grace period has ended."""
    deactivate(tenancy, id)
    tenancy.qlik.control.advance(11 * 24 * 3600)


CASE = Case(
    "tenant",
    inputs_for,
    remote,
    creates=(
        "POST /api/v1/tenants",
        "PATCH /api/v1/tenants/{tenant_id}",
    ),
    deletes=(
        "GET /api/v1/tenants/{tenant_id}",
        "POST /api/v1/tenants/{tenant_id}/actions/deactivate",
    ),
    changes={
        "name": InPlace("Globex Corporation", PATCH),
        "alias": InPlace("globex-corp.eu.qlikcloud.com", PATCH),
        "grace_days": InPlace(14),
        **{name: InPlace(not value, PATCH) for name, value in SWITCHES.items()},
    },
    immutable=frozenset({"region", "datacenter", "status"}),
    drifts={
        "name": Drift(patch_tenant("name", "Mine"), "Mine"),
        "alias": Drift(patch_tenant("hostnames/1", "mine.eu.qlikcloud.com"), "mine.eu.qlikcloud.com"),
        "status": Drift(deactivate, "disabled"),
        **{name: Drift(patch_tenant(camel(name), not value), not value) for name, value in SWITCHES.items()},
    },
)


def test_several_changes_take_one_request(driver: MakeDriver, tenancy: Tenancy) -> None:
    tenant = driver("tenant").create(inputs_for(tenancy))
    tenancy.requests()
    desired = {name: not value for name, value in SWITCHES.items()} | {"name": "Globex Corporation"}
    tenant.update(tenant.inputs | desired)
    assert tenancy.requests() == [f"PATCH /api/v1/tenants/{tenant.state['tenant_id']}"]
    assert (remote(tenancy, tenant.id) or {}).items() >= desired.items()


def test_the_state_keeps_the_run_that_created_the_tenant(driver: MakeDriver, tenancy: Tenancy) -> None:
    """A refresh and an update in a later run do not change it."""
    tenant = driver("tenant").create({**inputs_for(tenancy), "program_run": "first"})
    assert tenant.state["created_by_run"] == "first"
    tenant.drift()
    tenant.update({**inputs_for(tenancy), "name": "Globex Corporation", "program_run": "second"})
    assert tenant.state["created_by_run"] == "first"
    assert "program_run" not in tenant.state


@pytest.mark.parametrize(("name", "value"), [("region", "us"), ("datacenter", "eu-central-1")])
def test_region_and_datacenter_cannot_change(
    driver: MakeDriver, tenancy: Tenancy, name: str, value: str
) -> None:
    """A changed line in a stack file never replaces a tenant."""
    tenant = driver("tenant").create(inputs_for(tenancy))
    with pytest.raises(AssertionError, match=f"{name}: .* can never change: make a new stack"):
        tenant.check({**inputs_for(tenancy), name: value})


def test_properties_that_the_program_does_not_set_are_not_managed(
    driver: MakeDriver, tenancy: Tenancy
) -> None:
    """Tenantry neither sends nor compares alias and switches."""
    inputs = {name: inputs_for(tenancy)[name] for name in ("region", "source_tenant", "name", "proof")}
    tenant = driver("tenant").create(inputs)
    patch_tenant("enableAppOpeningFeedback", True)(tenancy, tenant.id)
    patch_tenant("hostnames/1", "mine.eu.qlikcloud.com")(tenancy, tenant.id)
    assert tenant.drift() == {}
    tenancy.requests()
    tenant.update({**inputs, "name": "Globex Corporation"})
    assert World(tenancy.qlik, tenant.id).tenant["enableAppOpeningFeedback"] is True


def test_deactivation_sends_the_grace_days(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The default of Qlik is 30 days. The emulator also requires the hostname as confirmation."""
    tenant = driver("tenant").create({**inputs_for(tenancy), "grace_days": 12})
    tenant.delete()
    found = World(tenancy.qlik, tenant.id).tenant
    assert found["status"] == "disabled"
    now = datetime.fromisoformat(tenancy.qlik.control.health()["time"]).timestamp()
    assert (found["_purge_at"] - now) / 86400 == pytest.approx(12, abs=0.01)


def test_a_purged_tenant_stays_in_the_state(driver: MakeDriver, tenancy: Tenancy) -> None:
    """A refresh shows the purge and removes nothing from the state. `up` fails and says what to do."""
    tenant = driver("tenant").create(inputs_for(tenancy))
    purge(tenancy, tenant.id)
    assert tenant.drift() == {"status": "gone"}
    assert "tenantry forget" in tenancy.messages[-1]
    with pytest.raises(Failure) as caught:
        tenant.update(tenant.inputs)
    assert "tenantry forget" in str(caught.value)
    assert "revive" in str(caught.value)
    tenant.delete()


def test_a_404_page_of_an_ingress_changes_nothing(driver: MakeDriver, tenancy: Tenancy) -> None:
    """An ingress can answer instead of Qlik for a moment. A refresh repeats the request. A deactivation that
    gets such a page fails.
    """
    tenant = driver("tenant").create(inputs_for(tenancy))
    page = {"status": 404, "body": "default backend - 404"}
    tenancy.qlik.control.add_fault(host=tenant.id, path="/api/v1/tenants/*", times=1, **page)
    assert tenant.drift() == {}
    fault = tenancy.qlik.control.add_fault(host="register.*", path="*/deactivate", **page)
    with pytest.raises(Failure, match=r"does not prove that .* is gone"):
        tenant.delete()
    tenancy.qlik.control.release(fault)
    assert World(tenancy.qlik, tenant.id).tenant["status"] == "active"
    assert tenant.drift() == {}


def test_a_rename_waits_until_the_state_has_the_tenant(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The proof has another name than the inputs. After a rename in a killed run, no proof fits."""
    revive = {"hostname": tenancy.hostname, "tenant_id": tenancy.tenant_id}
    tenant = driver("tenant")
    with pytest.raises(Failure, match=r'requested under the name "Globex".*rename it to "Globex Ltd"'):
        tenant.create(inputs_for(tenancy) | {"name": "Globex Ltd", "revive": revive})
    assert "PATCH" not in " ".join(tenancy.requests())
    # The state has the current name, so the next run updates it.
    tenant.id, tenant.state = tenancy.hostname, tenant.inputs | {"name": tenancy.world.tenant["name"]}
    tenant.state["tenant_id"] = tenancy.tenant_id
    tenant.update(tenant.inputs)
    assert tenancy.world.tenant["name"] == "Globex Ltd"


def test_a_tenant_gets_its_name_even_if_its_alias_is_refused(driver: MakeDriver, tenancy: Tenancy) -> None:
    """One request sends name and alias. If Qlik refuses the alias, another request sends the name."""
    tenancy.world.patch(f"tenants/{tenancy.tenant_id}", **{"hostnames/1": "globex.eu.qlikcloud.com"})
    before = {tenant["hostnames"][0] for tenant in tenancy.qlik.control.dump()["cloud"]["tenant"]}
    with pytest.raises(Failure, match=r"cannot have the alias globex\.eu\.qlikcloud\.com"):
        driver("tenant").create(inputs_for(tenancy))
    tenants = tenancy.qlik.control.dump()["cloud"]["tenant"]
    (created_tenant,) = (tenant for tenant in tenants if tenant["hostnames"][0] not in before)
    assert created_tenant["name"] == "Globex"
    assert created_tenant["hostnames"][1:] == []


@pytest.mark.parametrize("status", [400, 409])
def test_the_error_of_a_taken_alias_names_its_tenant(
    driver: MakeDriver, tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """This requires an organisation client. The status of the refusal does not matter, and Qlik applies the
    other changes.
    """
    tenant = driver("tenant").create(inputs_for(tenancy) | {"alias": "first.eu.qlikcloud.com"})
    tenancy.world.patch(f"tenants/{tenancy.tenant_id}", **{"hostnames/1": "taken.eu.qlikcloud.com"})
    if status == 409:
        fault = {"status": 409, "body": {"errors": [{"code": "X-9", "title": "Taken"}], "traceId": "t9"}}
        tenancy.qlik.control.add_fault(method="PATCH", path="/api/v1/tenants/*", times=1, **fault)
    for name, value in {
        "QLIK_ORG_CLIENT_ID": "demo-org",
        "QLIK_ORG_CLIENT_SECRET": "demo-org-secret",
    }.items():
        monkeypatch.setitem(tenancy.cloud._environ, name, value)
    with pytest.raises(Failure) as caught:
        tenant.update(tenant.inputs | {"alias": "taken.eu.qlikcloud.com", "name": "Globex Ltd"})
    holder = f"Tenant {tenancy.hostname} (id {tenancy.tenant_id}, active) has it. Choose another alias"
    for words in (f"answered {status}", "traceId", "cannot have the alias taken.eu.qlikcloud.com", holder):
        assert words in str(caught.value)
    assert World(tenancy.qlik, tenant.id).tenant["name"] == "Globex Ltd"


def test_a_revive_line_for_a_stack_with_a_tenant_has_no_effect(
    driver: MakeDriver, tenancy: Tenancy, capsys: pytest.CaptureFixture[str]
) -> None:
    """A message says so, unless the line names the tenant of the stack."""
    tenant = driver("tenant").create(inputs_for(tenancy))
    line = {"hostname": "x1y2z3.eu.qlikcloud.com", "tenant_id": "t"}
    assert tenant.diff({**tenant.inputs, "revive": line}) == []
    assert "`revive` names x1y2z3.eu.qlikcloud.com, but this stack has tenant" in capsys.readouterr().out
    assert tenant.diff({**tenant.inputs, "revive": {"hostname": tenant.id, "tenant_id": "t"}}) == []
    assert capsys.readouterr().out == ""
