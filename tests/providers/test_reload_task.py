"""Scheduled reloads of published apps."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.providers.framework.engine import Failure
from tenantry.providers.reload_task import HANDLER
from tenantry.providers.values import schedules
from tests.providers.resource_driver import Case, Drift, InPlace, Inputs, MakeDriver, Tenancy

PATH = "/api/scheduling/tasks"
ACTIONS = f"{PATH}/resources/{{app}}/actions/reload"
PATCH = (f"PATCH {PATH}/{{id}}",)
UUID = "11111111-2222-3333-4444-555555555555"
SAMPLE = {
    "tenant": "x1y2z3.eu.qlikcloud.com",
    "app": UUID,
    "name": "Nightly",
    "description": "Figures of yesterday",
    "enabled": False,
    "recurrence": "FREQ=DAILY;BYHOUR=6;BYMINUTE=0",
    "time_zone": "Europe/Berlin",
    "starts_at": "2026-01-01T00:00:00",
    "ends_at": "2999-12-31T00:00:00",
    "after_status": "any",
    "adopt": True,
}
EXAMPLE = {
    "Nightly": {
        "app": "Sales Overview",
        "recurrence": "FREQ=DAILY;BYHOUR=6;BYMINUTE=0",
        "time_zone": "Europe/Berlin",
    },
    "Afterwards": {"app": "Sales Overview", "after": "Nightly"},
}


def published(tenancy: Tenancy, space: str = "Sales") -> str:
    """Return the id of an app that our bot published, now or before."""
    place = tenancy.space(space, "managed")
    source = tenancy.app("Source", "Staging")
    there = tenancy.world.apps.get((place, "Source")) or tenancy.world.apps.get((space, "Source"))
    body = {"spaceId": place, "attributes": {"name": "Source"}}
    path = f"/api/v1/apps/{source}/publish"
    return str(there["id"] if there else tenancy.bot.post(path, body)["attributes"]["id"])


def inputs_for(tenancy: Tenancy) -> Inputs:
    return {
        "tenant": tenancy.hostname,
        "app": published(tenancy),
        "name": "Nightly",
        "description": "Figures of yesterday",
        "enabled": True,
        "recurrence": "FREQ=DAILY;BYHOUR=6;BYMINUTE=0",
        "time_zone": "Europe/Berlin",
        "starts_at": "2026-01-01T00:00:00",
        "ends_at": "2999-12-31T00:00:00",
    }


def chained(tenancy: Tenancy, after: str, **changes: Any) -> Inputs:
    """A task that waits for another one."""
    return {
        "tenant": tenancy.hostname,
        "app": published(tenancy),
        "name": "Afterwards",
        "after_task": after,
        **changes,
    }


def held(tenancy: Tenancy) -> dict[str, Any]:
    return {task["id"]: task for task in tenancy.world.every("task")}


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    found = held(tenancy).get(id)
    if found is None:
        return None
    schedule = found["start"]["schedule"]
    return {
        "app": found["resourceId"],
        **{name: found[name] for name in ("name", "description", "enabled")},
        "recurrence": schedule["recurrence"].removeprefix("RRULE:"),
        "time_zone": schedule["timezone"],
        "starts_at": schedule["startDateTime"],
        "ends_at": schedule.get("endDateTime", ""),
    }


def somebody(tenancy: Tenancy, method: str, path: str, body: Any = None) -> Any:
    """Do something as an administrator who may edit the app."""
    tenancy.world.join(tenancy.space("Sales"))
    return tenancy.qlik.request(method, tenancy.hostname, f"{PATH}/{path}", body)


def by_hand(path: str, value: Any, live: Any = None) -> Drift:
    def do(tenancy: Tenancy, id: str) -> None:
        # As our own bot: the path and not the person is what counts.
        tenancy.bot.patch(f"{PATH}/{id}", [{"op": "add", "path": path, "value": value}])

    return Drift(do, value if live is None else live)


CASE = Case(
    "reload_task",
    inputs_for,
    remote,
    creates=(f"GET {PATH}", f"POST {ACTIONS}/on-time-schedule"),
    deletes=(f"DELETE {PATH}/{{id}}",),
    changes={
        "name": InPlace("Each night", PATCH),
        "description": InPlace("", PATCH),
        "enabled": InPlace(False, PATCH),
        "recurrence": InPlace("FREQ=HOURLY;INTERVAL=2", PATCH),
        "time_zone": InPlace("UTC", PATCH),
        "starts_at": InPlace("2026-02-01T00:00:00", PATCH),
        "ends_at": InPlace("", PATCH),
    },
    replaces={
        "app": lambda t: published(t, "Other"),
        "after_task": UUID,
        "after_status": "failed",
    },
    incompatible={"after_task": ("recurrence", "starts_at", "ends_at")},
    drifts={
        "name": by_hand("/name", "Mine"),
        "description": by_hand("/description", "Mine"),
        "enabled": by_hand("/enabled", False),
        "recurrence": by_hand("/start/schedule/recurrence", "RRULE:FREQ=WEEKLY", "FREQ=WEEKLY"),
        "time_zone": by_hand("/start/schedule/timezone", "Asia/Tokyo"),
        "starts_at": by_hand("/start/schedule/startDateTime", "2026-03-01T00:00:00"),
        "ends_at": by_hand("/start/schedule/endDateTime", "2998-01-01T00:00:00"),
    },
    remove=lambda t, id: t.bot.delete(f"{PATH}/{id}"),
)


def theirs(tenancy: Tenancy, **changes: Any) -> str:
    """A task that somebody else made for the app."""
    body = {"name": "Nightly", "recurrence": "FREQ=DAILY", "timezone": "UTC", "enabled": True, **changes}
    path = f"resources/{published(tenancy)}/actions/reload/on-time-schedule"
    return str(somebody(tenancy, "POST", path, body)["id"])


def test_a_chain(driver: MakeDriver, tenancy: Tenancy) -> None:
    """A task waits for another one. A change of that one replaces the task, and shows as drift."""
    first = driver("reload_task").create(inputs_for(tenancy))
    second = driver("reload_task").create(chained(tenancy, first.id))
    pairs = held(tenancy)[second.id]["events"][0]["correlation"]
    found = {pair["contextAttributeName"]: pair["contextAttributeValue"] for pair in pairs}
    assert found == {"id": first.id, "appId": published(tenancy), "status": "SUCCEEDED"}
    assert second.drift() == {}
    tenancy.requests()
    second.update(chained(tenancy, first.id, description="Later", enabled=False))
    assert tenancy.requests() == [f"PATCH {PATH}/{second.id}"]
    assert second.drift() == {}
    change = {"op": "add", "path": "/events/0/correlation/0/contextAttributeValue", "value": second.id}
    tenancy.bot.patch(f"{PATH}/{second.id}", [change])
    assert second.drift() == {"after_task": second.id}
    assert second.diff(second.inputs) == ["after_task"]


def test_one_trigger(driver: MakeDriver, tenancy: Tenancy) -> None:
    both = inputs_for(tenancy) | {"after_task": UUID}
    with pytest.raises(AssertionError, match="after_task: set either recurrence or after_task"):
        driver("reload_task").check(both)
    neither = {name: value for name, value in inputs_for(tenancy).items() if name != "recurrence"}
    with pytest.raises(AssertionError, match="recurrence: is required, unless after_task is set"):
        driver("reload_task").check(neither)


def test_a_schedule_that_somebody_took_away(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The task is replaced, because Qlik cannot restore a part of it."""
    made = driver("reload_task").create(inputs_for(tenancy))
    tenancy.bot.patch(f"{PATH}/{made.id}", [{"op": "remove", "path": "/start"}])
    drift = made.drift()
    assert drift
    assert drift["recurrence"] == ""
    assert made.diff(made.inputs) == ["recurrence"]


