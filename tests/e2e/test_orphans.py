"""`tenantry orphans`: the tenants of the emulated organisation, compared with the real states."""

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
from tests.e2e.creations import CREATIONS, ResponseBlocker
from tests.e2e.customers import GLOBEX, SOURCE_TENANT, settings, with_changes
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
    fleet = Fleet(scratch, qlik)
    fleet.env |= ORGANISATION
    return fleet


def up(fleet: Fleet, *stacks: str, **entries: Any) -> dict[str, World]:
    """Create a customer for each stack name. Return their tenants."""
    for name in stacks:
        fleet.write(name, {"name": name.title(), **CUSTOMER, **entries})
    fleet.run("up", *stacks, "--yes", "--skip-preview")
    outputs = fleet.run("outputs", *stacks).json
    assert fleet.qlik
    return {name: World(fleet.qlik, outputs[name]["hostname"]) for name in stacks}  # type: ignore[arg-type]


def find_orphans(
    fleet: Fleet, *arguments: str, expect: int = 7, **env: str
) -> dict[str, list[dict[str, Any]]]:
    """Return the findings of `tenantry orphans --region eu` by kind. Check that the command only reads."""
    result = fleet.run("orphans", "--region", "eu", "--json", *arguments, expect=expect, **env)
    assert writes(result.requests) == []
    return by_kind(result)


def by_kind(result: CommandResult) -> dict[str, list[dict[str, Any]]]:
    """Return the printed findings of a command, by kind."""
    found: dict[str, list[dict[str, Any]]] = {}
    for finding in result.json["findings"]:
        found.setdefault(finding["kind"], []).append(finding)
    return found


def checkpoint(fleet: Fleet, stack: str, project: str = "tenantry") -> Path:
    """Return the state file of a stack."""
    return fleet.folder / f"pulumi/state/.pulumi/stacks/{project}/{stack}.json"


def leave_app_behind(world: World, name: str = f"Sales {MARK}") -> str:
    """Create an app of the bot user in the tenant's shared space and leave it there. Return its id."""
    bot = Api(world.qlik, world.hostname).login()
    attributes = {"name": name, "spaceId": world.spaces["Staging"]["id"]}
    return str(bot.post("/api/v1/apps", {"attributes": attributes}, expect=200)["attributes"]["id"])


def set_name(tenant: Api, name: str) -> None:
    """Set the name of a tenant outside Pulumi."""
    world = World(tenant.qlik, tenant.host)
    world.patch(f"tenants/{world.tenant['id']}", name=name)


def test_a_clean_organisation_has_no_findings(fleet: Fleet, qlik: Emulator) -> None:
    """The source tenants of stack files are not orphans, even before the first customer."""
    fleet.write("acme", {"name": "Acme", **CUSTOMER})
    assert find_orphans(fleet, expect=0) == {}
    up(fleet, "acme")
    result = fleet.run("orphans", "--region", "eu")
    assert result.stdout == "2 tenants, 1 stack: 0 findings\n"
    [other] = by_kind(fleet.run("orphans", "--json", expect=7))["unmanaged"]
    assert other["hostname"] == US, "it is in another region, and no stack file names it as its source tenant"


def test_the_organisations_client_is_required(fleet: Fleet) -> None:
    fleet.write("acme", {"name": "Acme", **CUSTOMER})
    result = fleet.run("orphans", expect=1, QLIK_ORG_CLIENT_ID="", QLIK_ORG_CLIENT_SECRET="")
    assert (result.stdout, result.requests) == ("", [])
    assert "QLIK_ORG_CLIENT_ID" in result.stderr


def test_a_region_without_tenants_is_an_error(fleet: Fleet) -> None:
    fleet.write("acme", {"name": "Acme", **CUSTOMER})
    result = fleet.run("orphans", "--region", "mars", expect=2)
    assert "There is no tenant in region mars. Regions with tenants: eu, us." in result.stderr


