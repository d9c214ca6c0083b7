"""Automations: definitions are files, additions of Qlik are not drift, and only owners can read them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tenantry.emulator.apis import automations
from tenantry.providers.framework.engine import Failure
from tenantry.providers.values import automation_definitions
from tests.archives import FOLDER, scratch
from tests.providers.resource_driver import (
    Case,
    Drift,
    InPlace,
    Inputs,
    MakeDriver,
    SendRequest,
    Tenancy,
)
from tests.world import Doc

PATH = "/api/workflows/automations"
FILE = FOLDER / "automation.json"
GET = f"GET {PATH}/{{id}}"
PUT = (f"PUT {PATH}/{{id}}", GET)
SCHEDULE = {"start_at": "2026-01-01 06:00:00", "interval": 86400, "timezone": "Europe/Berlin"}
OTHER_SCHEDULE = {"start_at": "2026-02-01 18:30:00", "stop_at": "2026-12-31 00:00:00", "timezone": "UTC"}
SAMPLE = {
    "tenant": "x1y2z3.eu.qlikcloud.com",
    "space": "s1",
    "name": "Nightly",
    "description": "Mails the reports",
    "digest": "0123456789abcdef" * 4,
    "schedules": [SCHEDULE, OTHER_SCHEDULE],
    "max_concurrent_runs": 2,
    "enabled": False,
    "adopt": True,
}
EXAMPLE = {
    "Nightly": {
        "path": str(FILE),
        "space": "Staging",
        "values": {"CUSTOMER": "Globex"},
        "schedules": [SCHEDULE],
        "enabled": False,
    }
}


def write_definition(tenancy: Tenancy, text: str = "red") -> Path:
    """Write the definition of the tenancy's automation and return the path of the file."""
    path = Path(scratch().name, f"{tenancy.hostname}.json")
    path.write_text(json.dumps({"blocks": [{"x": 1.0, "value": text}], "owner": "{{CUSTOMER}}"}))
    return path


def workspace(text: str = "red") -> Doc:
    """Return the workspace that the file of `write_definition` describes."""
    return {"blocks": [{"x": 1, "value": text}], "owner": "Globex"}


def digest(text: str = "red") -> str:
    return automation_definitions.digest(workspace(text))


def write_and_digest(tenancy: Tenancy, text: str) -> str:
    """Write another definition and return its digest."""
    write_definition(tenancy, text)
    return digest(text)


def inputs_for(tenancy: Tenancy) -> Inputs:
    return {
        "tenant": tenancy.hostname,
        "space": tenancy.space("Staging"),
        "name": "Nightly",
        "description": "Mails the reports",
        "digest": digest(),
        "path": str(write_definition(tenancy)),
        "values": {"CUSTOMER": "Globex"},
        "schedules": [SCHEDULE],
        "max_concurrent_runs": 2,
        "enabled": False,
    }


def automations_by_id(tenancy: Tenancy) -> dict[str, Doc]:
    return {automation["id"]: automation for automation in tenancy.world.every("automation")}


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    found = automations_by_id(tenancy).get(id)
    keys = {"start_at": "startAt", "stop_at": "stopAt", "interval": "interval", "timezone": "timezone"}
    return found and {
        "space": found["spaceId"],
        "name": found["name"],
        "description": found["description"],
        "digest": automation_definitions.digest(found["workspace"]),
        "schedules": [
            {name: schedule[key] for name, key in keys.items() if key in schedule}
            for schedule in found["schedules"]
        ],
        "max_concurrent_runs": found["maxConcurrentRuns"],
        "enabled": found["state"] == "available",
    }


def changed_by_hand(name: str, value: Any, live: Any) -> Drift:
    def do(tenancy: Tenancy, id: str) -> None:
        names = ("name", "description", "workspace", "schedules", "maxConcurrentRuns")
        body = {key: value for key, value in automations_by_id(tenancy)[id].items() if key in names}
        body["schedules"] = [
            {key: value for key, value in schedule.items() if key != "id"} for schedule in body["schedules"]
        ]
        tenancy.as_bot("PUT", f"{PATH}/{id}", {**body, name: value})

    return Drift(do, live)


def create_existing(tenancy: Tenancy, inputs: Inputs, send: SendRequest) -> str:
    send("POST", PATH, {"name": inputs["name"].upper(), "workspace": {}})
    body = {"name": inputs["name"], "workspace": workspace("blue"), "description": inputs["description"]}
    return str(send("POST", PATH, body)["id"])


CASE = Case(
    "automation",
    inputs_for,
    remote,
    creates=(f"GET {PATH}", f"POST {PATH}", f"POST {PATH}/{{id}}/actions/disable", GET),
    deletes=(f"DELETE {PATH}/{{id}}",),
    changes={
        "space": InPlace(lambda t: t.space("Other"), (f"POST {PATH}/{{id}}/actions/change-space", GET)),
        "name": InPlace("Daily", PUT),
        "description": InPlace("", PUT),
        "digest": InPlace(lambda t: write_and_digest(t, "green"), PUT),
        "schedules": InPlace([SCHEDULE, OTHER_SCHEDULE], PUT),
        "max_concurrent_runs": InPlace(3, PUT),
        "enabled": InPlace(True, (f"POST {PATH}/{{id}}/actions/enable", GET)),
    },
    drifts={
        "space": Drift(
            lambda t, id: t.as_bot("POST", f"{PATH}/{id}/actions/change-space", {"spaceId": ""}), ""
        ),
        "name": changed_by_hand("name", "Mine", "Mine"),
        "description": changed_by_hand("description", "Mine", "Mine"),
        "digest": changed_by_hand("workspace", workspace("blue"), digest("blue")),
        "schedules": changed_by_hand("schedules", [], []),
        "max_concurrent_runs": changed_by_hand("maxConcurrentRuns", 5, 5),
        "enabled": Drift(lambda t, id: t.as_bot("POST", f"{PATH}/{id}/actions/enable"), True),
    },
    remove=lambda t, id: t.world.request("DELETE", f"{PATH}/{id}"),
    create_existing=create_existing,
    corrected=frozenset({"space", "digest", "schedules", "max_concurrent_runs", "enabled"}),
)


