"""Orphans: all tenants of the emulated organisation, compared with the real states of all projects."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tenantry.emulator import Emulator
from tests.contract import ContractChecker
from tests.e2e.creations import CREATIONS, Mute
from tests.e2e.customers import GLOBEX, SOURCE_TENANT, changed, settings
from tests.e2e.fleet import CommandResult, Fleet
from tests.e2e.harness import Process, Stack
from tests.e2e.operations import ORGANISATION, deactivate_by_hand, tenants
from tests.e2e.test_harness import wait_for
from tests.e2e.test_unlock import TENANTRY, kill, unlock
from tests.emulator.api import CONSOLE, Api, new_tenant
from tests.world import World, calls, writes

DAY = 24 * 3600
MARK = "[0123456789ab]"
CUSTOMER = {"lifecycle": {"kind": "trial", "ends_on": "2999-12-31", "grace_days": 10}}
STAGING = {"spaces": {"Staging": {"type": "shared"}}}
US = "templates.us.qlikcloud.com"


@pytest.fixture
def fleet(scratch: Path, qlik: Emulator) -> Fleet:
    """A project without stacks, with the organisation's client."""
    made = Fleet(scratch, qlik)
    made.env |= ORGANISATION
    return made


def up(fleet: Fleet, *stacks: str, **more: Any) -> dict[str, World]:
    """Create customers with these names; return their tenants."""
    for name in stacks:
        fleet.write(name, {"name": name.title(), **CUSTOMER, **more})
    fleet.run("up", *stacks, "--yes", "--skip-preview")
    found = fleet.run("outputs", *stacks).json
    assert fleet.qlik
    return {name: World(fleet.qlik, found[name]["hostname"]) for name in stacks}  # type: ignore[arg-type]


def look(fleet: Fleet, *arguments: str, expect: int = 7, **env: str) -> dict[str, list[dict[str, Any]]]:
    """Return the findings of `tenantry orphans --region eu`, by kind; check that it only reads."""
    done = fleet.run("orphans", "--region", "eu", "--json", *arguments, expect=expect, **env)
    assert writes(done.requests) == []
    return by_kind(done)


def by_kind(done: CommandResult) -> dict[str, list[dict[str, Any]]]:
    """Return the printed findings of a command."""
    found: dict[str, list[dict[str, Any]]] = {}
    for finding in done.json["findings"]:
        found.setdefault(finding["kind"], []).append(finding)
    return found


def checkpoint(fleet: Fleet, stack: str, project: str = "tenantry") -> Path:
    """Return the state file of a stack."""
    return fleet.folder / f"pulumi/state/.pulumi/stacks/{project}/{stack}.json"


def leave(world: World, name: str = f"Sales {MARK}") -> str:
    """Leave an app of our own bot in the tenant's shared space; return its id."""
    bot = Api(world.qlik, world.hostname).login()
    attributes = {"name": name, "spaceId": world.spaces["Staging"]["id"]}
    return str(bot.post("/api/v1/apps", {"attributes": attributes}, expect=200)["attributes"]["id"])


def name(tenant: Api, name: str) -> None:
    """Name a tenant outside Pulumi."""
    world = World(tenant.qlik, tenant.host)
    world.patch(f"tenants/{world.tenant['id']}", name=name)


def test_all_in_order(fleet: Fleet, qlik: Emulator) -> None:
    """The source tenants of stack files are not orphans, even before the first customer."""
    fleet.write("acme", {"name": "Acme", **CUSTOMER})
    assert look(fleet, expect=0) == {}
    up(fleet, "acme")
    done = fleet.run("orphans", "--region", "eu")
    assert done.stdout == "2 tenants, 1 stack: 0 findings\n"
    [other] = by_kind(fleet.run("orphans", "--json", expect=7))["unmanaged"]
    assert other["hostname"] == US, "in another region, and nobody's source tenant"


def test_the_organisations_client_is_needed(fleet: Fleet) -> None:
    fleet.write("acme", {"name": "Acme", **CUSTOMER})
    done = fleet.run("orphans", expect=1, QLIK_ORG_CLIENT_ID="", QLIK_ORG_CLIENT_SECRET="")
    assert (done.stdout, done.requests) == ("", [])
    assert "QLIK_ORG_CLIENT_ID" in done.stderr