def test_tenants_that_no_stack_holds_are_found(fleet: Fleet, qlik: Emulator) -> None:
    """One tenant has a name. The other one has none, and the printed line adds it to a stack."""
    up(fleet, "acme")
    hooli, nameless = new_tenant(qlik), new_tenant(qlik)
    set_name(hooli, "Hooli")
    found = find_orphans(fleet)
    assert found.keys() == {"unmanaged", "unnamed"}
    assert [(tenant["hostname"], tenant["name"]) for tenant in found["unmanaged"]] == [(hooli.host, "Hooli")]
    assert f"tenantry import {hooli.host}" in found["unmanaged"][0]["ways"]
    [unnamed] = found["unnamed"]
    assert (unnamed["hostname"], unnamed["certain"]) == (nameless.host, True)
    assert unnamed["made_at"] == World(qlik, nameless.host).tenant["created"]

    output = fleet.run("orphans", "--region", "eu", expect=7).stdout
    assert "Tenants that no stack holds: 1" in output
    assert f"      {unnamed['revive']}" in output.splitlines()
    assert output.endswith("4 tenants, 1 stack: 2 findings\n")

    hostname, tenant_id = nameless.host, World(qlik, nameless.host).tenant["id"]
    assert unnamed["revive"] == f"revive: {{hostname: {hostname}, tenant_id: {tenant_id}}}"
    fleet.write(
        "globex", {"name": "Globex", **CUSTOMER, "revive": {"hostname": hostname, "tenant_id": tenant_id}}
    )
    fleet.run("up", "globex", "--yes", "--skip-preview")
    assert find_orphans(fleet).keys() == {"unmanaged"}


def test_a_tenant_held_by_stacks_of_two_projects_is_found(fleet: Fleet) -> None:
    """The other project's state is in the same backend."""
    up(fleet, "acme")
    other = checkpoint(fleet, "copy", "other")
    other.parent.mkdir()
    shutil.copy(checkpoint(fleet, "acme"), other)
    found = find_orphans(fleet)
    assert found.keys() == {"held_twice"}
    assert found["held_twice"][0]["stacks"] == ["acme", "organization/other/copy"]
    checkpoint(fleet, "acme").unlink()
    assert find_orphans(fleet, expect=0) == {}, "only the other project holds the tenant"


def test_deactivated_and_purged_tenants_are_found(fleet: Fleet, qlik: Emulator) -> None:
    """The finding has the day of the purge. After that day, a tenant that a stack still holds is missing."""
    acme_world = up(fleet, "acme", "globex")["acme"]
    fleet.run("destroy", "globex", "--yes")
    deactivate_by_hand(acme_world)
    found = find_orphans(fleet)
    assert found.keys() == {"deactivated"}
    stacks = {tenant["name"]: tenant["stacks"] for tenant in found["deactivated"]}
    assert stacks == {"Acme": ["acme"], "Globex": []}
    assert all(tenant["purged_on"] and tenant["revive"] in tenant["ways"] for tenant in found["deactivated"])
    assert {tenant["name"]: tenant["notice"] for tenant in found["deactivated"]} == {
        "Acme": False,
        "Globex": True,
    }

    qlik.control.advance(31 * DAY)
    found = find_orphans(fleet)
    assert found.keys() == {"missing"}
    assert [(missing["hostname"], missing["ways"]) for missing in found["missing"]] == [
        (acme_world.hostname, ["tenantry forget acme"])
    ]
    fleet.run("forget", "acme", "--yes")
    assert find_orphans(fleet, expect=0) == {}


def test_a_tenant_that_is_listed_late_is_not_missing(fleet: Fleet, qlik: Emulator) -> None:
    """Before the command reports a tenant as missing, it requests the tenant directly."""
    world = up(fleet, "acme")["acme"]
    full_list = Api(qlik, CONSOLE, "demo-org").login().get("/api/core/tenants?limit=100")
    others = [item for item in full_list["data"] if item["hostnames"][0] != world.hostname]
    fault = qlik.control.add_fault(
        host=CONSOLE, path="/api/core/tenants", status=200, body={**full_list, "data": others}
    )
    assert find_orphans(fleet, expect=0) == {}
    qlik.control.add_fault(host=CONSOLE, path="/api/core/tenants/*", status=403)
    result = fleet.run("orphans", "--region", "eu", "--json", expect=1)
    assert (result.json["findings"], len(result.json["unread"])) == ([], 1)
    qlik.control.release(fault)


