"""A CI machine dies while Qlik creates a tenant. The next machine has only the backend."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from tests.e2e.ci.github import QLIK, GitHub
from tests.e2e.ci.site import PASSPHRASE, Machine, Site
from tests.e2e.operations import HOUR, ORGANISATION
from tests.world import calls, writes

LINE = re.compile(r"revive: (\{hostname: [\w.-]+, tenant_id: [\w-]+\})")
WHEN = re.compile(
    r"requested a tenant from register\.eu\.qlikcloud\.com after \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
)


@pytest.fixture
def site_with_customer(site: Site) -> Site:
    """The repository with one customer that has no tenant yet."""
    site.write("initech", name="Initech", ring="pilot")
    site.keep_only("initech")
    site.push()
    return site


def delay_creation(site: Site) -> Callable[[], bool]:
    """Let Qlik create a tenant in an hour. Return a function that tells whether it is creating one."""
    site.qlik.control.settings(creation_ms=HOUR * 1000)
    return lambda: site.qlik.control.health()["waiting"] > 0


def unlock(site: Site) -> None:
    """Let Qlik finish the tenant. Clear the lock of the dead machine from another machine."""
    assert site.tenants() == {}
    site.qlik.control.advance(HOUR)
    site.qlik.control.settings(creation_ms=0)
    assert len(created_tenants(site)) == 1
    machine = Machine(site, site.folder / "operator")
    site.clone(machine.workspace, site.git("rev-parse", "main"), full_history=True)
    machine.set_up()
    env = {"PULUMI_BACKEND_URL": site.backend, "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE}
    assert machine.bash("unlock", "tenantry unlock initech --yes", env).code == 0


def created_tenants(site: Site) -> list[dict[str, Any]]:
    """Return the tenants that Qlik has created, named or not."""
    return [tenant for tenant in site.qlik.control.dump()["cloud"]["tenant"] if tenant.get("_created")]


def requested_once(site: Site) -> bool:
    """Tell whether all runs together requested exactly one tenant."""
    return calls(site.qlik.control.requests()).count("POST /api/v1/tenants") == 1


def add_revive_line(site: Site, line: str) -> None:
    """Add the `revive` line to the stack file."""
    site.write("initech", name="Initech", ring="pilot", revive=yaml.safe_load(line))
    site.push()


def has_its_tenant(site: Site) -> bool:
    """Tell whether there is exactly one tenant, which belongs to the customer."""
    return [(tenant["name"], tenant["status"]) for tenant in created_tenants(site)] == [("Initech", "active")]


def test_with_the_organisations_client_a_run_lists_the_candidates(
    site_with_customer: Site, github: GitHub
) -> None:
    github.environments["pilot"] = QLIK | ORGANISATION
    commit = site_with_customer.git("rev-parse", "main")
    run = github.run("deploy", commit, dies_when=delay_creation(site_with_customer))
    assert run.jobs["pilot"].result == "failure"
    unlock(site_with_customer)
    assert github.caches == {}, "the next machine must find nothing in the cache"
    requests_before = len(site_with_customer.qlik.control.requests())
    run = github.run("deploy", commit)
    assert run.jobs["pilot"].result == "failure"
    assert writes(site_with_customer.qlik.control.requests()[requests_before:]) == []
    [tenant] = created_tenants(site_with_customer)
    [line] = set(LINE.findall(run.summary))
    assert yaml.safe_load(line) == {"hostname": tenant["hostnames"][0], "tenant_id": tenant["id"]}

    add_revive_line(site_with_customer, line)
    assert github.run("deploy", site_with_customer.git("rev-parse", "main")).jobs["pilot"].result == "success"
    assert has_its_tenant(site_with_customer)
    assert requested_once(site_with_customer)


@pytest.mark.parametrize("forge", ["github", "gitlab"])
def test_without_the_organisations_client_the_operator_must_look(
    site_with_customer: Site, forge: str, request: Any
) -> None:
    """The error says when and where a run requested the tenant, and which line to add."""
    machines = request.getfixturevalue(forge)

    def deploy(**options: Any) -> Any:
        if forge == "gitlab":
            return machines.push(**options)["pilot"]
        return machines.run("deploy", site_with_customer.git("rev-parse", "main"), **options).jobs["pilot"]

    assert deploy(dies_when=delay_creation(site_with_customer)).result == "failure"
    unlock(site_with_customer)
    assert machines.caches == {}
    requests_before = len(site_with_customer.qlik.control.requests())
    stopped = deploy()
    assert stopped.result == "failure"
    assert len(site_with_customer.qlik.control.requests()) == requests_before
    assert WHEN.search(stopped.output)
    expected = ("QLIK_ORG_CLIENT_ID", "revive: {hostname: …, tenant_id: …}", "TENANTRY_RENEW=")
    assert [text for text in expected if text not in stopped.output] == []

    [tenant] = created_tenants(site_with_customer)
    add_revive_line(site_with_customer, f"{{hostname: {tenant['hostnames'][0]}, tenant_id: {tenant['id']}}}")
    assert deploy().result == "success"
    assert has_its_tenant(site_with_customer)
    assert requested_once(site_with_customer)
