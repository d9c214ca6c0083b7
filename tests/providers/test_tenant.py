"""Tenants: their properties. How one comes to be and comes back is in test_registration.py."""

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
    """A proof that this run has made, with its permit."""
    inputs = {"region": "eu", "source_tenant": "templates.eu.qlikcloud.com", "name": "Globex"}
    made: Inputs = ResourceDriver(tenancy, "tenant_proof").create(inputs).state["proof"]
    return made


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


def patched(path: str, value: object) -> Callable[[Tenancy, str], object]:
    """Change one property of the tenant as somebody else."""

    def do(tenancy: Tenancy, id: str) -> None:
        world = World(tenancy.qlik, id)
        world.patch(f"tenants/{world.tenant['id']}", **{path: value})

    return do


def deactivate(tenancy: Tenancy, id: str) -> None:
    """Deactivate the tenant as somebody with the same client would, in My Qlik."""
    register = tenancy.cloud.register("eu")
    path = f"/api/v1/tenants/{World(tenancy.qlik, id).tenant['id']}/actions/deactivate"
    register.post(path, {"purgeAfterDays": 10}, headers={"qlik-confirm-hostname": id})


def purge(tenancy: Tenancy, id: str) -> None:
    """Deactivate it and let its grace period go by."""
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
        "name": Drift(patched("name", "Mine"), "Mine"),
        "alias": Drift(patched("hostnames/1", "mine.eu.qlikcloud.com"), "mine.eu.qlikcloud.com"),
        "status": Drift(deactivate, "disabled"),
        **{name: Drift(patched(camel(name), not value), not value) for name, value in SWITCHES.items()},
    },
)


def test_many_changes_are_one_request(driver: MakeDriver, tenancy: Tenancy) -> None:
    """All that PATCH takes goes in one."""
    tenant = driver("tenant").create(inputs_for(tenancy))
    tenancy.requests()
    wanted = {name: not value for name, value in SWITCHES.items()} | {"name": "Globex Corporation"}
    tenant.update(tenant.inputs | wanted)
    assert tenancy.requests() == [f"PATCH /api/v1/tenants/{tenant.state['tenant_id']}"]
    assert (remote(tenancy, tenant.id) or {}).items() >= wanted.items()