def test_two_tenants_with_the_same_name_are_found(fleet: Fleet, qlik: Emulator) -> None:
    acme = up(fleet, "acme")["acme"]
    duplicate = new_tenant(qlik)
    set_name(duplicate, "Acme")
    [same] = find_orphans(fleet)["same_name"]
    assert (same["about"], set(same["hostnames"])) == ('"Acme"', {acme.hostname, duplicate.host})
    assert f"{duplicate.host} (no stack)" in same["text"]


def test_a_licence_that_ends_soon_is_found(fleet: Fleet, qlik: Emulator) -> None:
    """The last day comes from the source tenant, because the organisation's list does not contain it."""
    up(fleet, "acme")
    overview = Api(qlik, SOURCE_TENANT).login().get("/api/v1/licenses/overview")
    body = {**overview, "valid": "2025-01-01/2026-01-31"}
    fault = qlik.control.add_fault(
        host=SOURCE_TENANT, path="/api/v1/licenses/overview", status=200, body=body
    )
    [licence] = find_orphans(fleet)["licence"]
    assert (licence["ends"], licence["source_tenant"]) == ("2026-01-31", SOURCE_TENANT)
    assert "ended on 2026-01-31" in licence["text"]
    qlik.control.release(fault)
    qlik.control.add_fault(host=SOURCE_TENANT, path="/api/v1/licenses/overview", status=403)
    result = fleet.run("orphans", "--region", "eu", expect=1)
    assert f"the licence of source tenant {SOURCE_TENANT}" in result.stderr


def test_an_unreadable_state_makes_findings_uncertain(fleet: Fleet, qlik: Emulator) -> None:
    """The command names the state, reads the others, marks findings as uncertain, and deletes nothing."""
    worlds = up(fleet, "acme", "globex", **STAGING)
    leftover_id = leave_app_behind(worlds["acme"])
    file = checkpoint(fleet, "globex")
    file.write_text(file.read_text()[:200])
    result = fleet.run("orphans", "--region", "eu", "--fix", "--yes", "--json", expect=1)
    assert writes(result.requests) == []
    report = result.json
    assert "the state of stack globex" in {unread["what"] for unread in report["unread"]}
    found = {finding["kind"]: finding for finding in report["findings"]}
    assert found.keys() == {"unmanaged", "left_over"}
    assert (found["unmanaged"]["hostname"], found["unmanaged"]["certain"]) == (
        worlds["globex"].hostname,
        False,
    )
    assert (found["left_over"]["app_id"], found["left_over"]["certain"]) == (leftover_id, False)
    partial = fleet.run("orphans", "--region", "eu", expect=1)
    assert "Tenants that no stack holds, as far as readable: 1" in partial.stdout
    assert "Could not read the state of stack globex" in partial.stderr


def test_only_leftover_apps_are_deleted(fleet: Fleet, qlik: Emulator) -> None:
    """The command reads each app again before it deletes the app. Without a terminal, it requires --yes."""
    world = up(fleet, "acme", **STAGING)["acme"]
    leftover_id, other = leave_app_behind(world), leave_app_behind(world, "Sales")
    [found] = find_orphans(fleet)["left_over"]
    assert (found["app_id"], found["hostname"], found["stacks"]) == (leftover_id, world.hostname, ["acme"])
    refused = fleet.run("orphans", "--region", "eu", "--fix", expect=2)
    assert "Delete 1 left-over app? There is no terminal for the confirmation. Add --yes." in refused.stderr
    assert writes(refused.requests) == []

    fixed = fleet.run("orphans", "--region", "eu", "--fix", "--yes", "--json")
    assert fixed.json["deleted"] == [leftover_id]
    assert writes(fixed.requests) == [f"DELETE /api/v1/apps/{leftover_id}"]
    sent = calls(fixed.requests)
    assert sent.index(f"GET /api/v1/apps/{leftover_id}") < sent.index(f"DELETE /api/v1/apps/{leftover_id}")
    assert [app["id"] for app in world.every("app")] == [other]
    assert find_orphans(fleet, "--fix", "--yes", expect=0) == {}


