"""Reading the event log of the engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tenantry.fleet.events import LoggedError, StepsInFlight, read, references, short_name
from tenantry.fleet.outcome import Change, Difference, Outcome
from tenantry.fleet.report.lines import new_customer
from tenantry.providers.framework import facts

COMPONENT = "urn:pulumi:acme::tenantry::qlik:index:QlikCustomerTenant"


def urn(kind: str, name: str) -> str:
    return f"{COMPONENT}$pulumi-python:dynamic/qlik:{kind}::{name}"


def step(op: str, kind: str, name: str, **metadata: Any) -> dict[str, Any]:
    return {"resOutputsEvent": {"metadata": {"op": op, "urn": urn(kind, name), **metadata}}}


def message(severity: str, text: str, **fields: Any) -> dict[str, Any]:
    return {"diagnosticEvent": {"severity": severity, "message": text, **fields}}


@pytest.fixture
def log(tmp_path: Path) -> Any:
    """Return a function that writes events into a log and reads it."""

    def write_and_read(*events: Any, end: str = "") -> Any:
        file = tmp_path / "events.json"
        lines = (json.dumps(event, separators=(",", ":")) for event in events)
        file.write_text("\n".join(lines) + "\n" + end)
        return read(file)

    return write_and_read


def inputs(**values: Any) -> dict[str, Any]:
    return {"inputs": {"__provider": "x", **values}}


def test_steps_count_once_and_engine_resources_do_not_count(log: Any) -> None:
    component = {"resOutputsEvent": {"metadata": {"op": "create", "urn": f"{COMPONENT}::acme"}}}
    stack = "urn:pulumi:acme::tenantry::pulumi:pulumi:Stack::tenantry-acme"
    found = log(
        component,
        {"resOutputsEvent": {"metadata": {"op": "create", "urn": stack}}},
        {"resourcePreEvent": {"metadata": {"op": "create", "urn": urn("Space", "Sales")}}},
        step("create", "Space", "Sales"),
        step("same", "Group", "Analysts"),
        step("create-replacement", "App", "Sales"),
        step(
            "replace",
            "App",
            "Sales",
            keys=["version"],
            diffs=["version"],
            old=inputs(version="1"),
            new=inputs(version="2"),
        ),
        step("delete-replaced", "App", "Sales"),
        step("delete", "Group", "Old", old=inputs(name="Old")),
        {"summaryEvent": {"result": "succeeded"}},
    )
    assert found.changes == [
        Change("create", "Space", "Sales"),
        Change("replace", "App", "Sales", (Difference("version", "1", "2"),), ("version",)),
        Change("delete", "Group", "Old"),
    ]
    assert (found.same, found.done, found.errors, found.drift) == (1, True, [], [])


@pytest.mark.parametrize("release", [None, True])
def test_a_destroy_shows_whether_it_releases_entitlements(log: Any, release: bool | None) -> None:
    values = {"release_entitlements": release} if release else {}
    found = log(step("delete", "TenantLifecycle", "lifecycle", old=inputs(grace_days=10, **values)))
    differences = (Difference("release_entitlements", True, None),) if release else ()
    assert found.changes == [Change("delete", "TenantLifecycle", "lifecycle", differences)]


def test_a_property_has_one_difference_whatever_is_nested_in_it(log: Any) -> None:
    paths: dict[str, Any] = {"roles[0]": {}, "roles[1]": {}, 'revive["a.b"].c': {}, '["odd.name"]': {}}
    old = inputs(roles=["A", "B"], revive={"a.b": 1}, **{"odd.name": 1})
    new = inputs(roles=["C"], revive={"a.b": 2}, **{"odd.name": 2})
    (change,) = log(step("update", "Group", "One", detailedDiff=paths, old=old, new=new)).changes
    assert [difference.name for difference in change.differences] == ["roles", "revive", "odd.name"]
    assert change.differences[0] == Difference("roles", ["A", "B"], ["C"])


def test_ids_are_left_out(log: Any) -> None:
    assert "source_app" in references("AppPublication")
    old, new = inputs(source_app="a1", description="x"), inputs(source_app="a2", description="y")
    event = step(
        "update", "AppPublication", "Sales in Sales", diffs=["source_app", "description"], old=old, new=new
    )
    (change,) = log(event).changes
    assert change.differences == (Difference("source_app"), Difference("description", "x", "y"))


def test_unknown_values_are_not_shown_as_placeholders(log: Any) -> None:
    new = inputs(name="04da6b54-80e4-46f7-96ec-b56ff0331ba9")
    (change,) = log(step("update", "Group", "One", diffs=["name"], old=inputs(name="a"), new=new)).changes
    assert change.differences == (Difference("name", "a", None),)


def test_differences_of_a_refresh_are_drift(log: Any) -> None:
    found = log(
        step("refresh", "Group", "Same", old=inputs(roles=[]), new=inputs(roles=[])),
        step("refresh", "Group", "Changed", old=inputs(roles=["A"]), new=inputs(roles=["B"])),
        step("refresh", "Group", "Gone", old=inputs(roles=["A"]), new=None),
    )
    assert found.drift == [
        Change("update", "Group", "Changed", (Difference("roles", ["A"], ["B"]),)),
        Change("delete", "Group", "Gone"),
    ]
    assert found.changes == []


def test_messages_are_read_as_errors_and_remarks(log: Any) -> None:
    found = log(
        message("debug", "registering"),
        message("error", "no\n", urn=urn("Space", "Sales")),
        message("error", "update failed"),
        message("info", "tenant is gone;\n\n"),
        message("info", "  revive: x\n"),
        message("info#err", "progress", ephemeral=True),
    )
    assert found.errors == [LoggedError("no", "Space Sales"), LoggedError("update failed", "")]
    assert found.remarks == ["tenant is gone;", "revive: x"]


@pytest.mark.parametrize("purge_on", ["2026-12-24", ""])
def test_the_lines_of_a_fact_are_not_remarks(log: Any, purge_on: str) -> None:
    """The report already shows the fact."""
    fact = facts.TenantDeactivated("x.eu.qlikcloud.com", "t", purge_on)
    lines = f"{facts.deactivated_message('x.eu.qlikcloud.com', 't', purge_on)}\n{facts.line(fact)}"
    found = log(
        *(message("info", f"{line}\n") for line in lines.splitlines()), message("info", "something else")
    )
    assert (found.facts, found.remarks) == ([fact], ["something else"])


def test_an_incomplete_or_missing_log_is_read(log: Any, tmp_path: Path) -> None:
    found = log(step("create", "Space", "Sales"), end='{"resOutputsEvent": {"meta')
    assert ([change.name for change in found.changes], found.done) == (["Sales"], False)
    assert read(tmp_path / "none.json").changes == []


def line(event: str, op: str, kind: str, resource: str, **fields: Any) -> str:
    """Return the log line of an event about a step."""
    return json.dumps({event: {"metadata": {"op": op, "urn": urn(kind, resource)}, **fields}})


def test_the_progress_of_a_run_is_shown_as_text() -> None:
    """It names the oldest running step and counts the others. Finished and unchanged steps do not count."""
    assert StepsInFlight("previewing").text == "previewing", "a preview has no other phase"
    steps = StepsInFlight("updating")
    assert steps.text == "starting"
    steps.take([line("resourcePreEvent", "create", "Space", "Sales", planning=True), "half a {line", "{}"])
    assert steps.text == "previewing"
    steps.take([line("resOutputsEvent", "create", "Space", "Sales", planning=True)])
    assert steps.text == "previewing, 1 resource"
    component = {"resourcePreEvent": {"metadata": {"op": "create", "urn": f"{COMPONENT}::acme"}}}
    steps.take([json.dumps(component), line("resourcePreEvent", "same", "Group", "Everyone")])
    assert steps.text == "updating"
    steps.take([line("resourcePreEvent", "create-replacement", "App", "Sales Overview")])
    steps.take([line("resourcePreEvent", "update", "Group", "Analysts")])
    steps.take([line("resourcePreEvent", "delete-replaced", "Group", "Old")])
    assert steps.text == "updating: create App Sales Overview (+2)"
    steps.take([line("resOutputsEvent", "create-replacement", "App", "Sales Overview")])
    steps.take([line("resOpFailedEvent", "update", "Group", "Analysts")])
    assert steps.text == "updating, 2 resources: delete Group Old"
    steps.take([line("resOutputsEvent", "delete-replaced", "Group", "Old")])
    assert steps.text == "updating, 3 resources"
    assert short_name("") == ""


def test_a_change_of_protection_is_a_change(log: Any) -> None:
    protected: dict[str, Any] = {"protect": True, "inputs": {}}
    unprotected: dict[str, Any] = {"inputs": {}}
    found = log(
        step("same", "Tenant", "tenant", old=protected, new=unprotected),
        step("same", "Space", "Sales", old=protected, new=protected),
        step(
            "update", "Group", "One", old=protected | inputs(name="A"), new=inputs(name="B"), diffs=["name"]
        ),
        step("same", "Space", "Stock", old=unprotected, new=protected),
        step("delete", "Group", "Two", old=protected),
    )
    removed, added = Difference("protect", True, False), Difference("protect", False, True)
    assert found.changes == [
        Change("update", "Tenant", "tenant", (removed,)),
        Change("update", "Group", "One", (removed, Difference("name", "A", "B"))),
        Change("update", "Space", "Stock", (added,)),
        Change("delete", "Group", "Two"),
    ]
    assert found.same == 1


def test_progress_messages_are_not_remarks(log: Any) -> None:
    """They differ for each stack, and are useless after the run."""
    fact = facts.Progress('waiting for published app "Sales" to be ready (15 of at most 180 s)')
    remark = "tenant a.eu.qlikcloud.com was created by an earlier run with this proof"
    assert log(message("info#out", facts.line(fact)), message("info#out", remark)).remarks == [remark]


def test_a_revived_tenant_is_not_created(log: Any) -> None:
    revive = {"hostname": "x.eu.qlikcloud.com", "tenant_id": "t"}
    (change,) = log(step("create", "Tenant", "tenant", new=inputs(name="A", revive=revive))).changes
    assert change == Change("create", "Tenant", "tenant", (Difference("revive", None, "x.eu.qlikcloud.com"),))
    text = new_customer(Outcome("acme", "preview", "ok", plan="gold", changes=(change,)), 1)
    assert text == "revives the tenant x.eu.qlikcloud.com with everything in it, plan gold"
    (change,) = log(step("create", "Tenant", "tenant", new=inputs(name="A", proof={"id": "p"}))).changes
    assert change == Change("create", "Tenant", "tenant")


def test_a_run_that_ended_in_its_preview_is_planned(log: Any) -> None:
    planned = step("create", "Group", "One")
    planned["resOutputsEvent"]["planning"] = True
    assert log(planned).planned
    assert not log(step("create", "Group", "One")).planned


def test_the_rest_of_an_unfinished_replacement_is_deleted(log: Any) -> None:
    """An earlier run created the new resource, but failed to delete the old one.

    The log of the engine does not mention this.
    """
    found = log(
        step("same", "App", "Sales"),
        step("delete-replaced", "App", "Sales"),
        step("create-replacement", "User", "ada"),
        step("replace", "User", "ada", keys=["subject"]),
        step("delete-replaced", "User", "ada"),
    )
    assert found.changes == [
        Change("replace", "User", "ada", (), ("subject",)),
        Change("delete", "App", "Sales", (), ("an unfinished replacement",)),
    ]