def test_a_region_without_tenants(fleet: Fleet) -> None:
    fleet.write("acme", {"name": "Acme", **CUSTOMER})
    done = fleet.run("orphans", "--region", "mars", expect=2)
    assert "There is no tenant in region mars. Regions with tenants: eu, us." in done.stderr


def test_tenants_that_no_stack_holds(fleet: Fleet, qlik: Emulator) -> None:
    """One tenant has a name and one has none. The printed line adds the unnamed one to a stack."""
    up(fleet, "acme")
    hooli, nameless = new_tenant(qlik), new_tenant(qlik)
    name(hooli, "Hooli")
    found = look(fleet)
    assert found.keys() == {"unmanaged", "unnamed"}
    assert [(tenant["hostname"], tenant["name"]) for tenant in found["unmanaged"]] == [(hooli.host, "Hooli")]
    assert f"tenantry import {hooli.host}" in found["unmanaged"][0]["ways"]
    [one] = found["unnamed"]
    assert (one["hostname"], one["certain"]) == (nameless.host, True)
    assert one["made_at"] == World(qlik, nameless.host).tenant["created"]

    output = fleet.run("orphans", "--region", "eu", expect=7).stdout
    assert "Tenants that no stack holds: 1" in output
    assert f"      {one['revive']}" in output.splitlines()
    assert output.endswith("4 tenants, 1 stack: 2 findings\n")

    hostname, tenant_id = nameless.host, World(qlik, nameless.host).tenant["id"]
    assert one["revive"] == f"revive: {{hostname: {hostname}, tenant_id: {tenant_id}}}"
    fleet.write(
        "globex", {"name": "Globex", **CUSTOMER, "revive": {"hostname": hostname, "tenant_id": tenant_id}}
    )
    fleet.run("up", "globex", "--yes", "--skip-preview")
    assert look(fleet).keys() == {"unmanaged"}


def test_a_tenant_that_stacks_of_two_projects_hold(fleet: Fleet) -> None:
    """The other project's state is in the same backend."""
    up(fleet, "acme")
    other = checkpoint(fleet, "copy", "other")
    other.parent.mkdir()
    shutil.copy(checkpoint(fleet, "acme"), other)
    found = look(fleet)
    assert found.keys() == {"held_twice"}
    assert found["held_twice"][0]["stacks"] == ["acme", "organization/other/copy"]
    checkpoint(fleet, "acme").unlink()
    assert look(fleet, expect=0) == {}, "held by the other project alone"


def test_deactivated_and_purged(fleet: Fleet, qlik: Emulator) -> None:
    """Deactivated tenants, held or not, have the day of their purge. After it, a held tenant is missing."""
    held = up(fleet, "acme", "globex")["acme"]
    fleet.run("destroy", "globex", "--yes")
    deactivate_by_hand(held)
    found = look(fleet)
    assert found.keys() == {"deactivated"}
    stacks = {tenant["name"]: tenant["stacks"] for tenant in found["deactivated"]}
    assert stacks == {"Acme": ["acme"], "Globex": []}
    assert all(tenant["purged_on"] and tenant["revive"] in tenant["ways"] for tenant in found["deactivated"])
    assert {tenant["name"]: tenant["notice"] for tenant in found["deactivated"]} == {
        "Acme": False,
        "Globex": True,
    }

    qlik.control.advance(31 * DAY)
    found = look(fleet)
    assert found.keys() == {"missing"}
    assert [(missing["hostname"], missing["ways"]) for missing in found["missing"]] == [
        (held.hostname, ["tenantry forget acme"])
    ]
    fleet.run("forget", "acme", "--yes")
    assert look(fleet, expect=0) == {}