def test_additions_of_qlik_to_a_definition_are_no_drift(
    driver: MakeDriver, tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Qlik can add keys to a definition and return lists in another order. A change by somebody is drift."""
    write = automations._write

    def write_with_additions(call: Any, doc: Doc, now: str, body: Any = None) -> Doc:
        body = dict(call.body if body is None else body)
        body["workspace"] = {**body["workspace"], "version": 2}
        body["schedules"] = body["schedules"][::-1]
        return write(call, doc, now, body)

    monkeypatch.setattr(automations, "_write", write_with_additions)
    automation = driver("automation").create(inputs_for(tenancy) | {"schedules": [OTHER_SCHEDULE, SCHEDULE]})
    assert automation.state["stored_digest"] != automation.state["digest"] == digest()
    assert automation.drift() == {}
    automation.update(automation.inputs | {"description": "Other"})
    assert automation.drift() == {}
    changed_by_hand("workspace", workspace("blue"), None).do(tenancy, automation.id)
    live = automation_definitions.digest(workspace("blue") | {"version": 2})
    assert automation.drift() == {"digest": live}
    automation.update(automation.inputs)
    assert automation.drift() == {}


def test_the_state_contains_neither_the_definition_nor_the_token(
    driver: MakeDriver, tenancy: Tenancy
) -> None:
    """Qlik returns the token that starts a run."""
    automation = driver("automation").create(inputs_for(tenancy))
    text = json.dumps([automation.state, automation.inputs]).lower()
    assert not [word for word in ('"red"', "globex", "blocks", "path", "executiontoken") if word in text]


def test_a_file_that_changes_during_a_run_is_not_sent(driver: MakeDriver, tenancy: Tenancy) -> None:
    inputs = inputs_for(tenancy)
    write_definition(tenancy, "black")
    with pytest.raises(Failure, match="has changed since the run began"):
        driver("automation").create(inputs)
    assert automations_by_id(tenancy) == {}


def test_an_automation_that_another_user_owns_cannot_be_read(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Qlik shows an automation only to its owner. The error says this, and the state keeps the automation."""
    automation = driver("automation").create(inputs_for(tenancy))
    tenancy.world.request(
        "POST", f"{PATH}/{automation.id}/actions/change-owner", {"userId": tenancy.user("Ada")}
    )
    with pytest.raises(Failure, match="Only the owner can read and change") as caught:
        automation.drift()
    assert automation.id in str(caught.value)


def test_the_next_run_disables_an_automation_that_a_failed_run_left_enabled(
    driver: MakeDriver, tenancy: Tenancy
) -> None:
    tenancy.qlik.control.add_fault(method="POST", path="*/actions/disable", status=400, times=1)
    with pytest.raises(Failure, match="The object exists"):
        driver("automation").create(inputs_for(tenancy))
    automation = driver("automation").create(inputs_for(tenancy))
    assert automations_by_id(tenancy).keys() == {automation.id}
    assert automation.drift() == {}


@pytest.mark.parametrize("effect", ["drop_after", "truncate"])
def test_a_lost_response_creates_no_second_automation(
    driver: MakeDriver, tenancy: Tenancy, effect: str
) -> None:
    tenancy.qlik.control.add_fault(method="POST", path=PATH, **{effect: True}, times=1)
    automation = driver("automation").create(inputs_for(tenancy))
    assert automations_by_id(tenancy).keys() == {automation.id}
    assert automation.drift() == {}


def test_several_automations_with_one_name_are_an_error_unless_one_is_ours(
    driver: MakeDriver, tenancy: Tenancy
) -> None:
    body = {"name": "Nightly", "workspace": {}}
    theirs = [tenancy.world.request("POST", PATH, body)["id"] for _ in range(2)]
    with pytest.raises(Failure, match="several times") as caught:
        driver("automation").create(inputs_for(tenancy))
    assert all(id in str(caught.value) for id in theirs)
    ours = tenancy.as_bot("POST", PATH, body)["id"]
    assert driver("automation").create(inputs_for(tenancy)).id == ours


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        ({"start": "2026-01-01 06:00:00"}, "is not a key of a schedule"),
        ({"start_at": "2026-01-01T06:00:00Z"}, "is not a time"),
        ({"start_at": "2026-13-01 06:00:00"}, "is not a time"),
        ({"interval": 90}, "whole minutes"),
        ({"interval": 0}, "whole minutes"),
        ({"interval": True}, "cannot be True"),
        ({"timezone": "Mars/Base"}, "not a known time zone"),
    ],
)
def test_an_invalid_schedule_is_refused(
    driver: MakeDriver, tenancy: Tenancy, schedule: Doc, message: str
) -> None:
    with pytest.raises(AssertionError, match=f"^schedules: .*{message}"):
        driver("automation").check({**inputs_for(tenancy), "schedules": [schedule]})
