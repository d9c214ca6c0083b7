"""Automations: definitions are files, what Qlik adds to one is not drift, and only owners can read them."""

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
    Ask,
    Case,
    Drift,
    InPlace,
    Inputs,
    MakeDriver,
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


def file(tenancy: Tenancy, text: str = "red") -> Path:
    """The definition of the tenancy's automation, as it is now."""
    path = Path(scratch().name, f"{tenancy.hostname}.json")
    path.write_text(json.dumps({"blocks": [{"x": 1.0, "value": text}], "owner": "{{CUSTOMER}}"}))
    return path


def workspace(text: str = "red") -> Doc:
    """Return the properties from that file."""
    return {"blocks": [{"x": 1, "value": text}], "owner": "Globex"}


def digest(text: str = "red") -> str:
    return automation_definitions.digest(workspace(text))


def written(tenancy: Tenancy, text: str) -> str:
    """Write another definition and return its digest."""
    file(tenancy, text)
    return digest(text)


def given(tenancy: Tenancy) -> Inputs:
    return {
        "tenant": tenancy.hostname,
        "space": tenancy.space("Staging"),
        "name": "Nightly",
        "description": "Mails the reports",
        "digest": digest(),
        "path": str(file(tenancy)),
        "values": {"CUSTOMER": "Globex"},
        "schedules": [SCHEDULE],
        "max_concurrent_runs": 2,
        "enabled": False,
    }


def held(tenancy: Tenancy) -> dict[str, Doc]:
    return {each["id"]: each for each in tenancy.world.every("automation")}


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    found = held(tenancy).get(id)
    names = {"start_at": "startAt", "stop_at": "stopAt", "interval": "interval", "timezone": "timezone"}
    return found and {
        "space": found["spaceId"],
        "name": found["name"],
        "description": found["description"],
        "digest": automation_definitions.digest(found["workspace"]),
        "schedules": [
            {name: each[key] for name, key in names.items() if key in each} for each in found["schedules"]
        ],
        "max_concurrent_runs": found["maxConcurrentRuns"],
        "enabled": found["state"] == "available",
    }


def by_hand(name: str, value: Any, live: Any) -> Drift:
    def do(tenancy: Tenancy, id: str) -> None:
        names = ("name", "description", "workspace", "schedules", "maxConcurrentRuns")
        body = {key: each for key, each in held(tenancy)[id].items() if key in names}
        body["schedules"] = [
            {key: part for key, part in each.items() if key != "id"} for each in body["schedules"]
        ]
        tenancy.as_bot("PUT", f"{PATH}/{id}", {**body, name: value})

    return Drift(do, live)


def existing(tenancy: Tenancy, inputs: Inputs, ask: Ask) -> str:
    ask("POST", PATH, {"name": inputs["name"].upper(), "workspace": {}})
    body = {"name": inputs["name"], "workspace": workspace("blue"), "description": inputs["description"]}
    return str(ask("POST", PATH, body)["id"])


CASE = Case(
    "automation",
    given,
    remote,
    creates=(f"GET {PATH}", f"POST {PATH}", f"POST {PATH}/{{id}}/actions/disable", GET),
    deletes=(f"DELETE {PATH}/{{id}}",),
    changes={
        "space": InPlace(lambda t: t.space("Other"), (f"POST {PATH}/{{id}}/actions/change-space", GET)),
        "name": InPlace("Daily", PUT),
        "description": InPlace("", PUT),
        "digest": InPlace(lambda t: written(t, "green"), PUT),
        "schedules": InPlace([SCHEDULE, OTHER_SCHEDULE], PUT),
        "max_concurrent_runs": InPlace(3, PUT),
        "enabled": InPlace(True, (f"POST {PATH}/{{id}}/actions/enable", GET)),
    },
    drifts={
        "space": Drift(
            lambda t, id: t.as_bot("POST", f"{PATH}/{id}/actions/change-space", {"spaceId": ""}), ""
        ),
        "name": by_hand("name", "Mine", "Mine"),
        "description": by_hand("description", "Mine", "Mine"),
        "digest": by_hand("workspace", workspace("blue"), digest("blue")),
        "schedules": by_hand("schedules", [], []),
        "max_concurrent_runs": by_hand("maxConcurrentRuns", 5, 5),
        "enabled": Drift(lambda t, id: t.as_bot("POST", f"{PATH}/{id}/actions/enable"), True),
    },
    gone=lambda t, id: t.world.request("DELETE", f"{PATH}/{id}"),
    existing=existing,
    corrected=frozenset({"space", "digest", "schedules", "max_concurrent_runs", "enabled"}),
)


