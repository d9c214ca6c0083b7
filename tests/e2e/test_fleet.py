"""Many customers with the real engine: rollouts in waves, rollbacks, errors and drift."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tenantry.emulator import Emulator
from tenantry.fleet.job import NEW_SALT_REMARK
from tenantry.fleet.outcome import Difference
from tests.e2e.customers import with_changes
from tests.e2e.fleet import Fleet
from tests.world import World, writes

PLAN: dict[str, Any] = {
    "lifecycle": {"kind": "production", "grace_days": 30},
    "spaces": {"Staging": {"type": "shared"}, "Sales": {"type": "managed"}},
    "apps": {
        "Sales Overview": {
            "template": "Sales Overview",
            "version": "2.3.0",
            "staging": "Staging",
            "publish_to": ["Sales"],
        }
    },
}
NEWER = with_changes(PLAN, ("apps/Sales Overview/version", "2.4.0"))
VERSION = (Difference("version", "2.3.0", "2.4.0"),)


@pytest.fixture
def fleet(scratch: Path, qlik: Emulator) -> Fleet:
    """A project without stacks."""
    return Fleet(scratch, qlik)


def exports(requests: list[dict[str, Any]]) -> int:
    """Count the exports of templates."""
    return sum("/export" in request["path"] for request in requests)


def test_a_version_is_rolled_out_and_rolled_back(fleet: Fleet, qlik: Emulator) -> None:
    """The rollout stops at a failure, skips a pinned stack and is resumed. Previews need no credentials."""
    fleet.write_plan("standard", PLAN)
    fleet.write("acme", {"name": "Acme", "plan": "standard", "ring": "pilot"})
    fleet.write("globex", {"name": "Globex", "plan": "standard", "ring": "early"})
    fleet.write("initech", {"name": "Initech", "plan": "standard"})
    fleet.commit()

    preview = fleet.run("preview", "--all", "--json", QLIK_CLIENT_ID="", QLIK_CLIENT_SECRET="")
    assert preview.requests == []
    assert {
        name: (outcome.new, outcome.counts) for name, outcome in preview.outcomes.items()
    } == dict.fromkeys(("acme", "globex", "initech"), (True, {"create": 8}))
    assert fleet.git("status", "--porcelain") == "", "a preview must change no file"

    created = fleet.run("up", "--all", "--yes", "--skip-preview", "--json")
    assert {
        name: (outcome.status, outcome.counts) for name, outcome in created.outcomes.items()
    } == dict.fromkeys(("acme", "globex", "initech"), ("ok", {"create": 8}))
    assert exports(created.requests) == 1, "one export must serve all customers"
    base = fleet.commit("with the salts that Pulumi wrote")
    second_run = fleet.run("up", "--all", "--yes", "--skip-preview", "--json")
    assert second_run.requests == []
    assert {outcome.same for outcome in second_run.report.outcomes} == {8}

    fleet.write(
        "initech", {"name": "Initech", "plan": "standard", "apps": {"Sales Overview": {"version": "2.3.0"}}}
    )
    fleet.write_plan("standard", NEWER)
    fleet.write("hooli", {"name": "Hooli", "plan": "standard"})
    preview = fleet.run(
        "preview", "--changed-since", base, "--json", QLIK_CLIENT_ID="", QLIK_CLIENT_SECRET=""
    )
    assert preview.requests == []
    by_stack = preview.outcomes
    assert by_stack["acme"].changes == by_stack["globex"].changes
    assert [(change.operation, change.resource) for change in by_stack["acme"].changes] == [
        ("replace", "App Sales Overview"),
        ("update", "AppPublication Sales Overview in Sales"),
    ]
    assert by_stack["acme"].changes[0].differences == VERSION
    assert by_stack["acme"].changes[0].because == ("version",)
    assert (by_stack["initech"].changes, by_stack["initech"].same) == ((), 8)
    assert (by_stack["hooli"].new, by_stack["hooli"].counts) == (True, {"create": 8})
    fleet.file("hooli").unlink()

    early = World(qlik, fleet.run("outputs", "globex").json["globex"]["hostname"])
    fault = qlik.control.add_fault(host=early.hostname, path="/api/v1/apps/import", status=403)
    stopped = fleet.run("up", "--all", "--yes", "--waves", "rings", "--json", expect=3)
    assert {name: outcome.status for name, outcome in stopped.outcomes.items()} == {
        "acme": "ok",
        "globex": "failed",
        "initech": "skipped",
    }
    assert exports(stopped.requests) == 1
    (trouble,) = stopped.outcomes["globex"].troubles
    assert (trouble.where, trouble.code) == ("App Sales Overview", "HTTP-403")
    assert "traceId" in trouble.text
    assert stopped.outcomes["initech"].remarks == ("pinned: Sales Overview 2.3.0 (plan: 2.4.0)",)
    assert stopped.report.stopped == "1 failed, none may fail"

    qlik.control.release(fault)
    resumed = fleet.run("up", "--all", "--yes", "--waves", "rings", "--resume", "--include-pinned", "--json")
    assert resumed.outcomes["acme"].remarks == ("done in an earlier run",)
    assert resumed.outcomes["globex"].status == "ok"
    assert (resumed.outcomes["initech"].status, resumed.outcomes["initech"].changes) == ("ok", ())
    assert exports(resumed.requests) == 0, "the exported template must come from the cache"
    assert early.apps["Sales", "Sales Overview"]["description"] == "{v2.4.0}"

    fleet.write_plan("standard", PLAN)
    rolled_back = fleet.run(
        "up", "--plan", "standard", "--yes", "--skip-preview", "--waves", "50%,100%", "--json"
    )
    assert {name: outcome.counts for name, outcome in rolled_back.outcomes.items()} == {
        "acme": {"replace": 1, "update": 1},
        "globex": {"replace": 1, "update": 1},
        "initech": {},
    }
    assert exports(rolled_back.requests) == 0
    assert early.apps["Sales", "Sales Overview"]["description"] == "{v2.3.0}"


SMALL = {
    "lifecycle": {"kind": "trial", "ends_on": "2999-12-31", "grace_days": 10},
    "groups": {"Analysts": {}},
}


def test_an_error_in_one_stack_does_not_stop_the_others(fleet: Fleet, qlik: Emulator) -> None:
    """The errors: a broken file, a wrong passphrase, a lock, an error from Qlik, and a protected customer."""
    for name in ("acme", "globex", "initech"):
        fleet.write(name, {"name": name.title(), **SMALL})
    fleet.write("broken", {"name": "Broken", "plan": "nowhere"})
    fleet.write("hooli", {"name": "Hooli", "lifecycle": {"kind": "production"}})
    qlik.control.add_fault(path="/api/v1/groups", method="POST", nth=2, status=400, body=ERROR_FROM_QLIK)
    created = fleet.run("up", "--all", "--yes", "--skip-preview", "--json", "--jobs", "1", expect=1)
    statuses = {name: outcome.status for name, outcome in created.outcomes.items()}
    assert statuses == {
        "acme": "ok",
        "broken": "failed",
        "globex": "failed",
        "hooli": "ok",
        "initech": "ok",
    }
    assert created.outcomes["broken"].troubles[0].where == "stacks/Pulumi.broken.yaml:6"
    (trouble,) = created.outcomes["globex"].troubles
    assert (trouble.code, trouble.trace_id, trouble.where) == ("GROUPS-7", "t-1", "Group Analysts")
    fleet.file("broken").unlink()
    qlik.control.clear_faults()

    wrong_passphrase = fleet.run("preview", "--all", expect=1, PULUMI_CONFIG_PASSPHRASE="another")
    assert "  acme, globex, hooli, initech: the passphrase is wrong" in wrong_passphrase.stdout
    unreachable = fleet.run(
        "preview", "acme", expect=1, PULUMI_BACKEND_URL="postgres://team:hunter2@127.0.0.1:1/x"
    )
    assert "the backend cannot be reached" in unreachable.stdout
    assert "hunter2" not in unreachable.stdout + unreachable.stderr
    lock = fleet.folder / "pulumi/state/.pulumi/locks/organization/tenantry/acme/someone.json"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text('{"pid": 1, "username": "ada", "hostname": "ci", "timestamp": "2026-01-01T00:00:00Z"}')
    fleet.write("initech", {"name": "Initech Ltd", **SMALL})
    locked = fleet.run("up", "--all", "--yes", "--json", expect=1)
    assert locked.outcomes["acme"].troubles[0].text == (
        "the stack has been locked by a run of ada@ci since 2026-01-01T00:00:00Z"
    )
    assert locked.outcomes["initech"].counts == {"update": 1}
    assert locked.outcomes["globex"].counts == {"create": 3}, (
        "the run must create what the failed run did not"
    )
    lock.unlink()

    project_file = fleet.project / "Pulumi.yaml"
    text = project_file.read_text()
    project_file.write_text(text.replace(">=3.254.0", ">=99.0.0"))
    assert "is too old" in fleet.run("preview", "acme", expect=1).stdout
    project_file.write_text(text)

    destroyed = fleet.run("destroy", "--all", "--yes", "--json", expect=1)
    assert {name: outcome.status for name, outcome in destroyed.outcomes.items()} == {
        "acme": "ok",
        "globex": "ok",
        "hooli": "failed",
        "initech": "ok",
    }
    assert "protect: false" in destroyed.outcomes["hooli"].troubles[0].advice
    assert destroyed.outcomes["acme"].revive.startswith("revive: {hostname: ")
    assert fleet.run("destroy", "acme", "--yes", "--json").outcomes["acme"].changes == ()


def test_a_stack_with_a_known_error_is_not_started(fleet: Fleet, qlik: Emulator) -> None:
    """Tenantry finds a protected resource, or an error at the end of the program, before any change."""
    shared = {"lifecycle": {"kind": "production"}, "groups": {"Analysts": {}}}
    archive = {"spaces": {"Archive": {"type": "managed", "access": {"Analysts": ["consumer"]}}}}
    fleet.write("acme", {"name": "Acme", **shared, **archive})
    fleet.run("up", "--all", "--yes", "--skip-preview")
    fleet.write("acme", {"name": "Acme", **shared, "groups": {"Analysts": {}, "Sellers": {}}})
    refused = fleet.run("up", "--all", "--yes", "--json", expect=1)
    assert writes(refused.requests) == []
    acme = refused.outcomes["acme"]
    assert (acme.changes, [trouble.where for trouble in acme.troubles]) == ((), ["Space Archive"])
    assert "put it back into the file" in acme.troubles[0].advice

    fleet.write("acme", {"name": "Acme", **shared, **archive, "protect": False})
    preview = fleet.run("preview", "--all", "--json", "--expect-no-changes", expect=7).outcomes["acme"]
    assert {change.resource: change.differences for change in preview.changes} == dict.fromkeys(
        ("Space Archive", "Tenant tenant", "TenantActivation activation", "TenantLifecycle lifecycle"),
        (Difference("protect", True, False),),
    )
    fleet.run("up", "--all", "--yes", "--skip-preview")
    fleet.run("preview", "--all", "--expect-no-changes")
    program = fleet.project / "__main__.py"
    text = program.read_text()
    program.unlink()
    program.write_text(f"{text}\nraise NameError('customers')\n")
    fleet.write("acme", {"name": "Acme", **shared, "protect": False})
    failed = fleet.run("up", "--all", "--yes", "--json", expect=1)
    assert writes(failed.requests) == []
    (trouble,) = failed.outcomes["acme"].troubles
    assert trouble.text == "the program failed: NameError: customers"
    assert trouble.where.startswith(f"{program}:")
    program.write_text(text)
    assert fleet.run("up", "--all", "--yes", "--json").outcomes["acme"].counts == {"delete": 2}


ERROR_FROM_QLIK = {"errors": [{"code": "GROUPS-7", "title": "Invalid name", "status": 400}], "traceId": "t-1"}


def test_invalid_arguments_do_nothing(fleet: Fleet) -> None:
    """The command prints one line and ends with exit code 2."""
    fleet.write("acme", {"name": "Acme", **SMALL})
    invalid = [
        ("up", "--yes"),
        ("up", "acmee", "--yes"),
        ("up", "--all", "--ring", "pilots", "--yes"),
        ("up", "--all", "--waves", "half", "--yes"),
        ("up", "--all", "--wave", "pilot", "--yes"),
        ("up", "--all"),
        ("preview", "--all", "--json", "--markdown"),
        ("preview", "--changed-since", "nowhere"),
        ("preview", "--all", "--shard", "3/2"),
        ("preview", "--all", "--tag", "gold"),
        ("preview", "--all", "--sample", "3"),
        ("preview", "--all", "--expect-no-drift"),
        ("diff", "--all"),
        ("outputs", "--all", "--csv", "--json"),
    ]
    for args in invalid:
        result = fleet.run(*args, expect=2)
        assert result.stdout == ""
        assert len(result.stderr.splitlines()) == 1, result
        assert "Traceback" not in result.stderr
    assert not (fleet.folder / "pulumi/state/.pulumi").exists()


def test_drift_is_reported_separately_from_changes(fleet: Fleet, qlik: Emulator) -> None:
    """Somebody changes a group at Qlik. `up --refresh` repairs it."""
    for name in ("acme", "globex"):
        fleet.write(name, {"name": name.title(), **SMALL})
    qlik.control.add_fault(method="POST", path="/oauth/token", status=503, times=1)
    created = fleet.run("up", "--all", "--yes", "--skip-preview", "--json").outcomes
    assert created["acme"].remarks == created["globex"].remarks == (NEW_SALT_REMARK,), (
        "the retry must cause no remark"
    )
    fleet.run("preview", "--all", "--refresh", "--expect-no-changes")
    world = World(qlik, fleet.run("outputs", "acme").json["acme"]["hostname"])
    group = next(group for group in world.every("group") if group["name"] == "Analysts")
    world.patch(f"groups/{group['id']}", assignedRoles=[{"name": "AuditAdmin"}])
    found = fleet.run("preview", "--all", "--refresh", "--expect-no-drift", "--json", expect=7).outcomes
    (drift,) = found["acme"].drift
    assert (drift.operation, drift.resource) == ("update", "Group Analysts")
    assert drift.differences == (Difference("roles", [], ["AuditAdmin"]),)
    assert found["acme"].changes[0].differences == (Difference("roles", ["AuditAdmin"], []),)
    assert (found["globex"].drift, found["globex"].changes) == ((), ())
    refreshed = fleet.run("refresh", "--all", "--yes", "--json").outcomes["acme"]
    assert ([change.resource for change in refreshed.drift], refreshed.changes) == (["Group Analysts"], ())
    warm, cold = (
        [
            replace(outcome, seconds=0)
            for outcome in fleet.run("preview", "--all", "--json", TENANTRY_COLD=off).report.outcomes
        ]
        for off in ("", "1")
    )
    assert warm == cold != []
    fleet.run("up", "--all", "--refresh", "--yes")
    fleet.run("preview", "--all", "--refresh", "--expect-no-changes")