def test_what_the_service_disables_is_drift(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The state says why; an update enables the task again."""
    made = driver("reload_task").create(inputs_for(tenancy))
    app = published(tenancy)
    tenancy.bot.delete(f"/api/v1/apps/{app}")
    for _ in range(5):
        tenancy.qlik.control.advance(86_400)
    assert made.drift() == {"enabled": False}
    assert made.state["disabled_code"] == "CONSECUTIVE-FAILURES"


def test_another_way_to_write_the_same_is_no_drift(driver: MakeDriver, tenancy: Tenancy) -> None:
    """In the program, and at Qlik: order, capitals, prefix, offset."""
    inputs = inputs_for(tenancy) | {
        "recurrence": "RRULE:byminute=0;FREQ=daily;BYHOUR=6",
        "starts_at": "2026-01-01T00:00",
    }
    made = driver("reload_task").create(inputs)
    assert made.inputs["recurrence"] == "FREQ=DAILY;BYHOUR=6;BYMINUTE=0"
    assert made.drift() == {}
    for path, value in {
        "startDateTime": "2025-12-31T23:00:00Z",
        "recurrence": "FREQ=DAILY;BYMINUTE=0;BYHOUR=6",
    }.items():
        change = {"op": "replace", "path": f"/start/schedule/{path}", "value": value}
        tenancy.bot.patch(f"{PATH}/{made.id}", [change])
    assert made.drift() == {}


def test_what_our_bot_made_is_taken_over(driver: MakeDriver, tenancy: Tenancy) -> None:
    """And put right, in one request."""
    lost = driver("reload_task").create(inputs_for(tenancy))
    tenancy.requests()
    made = driver("reload_task").create(inputs_for(tenancy) | {"recurrence": "FREQ=HOURLY", "ends_at": ""})
    assert made.id == lost.id
    assert [request for request in tenancy.requests() if not request.startswith("GET")] == [
        f"PATCH {PATH}/{made.id}"
    ]
    assert made.drift() == {}


def test_what_somebody_else_made_is_left_alone(driver: MakeDriver, tenancy: Tenancy) -> None:
    id = theirs(tenancy)
    with pytest.raises(Failure, match="adopt: true") as caught:
        driver("reload_task").create(inputs_for(tenancy))
    assert id in str(caught.value)
    made = driver("reload_task").create(inputs_for(tenancy) | {"adopt": True})
    assert made.id == id
    assert made.drift() == {}


@pytest.mark.parametrize("effect", ["drop_after", "truncate"])
def test_a_lost_answer_makes_no_second_one(driver: MakeDriver, tenancy: Tenancy, effect: str) -> None:
    tenancy.qlik.control.add_fault(method="POST", path=f"{PATH}/*", **{effect: True}, times=1)
    made = driver("reload_task").create(inputs_for(tenancy))
    assert held(tenancy).keys() == {made.id}
    assert made.drift() == {}


def test_an_answer_without_the_task_is_read_again(
    driver: MakeDriver, tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Qlik does not publish what the action answers, but for the id."""
    post = type(tenancy.bot).post

    def bare(host: Any, path: str, *more: Any, **named: Any) -> Any:
        answer = post(host, path, *more, **named)
        return {"id": answer["id"]} if "/actions/reload/" in path else answer

    monkeypatch.setattr(type(tenancy.bot), "post", bare)
    made = driver("reload_task").create(inputs_for(tenancy))
    assert made.drift() == {}


def test_advice_for_an_app_that_may_not_be_reloaded(driver: MakeDriver, tenancy: Tenancy) -> None:
    inputs = inputs_for(tenancy)
    with pytest.raises(Failure, match=r"403 CHO-003.*(?s:.*)may not reload it"):
        driver("reload_task").create(inputs | {"app": UUID})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("DAILY", '"DAILY" is not a part'),
        ("FREQ=SECONDLY", '"FREQ=SECONDLY" is not allowed'),
        ("BYHOUR=6", "FREQ is required"),
        ("FREQ=DAILY;BYHOUR=six", '"BYHOUR=SIX" is not allowed'),
        ("FREQ=DAILY;BYHOUR=6;BYHOUR=7", "BYHOUR occurs twice"),
        ("DTSTART=20260101T000000;FREQ=DAILY", "set starts_at"),
        ("FREQ=DAILY;INTERVAL=0", '"INTERVAL=0" is not allowed'),
    ],
)
def test_what_is_no_recurrence(text: str, message: str) -> None:
    assert message in (schedules.recurrence_problem(text) or "")


@pytest.mark.parametrize(
    "text", ["2026-12-31", "2026-12-31T06:00Z", "2026-13-01T06:00", "2026-12-31 06:00", "6"]
)
def test_what_is_no_moment(text: str) -> None:
    assert "2026-12-31T06:00" in (schedules.moment_problem(text) or "")


@pytest.mark.parametrize(
    "found",
    [
        {"id": "t", "name": "A", "start": {"schedule": "PT15M"}},
        {"id": "t", "name": "A", "start": {"schedule": {"cron": "0 6 * * *", "startDateTime": "soon"}}},
        {"id": "t", "name": "A"},
    ],
)
def test_other_tasks_are_read(found: dict[str, Any]) -> None:
    """Tasks that somebody created in another way have other triggers."""
    live = HANDLER.decode(found)
    assert (live["recurrence"], live["enabled"], live.get("after_task")) == ("", False, None)