def test_what_qlik_adds_to_a_definition_is_no_drift(
    driver: MakeDriver, tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Qlik can return more than it got, and lists in another order. A change by somebody is drift."""
    write = automations._write

    def larger(call: Any, doc: Doc, now: str, body: Any = None) -> Doc:
        body = dict(call.body if body is None else body)
        body["workspace"] = {**body["workspace"], "version": 2}
        body["schedules"] = body["schedules"][::-1]
        return write(call, doc, now, body)

    monkeypatch.setattr(automations, "_write", larger)
    made = driver("automation").create(given(tenancy) | {"schedules": [OTHER_SCHEDULE, SCHEDULE]})
    assert made.state["stored_digest"] != made.state["digest"] == digest()
    assert made.drift() == {}
    made.update(made.inputs | {"description": "Other"})
    assert made.drift() == {}
    by_hand("workspace", workspace("blue"), None).do(tenancy, made.id)
    live = automation_definitions.digest(workspace("blue") | {"version": 2})
    assert made.drift() == {"digest": live}
    made.update(made.inputs)
    assert made.drift() == {}


def test_nothing_of_the_definition_is_in_the_state(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Nor is the token that starts a run, which Qlik returns."""
    made = driver("automation").create(given(tenancy))
    text = json.dumps([made.state, made.inputs])
    assert not [word for word in ('"red"', "Globex", "blocks", "path", "xecution") if word in text]


def test_a_file_that_changes_during_a_run_is_not_sent(driver: MakeDriver, tenancy: Tenancy) -> None:
    inputs = given(tenancy)
    file(tenancy, "black")
    with pytest.raises(Failure, match="has changed since the run began"):
        driver("automation").create(inputs)
    assert held(tenancy) == {}


def test_one_that_another_user_owns_now(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Qlik shows it to nobody but the owner: the error says so, and nothing leaves the state."""
    made = driver("automation").create(given(tenancy))
    tenancy.world.request("POST", f"{PATH}/{made.id}/actions/change-owner", {"userId": tenancy.user("Ada")})
    with pytest.raises(Failure, match="Only the owner can read and change") as caught:
        made.drift()
    assert made.id in str(caught.value)


def test_one_that_could_not_be_disabled_is_finished_by_the_next_run(
    driver: MakeDriver, tenancy: Tenancy
) -> None:
    tenancy.qlik.control.add_fault(method="POST", path="*/actions/disable", status=400, times=1)
    with pytest.raises(Failure, match="The object exists"):
        driver("automation").create(given(tenancy))
    made = driver("automation").create(given(tenancy))
    assert held(tenancy).keys() == {made.id}
    assert made.drift() == {}


@pytest.mark.parametrize("effect", ["drop_after", "truncate"])
def test_a_lost_answer_makes_no_second_one(driver: MakeDriver, tenancy: Tenancy, effect: str) -> None:
    tenancy.qlik.control.add_fault(method="POST", path=PATH, **{effect: True}, times=1)
    made = driver("automation").create(given(tenancy))
    assert held(tenancy).keys() == {made.id}
    assert made.drift() == {}


def test_several_of_the_name(driver: MakeDriver, tenancy: Tenancy) -> None:
    body = {"name": "Nightly", "workspace": {}}
    theirs = [tenancy.world.request("POST", PATH, body)["id"] for _ in range(2)]
    with pytest.raises(Failure, match="several times") as caught:
        driver("automation").create(given(tenancy))
    assert all(id in str(caught.value) for id in theirs)
    ours = tenancy.as_bot("POST", PATH, body)["id"]
    assert driver("automation").create(given(tenancy)).id == ours


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
def test_what_is_no_schedule(driver: MakeDriver, tenancy: Tenancy, schedule: Doc, message: str) -> None:
    with pytest.raises(AssertionError, match=f"^schedules: .*{message}"):
        driver("automation").check({**given(tenancy), "schedules": [schedule]})
