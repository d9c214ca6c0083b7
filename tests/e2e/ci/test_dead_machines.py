"""A machine dies while Qlik creates a tenant, and the next machine has only the backend."""

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
def one(site: Site) -> Site:
    """The repository with one customer, who has no tenant yet."""
    site.write("initech", name="Initech", ring="pilot")
    site.keep_only("initech")
    site.push()
    return site


def is_asked(site: Site) -> Callable[[], bool]:
    """Make a creation at Qlik take an hour; return a function that tells whether a tenant is in creation."""
    site.qlik.control.settings(creation_ms=HOUR * 1000)
    return lambda: site.qlik.control.health()["waiting"] > 0


def unlock(site: Site) -> None:
    """Let Qlik finish the tenant, and remove the lock of the dead machine."""
    assert site.tenants() == {}
    site.qlik.control.advance(HOUR)
    site.qlik.control.settings(creation_ms=0)
    assert len(made(site)) == 1
    somebody = Machine(site, site.folder / "somebody")
    site.clone(somebody.workspace, site.git("rev-parse", "main"), whole=True)
    somebody.set_up()
    known = {"PULUMI_BACKEND_URL": site.backend, "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE}
    assert somebody.bash("unlock", "tenantry unlock initech --yes", known).code == 0


def made(site: Site) -> list[dict[str, Any]]:
    """Return the tenants that Qlik has created, with any name."""
    return [tenant for tenant in site.qlik.control.dump()["cloud"]["tenant"] if tenant.get("_made")]


def asked_once(site: Site) -> bool:
    """Tell whether all runs together requested one tenant."""
    return calls(site.qlik.control.requests()).count("POST /api/v1/tenants") == 1


def answer(site: Site, line: str) -> None:
    """Paste the line into the stack file."""
    site.write("initech", name="Initech", ring="pilot", revive=yaml.safe_load(line))
    site.push()


def up_to_date(site: Site) -> bool:
    """Tell whether the one tenant belongs to the customer."""
    return [(tenant["name"], tenant["status"]) for tenant in made(site)] == [("Initech", "active")]


def test_the_organisation_lists_the_candidates(one: Site, github: GitHub) -> None:
    github.environments["pilot"] = QLIK | ORGANISATION
    commit = one.git("rev-parse", "main")
    run = github.run("deploy", commit, dies_when=is_asked(one))
    assert run.jobs["pilot"].result == "failure"
    unlock(one)
    assert github.caches == {}, "the next machine must find nothing in the cache"
    before = len(one.qlik.control.requests())
    run = github.run("deploy", commit)
    assert run.jobs["pilot"].result == "failure"
    assert writes(one.qlik.control.requests()[before:]) == []
    [tenant] = made(one)
    [line] = set(LINE.findall(run.summary))
    assert yaml.safe_load(line) == {"hostname": tenant["hostnames"][0], "tenant_id": tenant["id"]}

    answer(one, line)
    assert github.run("deploy", one.git("rev-parse", "main")).jobs["pilot"].result == "success"
    assert up_to_date(one)
    assert asked_once(one)


@pytest.mark.parametrize("forge", ["github", "gitlab"])
def test_without_the_organisation_a_person_must_look(one: Site, forge: str, request: Any) -> None:
    """The run says when and where the tenant was requested, and what to paste. It sends no request."""
    machines = request.getfixturevalue(forge)

    def deploy(**more: Any) -> Any:
        if forge == "gitlab":
            return machines.push(**more)["pilot"]
        return machines.run("deploy", one.git("rev-parse", "main"), **more).jobs["pilot"]

    assert deploy(dies_when=is_asked(one)).result == "failure"
    unlock(one)
    assert machines.caches == {}
    before = len(one.qlik.control.requests())
    stopped = deploy()
    assert stopped.result == "failure"
    assert len(one.qlik.control.requests()) == before
    assert WHEN.search(stopped.output)
    expected = ("QLIK_ORG_CLIENT_ID", "revive: {hostname: …, tenant_id: …}", "TENANTRY_RENEW=")
    assert [text for text in expected if text not in stopped.output] == []

    [tenant] = made(one)
    answer(one, f"{{hostname: {tenant['hostnames'][0]}, tenant_id: {tenant['id']}}}")
    assert deploy().result == "success"
    assert up_to_date(one)
    assert asked_once(one)