def test_the_run_that_made_it(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Later runs, a refresh and a change leave it as it is."""
    tenant = driver("tenant").create({**inputs_for(tenancy), "program_run": "first"})
    assert tenant.state["created_by_run"] == "first"
    tenant.drift()
    tenant.update({**inputs_for(tenancy), "name": "Globex Corporation", "program_run": "second"})
    assert tenant.state["created_by_run"] == "first"
    assert "program_run" not in tenant.state


@pytest.mark.parametrize(("name", "value"), [("region", "us"), ("datacenter", "eu-central-1")])
def test_a_tenant_does_not_move(driver: MakeDriver, tenancy: Tenancy, name: str, value: str) -> None:
    """A changed line in a file never replaces a tenant."""
    tenant = driver("tenant").create(inputs_for(tenancy))
    with pytest.raises(AssertionError, match=f"{name}: .* can never change: make a new stack"):
        tenant.check({**inputs_for(tenancy), name: value})


def test_what_is_not_given_is_left_alone(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Alias and switches are neither sent nor compared."""
    inputs = {name: inputs_for(tenancy)[name] for name in ("region", "source_tenant", "name", "proof")}
    tenant = driver("tenant").create(inputs)
    patched("enableAppOpeningFeedback", True)(tenancy, tenant.id)
    patched("hostnames/1", "mine.eu.qlikcloud.com")(tenancy, tenant.id)
    assert tenant.drift() == {}
    tenancy.requests()
    tenant.update({**inputs, "name": "Globex Corporation"})
    assert World(tenancy.qlik, tenant.id).tenant["enableAppOpeningFeedback"] is True


def test_deactivation_confirms_the_hostname_and_gives_the_days(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Without another value, Qlik purges the tenant after 30 days."""
    tenant = driver("tenant").create({**inputs_for(tenancy), "grace_days": 12})
    tenant.delete()
    found = World(tenancy.qlik, tenant.id).tenant
    assert found["status"] == "disabled"
    now = datetime.fromisoformat(tenancy.qlik.control.health()["time"]).timestamp()
    assert (found["_purge_at"] - now) / 86400 == pytest.approx(12, abs=0.01)


def test_one_that_qlik_does_not_know_stays_in_the_state(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Purged at Qlik: a refresh shows that and drops nothing; `up` stops and says the ways out."""
    tenant = driver("tenant").create(inputs_for(tenancy))
    purge(tenancy, tenant.id)
    assert tenant.drift() == {"status": "gone"}
    assert "tenantry forget" in tenancy.messages[-1]
    with pytest.raises(Failure) as caught:
        tenant.update(tenant.inputs)
    assert "tenantry forget" in str(caught.value)
    assert "revive" in str(caught.value)
    tenant.delete()


def test_a_passing_404_changes_nothing(driver: MakeDriver, tenancy: Tenancy) -> None:
    """An ingress that has a bad moment answers in Qlik's place: asked once more, the tenant is there. A
    deactivation that met such a page was none.
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


def test_a_name_that_is_newer_than_the_proof_waits_for_the_state(
    driver: MakeDriver, tenancy: Tenancy
) -> None:
    """A run that is killed right after it gave that name would leave a tenant that fits no proof."""
    revive = {"hostname": tenancy.hostname, "tenant_id": tenancy.tenant_id}
    tenant = driver("tenant")
    with pytest.raises(Failure, match=r'requested under the name "Globex".*rename it to "Globex Ltd"'):
        tenant.create(inputs_for(tenancy) | {"name": "Globex Ltd", "revive": revive})
    assert "PATCH" not in " ".join(tenancy.requests())
    # Recorded as it is, so that the next run updates it.
    tenant.id, tenant.state = tenancy.hostname, tenant.inputs | {"name": tenancy.world.tenant["name"]}
    tenant.state["tenant_id"] = tenancy.tenant_id
    tenant.update(tenant.inputs)
    assert tenancy.world.tenant["name"] == "Globex Ltd"


def test_a_refused_alias_leaves_no_tenant_without_a_name(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Name and alias go in one request; only if the alias is refused, the name goes in another."""
    tenancy.world.patch(f"tenants/{tenancy.tenant_id}", **{"hostnames/1": "globex.eu.qlikcloud.com"})
    before = {each["hostnames"][0] for each in tenancy.qlik.control.dump()["cloud"]["tenant"]}
    with pytest.raises(Failure, match=r"cannot have the alias globex\.eu\.qlikcloud\.com"):
        driver("tenant").create(inputs_for(tenancy))
    (made,) = (
        each for each in tenancy.qlik.control.dump()["cloud"]["tenant"] if each["hostnames"][0] not in before
    )
    assert made["name"] == "Globex"
    assert made["hostnames"][1:] == []


@pytest.mark.parametrize("status", [400, 409])
def test_who_has_the_alias_is_told(
    driver: MakeDriver, tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """Where the organisation can be asked; however Qlik refuses it, the other changes are made."""
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


def test_a_revive_line_that_comes_too_late_is_told(
    driver: MakeDriver, tenancy: Tenancy, capsys: pytest.CaptureFixture[str]
) -> None:
    """The stack already has a tenant: a message says that the line has no effect."""
    tenant = driver("tenant").create(inputs_for(tenancy))
    line = {"hostname": "x1y2z3.eu.qlikcloud.com", "tenant_id": "t"}
    assert tenant.diff({**tenant.inputs, "revive": line}) == []
    assert "`revive` names x1y2z3.eu.qlikcloud.com, but this stack has tenant" in capsys.readouterr().out
    assert tenant.diff({**tenant.inputs, "revive": {"hostname": tenant.id, "tenant_id": "t"}}) == []
    assert capsys.readouterr().out == ""