def test_a_tenant_that_the_list_does_not_show_yet(fleet: Fleet, qlik: Emulator) -> None:
    """The command requests it directly before it counts as missing."""
    world = up(fleet, "acme")["acme"]
    real = Api(qlik, CONSOLE, "demo-org").login().get("/api/core/tenants?limit=100")
    late = [item for item in real["data"] if item["hostnames"][0] != world.hostname]
    fault = qlik.control.add_fault(
        host=CONSOLE, path="/api/core/tenants", status=200, body={**real, "data": late}
    )
    assert look(fleet, expect=0) == {}
    qlik.control.add_fault(host=CONSOLE, path="/api/core/tenants/*", status=403)
    done = fleet.run("orphans", "--region", "eu", "--json", expect=1)
    assert (done.json["findings"], len(done.json["unread"])) == ([], 1)
    qlik.control.release(fault)


def test_two_tenants_of_one_name(fleet: Fleet, qlik: Emulator) -> None:
    acme = up(fleet, "acme")["acme"]
    duplicate = new_tenant(qlik)
    name(duplicate, "Acme")
    [same] = look(fleet)["same_name"]
    assert (same["about"], set(same["hostnames"])) == ('"Acme"', {acme.hostname, duplicate.host})
    assert f"{duplicate.host} (no stack)" in same["text"]


def test_a_licence_that_ends_soon(fleet: Fleet, qlik: Emulator) -> None:
    """The end comes from the source tenant, because the organisation's list does not have it."""
    up(fleet, "acme")
    overview = Api(qlik, SOURCE_TENANT).login().get("/api/v1/licenses/overview")
    body = {**overview, "valid": "2025-01-01/2026-01-31"}
    fault = qlik.control.add_fault(
        host=SOURCE_TENANT, path="/api/v1/licenses/overview", status=200, body=body
    )
    [licence] = look(fleet)["licence"]
    assert (licence["ends"], licence["source_tenant"]) == ("2026-01-31", SOURCE_TENANT)
    assert "ended on 2026-01-31" in licence["text"]
    qlik.control.release(fault)
    qlik.control.add_fault(host=SOURCE_TENANT, path="/api/v1/licenses/overview", status=403)
    done = fleet.run("orphans", "--region", "eu", expect=1)
    assert f"the licence of source tenant {SOURCE_TENANT}" in done.stderr


def test_a_state_that_cannot_be_read(fleet: Fleet, qlik: Emulator) -> None:
    """The state is named and the others are read. No tenant is surely unmanaged, and nothing is deleted."""
    worlds = up(fleet, "acme", "globex", **STAGING)
    left = leave(worlds["acme"])
    file = checkpoint(fleet, "globex")
    file.write_text(file.read_text()[:200])
    done = fleet.run("orphans", "--region", "eu", "--fix", "--yes", "--json", expect=1)
    assert writes(done.requests) == []
    report = done.json
    assert "the state of stack globex" in {unread["what"] for unread in report["unread"]}
    found = {finding["kind"]: finding for finding in report["findings"]}
    assert found.keys() == {"unmanaged", "left_over"}
    assert (found["unmanaged"]["hostname"], found["unmanaged"]["certain"]) == (
        worlds["globex"].hostname,
        False,
    )
    assert (found["left_over"]["app_id"], found["left_over"]["certain"]) == (left, False)
    partial = fleet.run("orphans", "--region", "eu", expect=1)
    assert "Tenants that no stack holds, as far as readable: 1" in partial.stdout
    assert "Could not read the state of stack globex" in partial.stderr


def test_only_leftover_apps_are_deleted(fleet: Fleet, qlik: Emulator) -> None:
    """Each app is checked again before its deletion. Without a terminal, --yes is required."""
    world = up(fleet, "acme", **STAGING)["acme"]
    left, other = leave(world), leave(world, "Sales")
    [found] = look(fleet)["left_over"]
    assert (found["app_id"], found["hostname"], found["stacks"]) == (left, world.hostname, ["acme"])
    asked = fleet.run("orphans", "--region", "eu", "--fix", expect=2)
    assert "Delete 1 left-over app? There is no terminal for the confirmation. Add --yes." in asked.stderr
    assert writes(asked.requests) == []

    fixed = fleet.run("orphans", "--region", "eu", "--fix", "--yes", "--json")
    assert fixed.json["deleted"] == [left]
    assert writes(fixed.requests) == [f"DELETE /api/v1/apps/{left}"]
    again = calls(fixed.requests)
    assert again.index(f"GET /api/v1/apps/{left}") < again.index(f"DELETE /api/v1/apps/{left}")
    assert [app["id"] for app in world.every("app")] == [other]
    assert look(fleet, "--fix", "--yes", expect=0) == {}