class TestKilledRuns:
    """Runs that are killed while Qlik carries out their request, so that the response is lost."""

    @pytest.fixture
    def blocker(self) -> ResponseBlocker:
        """The wrapper that holds back responses of `qlik`."""
        return ResponseBlocker()

    @pytest.fixture
    def qlik(self, blocker: ResponseBlocker) -> Iterator[Emulator]:
        """A fresh emulator that can hold back responses."""
        checker = ContractChecker()
        with Emulator(middleware=lambda app: blocker.wrap(checker.wrap(app))) as emulator:
            yield emulator
        assert not checker.violations, "\n".join(checker.violations)

    def start(self, stack: Stack, blocker: ResponseBlocker, at: str) -> Process:
        """Start a run that waits for the response to a request."""
        stack.env.update(ORGANISATION)
        stack.write(**settings(GLOBEX))
        blocker.hold_next_response(**CREATIONS[at])
        run = stack.start("up", "--skip-preview", "--yes")
        wait_for(blocker.triggered.is_set, seconds=60)
        return run

    def test_the_tenant_of_a_killed_run_is_found(
        self, stack: Stack, qlik: Emulator, blocker: ResponseBlocker
    ) -> None:
        """The finding names the stack, the time of its proof, and the tenant that Qlik created for it."""
        kill(stack, self.start(stack, blocker, "tenant"))
        [proof] = [
            resource for name, resource in stack.resources().items() if name.startswith("TenantProof ")
        ]
        [tenant_hostname] = tenants(qlik)
        [interruption] = self.find(stack, "cut_off")
        assert (interruption["about"], interruption["region"], interruption["name"]) == (
            "globex",
            "eu",
            "Globex",
        )
        assert interruption["made_at"] == proof["outputs"]["proof"]["made_at"]
        [orphan] = self.find(stack, "unnamed")
        assert orphan["hostname"] == tenant_hostname
        assert interruption["ways"] == ["tenantry up globex", orphan["revive"]]
        assert f"stack globex was about to request one at {interruption['made_at']}" in orphan["text"]

    def test_the_app_of_a_killed_run_is_kept_until_no_run_needs_it(
        self, stack: Stack, qlik: Emulator, blocker: ResponseBlocker
    ) -> None:
        run = self.start(stack, blocker, "import")
        [running_app] = self.find(stack, "left_over")
        assert "in progress or was interrupted" in running_app["kept"]
        assert self.find(stack, "left_over", "--fix", "--yes") == [running_app]

        kill(stack, run)
        assert unlock(stack, "--yes").returncode == 0
        assert self.find(stack, "left_over") == [running_app]
        stack.write(**settings(with_changes(GLOBEX, ("apps/Sales Overview/version", "2.4.0"))))
        stack.up()
        [pending_app] = self.find(stack, "left_over")
        assert "--clear-pending-creates --stack globex" in pending_app["kept"], (
            "Pulumi still has the pending operation"
        )
        stack.pulumi("refresh", "--skip-preview", "--yes", "--clear-pending-creates")
        world = World(qlik, stack.outputs()["hostname"])
        before = {app["id"] for app in world.every("app")}
        [leftover_app] = self.find(stack, "left_over")
        assert (leftover_app["app_id"], leftover_app["kept"]) == (running_app["app_id"], None)
        assert self.find(stack, "left_over", "--fix", "--yes") == [leftover_app]
        assert before - {app["id"] for app in world.every("app")} == {leftover_app["app_id"]}
        assert self.find(stack, "left_over") == []
        stack.preview("--refresh", "--expect-no-changes")

    def find(self, stack: Stack, kind: str, *arguments: str) -> list[dict[str, Any]]:
        """Return the findings of a kind from `tenantry orphans`."""
        result = subprocess.run(
            [TENANTRY, "orphans", "--region", "eu", "--json", *arguments],
            cwd=stack.folder,
            env=stack.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        assert result.returncode in (0, 7), result.stderr
        return [finding for finding in json.loads(result.stdout)["findings"] if finding["kind"] == kind]
