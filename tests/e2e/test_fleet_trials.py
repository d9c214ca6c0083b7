"""Trials of many customers: list, deactivate, revive and extend them, or make them permanent."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tenantry.emulator import Emulator
from tenantry.fleet.inventory import COLUMNS
from tenantry.fleet.troubles import IS_PROTECTED
from tests.e2e.fleet import Fleet
from tests.world import World, writes

PAST, FUTURE = "2000-01-01", "2999-12-31"


def trial(name: str, ends_on: str, **lifecycle_settings: Any) -> dict[str, Any]:
    """Return a customer with one group."""
    lifecycle = {"kind": "trial", "ends_on": ends_on, "grace_days": 10, **lifecycle_settings}
    return {"name": name, "lifecycle": lifecycle, "groups": {"Analysts": {}}}


@pytest.fixture
def fleet(scratch: Path, qlik: Emulator) -> Fleet:
    """A project with four active trials."""
    fleet = Fleet(scratch, qlik)
    for name in ("acme", "globex", "initech", "umbrella"):
        fleet.write(name, trial(name.title(), FUTURE))
    fleet.run("up", "--all", "--yes", "--skip-preview")
    return fleet


def tenants(qlik: Emulator) -> dict[str, str]:
    """Return the status of the created tenants, by name."""
    created = [tenant for tenant in qlik.control.dump()["cloud"]["tenant"] if tenant.get("_created")]
    return {tenant["name"]: tenant["status"] for tenant in created}


def test_ended_trials_are_listed_deactivated_and_revived(fleet: Fleet, qlik: Emulator) -> None:
    soon = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    fleet.write("acme", trial("Acme", PAST))
    changed_groups: dict[str, Any] = {"Analysts": {}, "Sellers": {}}  # a missing group must not block the run
    fleet.write("globex", trial("Globex", PAST, grace_days=21) | {"groups": changed_groups})
    fleet.write("initech", trial("Initech", soon))
    fleet.write("umbrella", trial("Umbrella", FUTURE) | {"plan": "nowhere"})
    fleet.write("broken", {"name": "Broken", "plan": "nowhere"})  # no tenant, so its error does not matter

    folder = fleet.folder / "listed"
    listed = fleet.run("expire", "--dry-run", "--json", "--reports", str(folder), expect=1)
    assert json.loads((folder / "trials.json").read_text()) == listed.json
    assert "| initech | Initech | ends on" in (folder / "trials.md").read_text()
    assert listed.stderr.startswith("umbrella: stacks/Pulumi.umbrella.yaml:")
    assert len(listed.stderr.splitlines()) == 1
    fleet.write("umbrella", trial("Umbrella", FUTURE))
    rows = {row["stack"]: (row["over"], row["grace_days"]) for row in listed.json["trials"]}
    assert rows == {"acme": (True, 10), "globex": (True, 21), "initech": (False, 10)}
    assert [
        ended["stack"] for ended in fleet.run("expire", "--dry-run", "--within", "0", "--json").json["trials"]
    ] == [
        "acme",
        "globex",
    ]
    assert "| initech | Initech | ends on" in fleet.run("expire", "--dry-run", "--markdown").stdout
    assert listed.requests == []
    assert fleet.run("expire", expect=2).requests == [], "no request without a selection"
    assert set(tenants(qlik).values()) == {"active"}

    skipped = fleet.run("up", "acme", "--yes", "--json").outcomes["acme"]
    assert (skipped.status, skipped.changes) == ("skipped", ())
    assert "tenantry expire" in skipped.remarks[0]

    expired = fleet.run("expire", "--yes", "--json")
    assert [call.rpartition("/")[2] for call in writes(expired.requests)] == ["deactivate", "deactivate"]
    assert tenants(qlik) == {
        "Acme": "disabled",
        "Globex": "disabled",
        "Initech": "active",
        "Umbrella": "active",
    }
    outcomes = expired.outcomes
    assert list(outcomes) == ["acme", "globex"]
    days = {
        name: (datetime.fromisoformat(outcome.purged_on).date() - datetime.now(UTC).date()).days
        for name, outcome in outcomes.items()
    }
    assert days["globex"] in (20, 21), "the grace period must come from the file, not from the state"
    assert days["acme"] in (9, 10)

    empty_run = fleet.run("expire", "--yes", "--json", "--reports", str(fleet.folder / "reports"))
    assert (empty_run.report.operation, empty_run.report.outcomes, empty_run.requests) == ("destroy", (), [])
    assert (fleet.folder / "reports" / "report.md").is_file()
    text_run = fleet.run("expire", "--yes")
    assert text_run.requests == []
    assert "Initech" in text_run.stdout
    assert "acme" not in text_run.stdout
    skipped = fleet.run("up", "acme", "--yes", "--json").outcomes["acme"]
    assert skipped.status == "skipped", "a deactivated trial must not be created again"
    row_of_acme = fleet.run("status", "acme", "--json").json["stacks"][0]
    assert (row_of_acme["revive"], row_of_acme["purged_on"]) == (
        outcomes["acme"].revive,
        outcomes["acme"].purged_on,
    )

    revived_customer = trial("Acme", FUTURE) | yaml.safe_load(outcomes["acme"].revive)
    fleet.write("acme", revived_customer)
    preview = fleet.run("preview", "acme", "--markdown").stdout
    assert (
        f"revives the tenant {row_of_acme['revive'].split()[2].rstrip(',')} with everything in it" in preview
    )
    revived = fleet.run("up", "acme", "--yes", "--json").outcomes["acme"]
    assert revived.status == "ok"
    assert tenants(qlik)["Acme"] == "active"
    assert len(tenants(qlik)) == 4


def test_a_trial_is_extended_and_made_permanent(fleet: Fleet, qlik: Emulator) -> None:
    """Both changes keep the tenant. They send no request that creates or deletes anything."""
    before = fleet.run("outputs", "--all").json
    fleet.write("acme", trial("Acme", "2998-12-31"))
    customer = trial("Globex", FUTURE) | {"lifecycle": {"kind": "production", "grace_days": 30}}
    fleet.write("globex", customer)
    result = fleet.run("up", "--all", "--yes", "--json")
    assert {name: outcome.counts for name, outcome in result.outcomes.items()} == {
        "acme": {"update": 2},
        "globex": {"update": 3},
        "initech": {},
        "umbrella": {},
    }
    assert writes(result.requests) == []
    assert fleet.run("outputs", "--all").json == before
    assert fleet.run("expire", "--yes", "--json", "--within", "400000").requests == []
    assert IS_PROTECTED in fleet.run("destroy", "globex", "--yes", expect=1).stdout


def test_a_trial_that_cannot_be_deactivated_is_tried_again(fleet: Fleet, qlik: Emulator) -> None:
    """The run reports the failure and deactivates the other trials. The next run tries again."""
    hostname = fleet.run("outputs", "acme").json["acme"]["hostname"]
    for name in ("acme", "globex"):
        fleet.write(name, trial(name.title(), PAST))
    tenant = World(qlik, hostname).tenant["id"]
    fault = qlik.control.add_fault(path=f"*/tenants/{tenant}/actions/deactivate", status=403)
    failed = fleet.run("expire", "--yes", "--json", expect=1)
    assert {name: outcome.status for name, outcome in failed.outcomes.items()} == {
        "acme": "failed",
        "globex": "ok",
    }
    qlik.control.release(fault)
    result = fleet.run("expire", "--yes", "--json")
    assert list(result.outcomes) == ["acme"]
    assert tenants(qlik)["Acme"] == "disabled"


def test_a_trial_is_deactivated_only_after_its_content_is_saved(fleet: Fleet, qlik: Emulator) -> None:
    """If some content cannot be saved, the tenant stays active. The next run saves it and deactivates it."""
    apps = {}
    for name in ("acme", "globex"):
        fleet.write(name, trial(name.title(), PAST))
        world = World(qlik, fleet.run("outputs", name).json[name]["hostname"])
        space = world.request("POST", "spaces", {"name": "Theirs", "type": "shared"})["id"]
        body = {"attributes": {"name": f"Plan of {name}", "spaceId": space}}
        apps[name] = world.request("POST", "apps", body)["attributes"]["id"]
    qlik.control.advance(60)
    fault = qlik.control.add_fault(path=f"*/apps/{apps['acme']}/export", status=500)

    arguments = ("expire", "--export", "saved", "--join-spaces", "--yes", "--json")
    first_run = fleet.run(*arguments, expect=1)
    assert {name: outcome.status for name, outcome in first_run.outcomes.items()} == {"globex": "ok"}
    assert "Not taken down, because not all of their content could be saved: acme" in first_run.stderr
    assert f'acme: not saved: app "Plan of acme" ({apps["acme"]})' in first_run.stderr
    statuses = tenants(qlik)
    assert (statuses["Acme"], statuses["Globex"]) == ("active", "disabled")
    index = json.loads((fleet.project / "saved" / "globex" / "index.json").read_text())
    assert index["complete"]
    (app,) = (file for file in index["files"] if file["kind"] == "app")
    assert app["id"] == apps["globex"]
    assert (fleet.project / "saved" / "globex" / app["path"]).stat().st_size == app["size"]

    qlik.control.release(fault)
    second_run = fleet.run(*arguments)
    assert list(second_run.outcomes) == ["acme"]
    assert tenants(qlik)["Acme"] == "disabled"
    paths = [
        call["path"] for call in second_run.requests if call["path"].endswith(("/export", "/deactivate"))
    ]
    assert [path.rpartition("/")[2] for path in paths] == ["export", "export", "deactivate"], (
        "the first export must be refused once"
    )

    refused = fleet.run("export-content", "acme", "--to", "saved", expect=1)
    assert "it has no tenant" in refused.stderr


def test_a_trial_can_release_its_entitlements(fleet: Fleet, qlik: Emulator) -> None:
    """The preview names the entitlements. The run releases them before it deactivates the tenant."""
    fleet.write("acme", trial("Acme", FUTURE, release_entitlements=True))
    assert fleet.run("up", "acme", "--yes", "--json").outcomes["acme"].counts == {"update": 1}
    world = World(qlik, fleet.run("outputs", "acme").json["acme"]["hostname"])
    world.request("POST", "users", {"subject": "acme|cleo", "status": "active"})
    item = {"subject": "acme|cleo", "type": "analyzer"}
    world.request("POST", "licenses/assignments/actions/add", {"add": [item]})

    fleet.env |= {"QLIK_ORG_CLIENT_ID": "demo-org", "QLIK_ORG_CLIENT_SECRET": "demo-org-secret"}
    destroyed = fleet.run("destroy", "acme", "--yes", "--json").outcomes["acme"]
    deactivation = next(change for change in destroyed.changes if change.kind == "TenantLifecycle")
    assert [difference.name for difference in deactivation.differences] == ["release_entitlements"]
    assert any("1 entitlement (analyzer of acme|cleo)" in remark for remark in destroyed.remarks)
    assert tenants(qlik)["Acme"] == "disabled"
    assert qlik.control.dump()["cloud"].get("entitlement", []) == []


def test_status_and_outputs_read_only_the_backend(fleet: Fleet, qlik: Emulator) -> None:
    """A portal's database and an operator get the data of all customers without a request to Qlik."""
    fleet.write("never", trial("Never", FUTURE))
    fleet.write("globex", trial("Globex", FUTURE) | {"plan": "nowhere"})
    status = fleet.run("status", "--all", "--json", QLIK_CLIENT_ID="", QLIK_CLIENT_SECRET="")
    assert status.requests == []
    rows = {row["stack"]: row for row in status.json["stacks"]}
    assert list(rows) == ["acme", "globex", "initech", "never", "umbrella"]
    acme = rows["acme"]
    assert (acme["operation"], acme["result"], acme["resources"], acme["unfinished"]) == (
        "update",
        "succeeded",
        5,
        0,
    )
    assert (acme["kind"], acme["ends_on"], acme["trouble"]) == ("trial", FUTURE, "")
    assert acme["hostname"].endswith(".eu.qlikcloud.com")
    assert (rows["never"]["result"], rows["never"]["hostname"]) == ("", "")
    assert (rows["globex"]["ends_on"], acme["problems"]) == (FUTURE, [])
    assert "customer.plan" in rows["globex"]["problems"][0]

    outputs = fleet.run("outputs", "--all")
    assert outputs.requests == []
    assert outputs.json["acme"]["hostname"] == acme["hostname"]
    assert "hostname" not in outputs.json["never"]
    table = [line.split(",") for line in fleet.run("outputs", "acme", "never", "--csv").stdout.splitlines()]
    assert table[0] == list(COLUMNS)
    group = outputs.json["acme"]["groups"]["Analysts"]
    row = next(dict(zip(COLUMNS, row, strict=True)) for row in table if row[6:8] == ["group", "Analysts"])
    assert (row["stack"], row["customer"], row["id"]) == ("acme", "Acme", group)
    assert {row[0] for row in table[1:]} == {"acme"}

    assert status.json["without_file"] == []
    fleet.file("umbrella").unlink()
    assert "without a stack file: umbrella" in fleet.run("status", "--all").stdout
    unreachable = fleet.run("status", "--all", expect=1, PULUMI_BACKEND_URL="file:///nowhere")
    assert unreachable.stdout.count("the backend's folder does not exist: /nowhere") == 4
    assert fleet.run("outputs", "--all", expect=1, PULUMI_BACKEND_URL="file:///nowhere").json == {}