class TestKilledRuns:
    """Runs that are killed while Qlik carries out their request, so the response is lost."""

    @pytest.fixture
    def mute(self) -> Mute:
        """Holds back a response permanently."""
        return Mute()

    @pytest.fixture
    def qlik(self, mute: Mute) -> Iterator[Emulator]:
        """A fresh emulator that can hold back responses."""
        checker = ContractChecker()
        with Emulator(middleware=lambda app: mute.wrap(checker.wrap(app))) as emulator:
            yield emulator
        assert not checker.violations, "\n".join(checker.violations)

    def start(self, stack: Stack, mute: Mute, at: str) -> Process:
        """Start a run that waits for the response to a request."""
        stack.env.update(ORGANISATION)
        stack.write(**settings(GLOBEX))
        mute.hold_next_response(**CREATIONS[at])
        run = stack.start("up", "--skip-preview", "--yes")
        wait_for(mute.triggered.is_set, seconds=60)
        return run

    def test_the_tenant(self, stack: Stack, qlik: Emulator, mute: Mute) -> None:
        """The finding names the stack, the time of its proof, and the tenant that Qlik has created since."""
        kill(stack, self.start(stack, mute, "tenant"))
        [proof] = [
            resource for name, resource in stack.resources().items() if name.startswith("TenantProof ")
        ]
        [made] = tenants(qlik)
        [cut] = self.found(stack, "cut_off")
        assert (cut["about"], cut["region"], cut["name"]) == ("globex", "eu", "Globex")
        assert cut["made_at"] == proof["outputs"]["proof"]["made_at"]
        [orphan] = self.found(stack, "unnamed")
        assert orphan["hostname"] == made
        assert cut["ways"] == ["tenantry up globex", orphan["revive"]]
        assert f"stack globex was about to request one at {cut['made_at']}" in orphan["text"]

    def test_an_import(self, stack: Stack, qlik: Emulator, mute: Mute) -> None:
        """The leftover app is found, and kept while a run can still use it."""
        run = self.start(stack, mute, "import")
        [under_way] = self.found(stack, "left_over")
        assert "in progress or was interrupted" in under_way["kept"]
        assert self.found(stack, "left_over", "--fix", "--yes") == [under_way]

        kill(stack, run)
        assert unlock(stack, "--yes").returncode == 0
        assert self.found(stack, "left_over") == [under_way]
        stack.write(**settings(changed(GLOBEX, ("apps/Sales Overview/version", "2.4.0"))))
        stack.up()
        [kept] = self.found(stack, "left_over")
        assert "--clear-pending-creates --stack globex" in kept["kept"], "Pulumi keeps the pending operation"
        stack.pulumi("refresh", "--skip-preview", "--yes", "--clear-pending-creates")
        world = World(qlik, stack.outputs()["hostname"])
        before = {app["id"] for app in world.every("app")}
        [left] = self.found(stack, "left_over")
        assert (left["app_id"], left["kept"]) == (under_way["app_id"], None)
        assert self.found(stack, "left_over", "--fix", "--yes") == [left]
        assert before - {app["id"] for app in world.every("app")} == {left["app_id"]}
        assert self.found(stack, "left_over") == []
        stack.preview("--refresh", "--expect-no-changes")

    def found(self, stack: Stack, kind: str, *arguments: str) -> list[dict[str, Any]]:
        """Return the command's findings of a kind."""
        done = subprocess.run(
            [TENANTRY, "orphans", "--region", "eu", "--json", *arguments],
            cwd=stack.folder,
            env=stack.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        assert done.returncode in (0, 7), done.stderr
        return [finding for finding in json.loads(done.stdout)["findings"] if finding["kind"] == kind]
