"""Reload tasks: scheduled reloads of published apps, and chains of reloads."""

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


def published_app(tenancy: Tenancy, space: str = "Sales") -> str:
    """Return the id of the published app of a space. Publish it as our bot if it does not exist."""
    space_id = tenancy.space(space, "managed")
    source = tenancy.app("Source", "Staging")
    app_at_qlik = tenancy.world.apps.get((space_id, "Source")) or tenancy.world.apps.get((space, "Source"))
    body = {"spaceId": space_id, "attributes": {"name": "Source"}}
    path = f"/api/v1/apps/{source}/publish"
    return str(app_at_qlik["id"] if app_at_qlik else tenancy.bot.post(path, body)["attributes"]["id"])


def inputs_for(tenancy: Tenancy) -> Inputs:
    return {
        "tenant": tenancy.hostname,
        "app": published_app(tenancy),
        "name": "Nightly",
        "description": "Figures of yesterday",
        "enabled": True,
        "recurrence": "FREQ=DAILY;BYHOUR=6;BYMINUTE=0",
        "time_zone": "Europe/Berlin",
        "starts_at": "2026-01-01T00:00:00",
        "ends_at": "2999-12-31T00:00:00",
    }


def chained_inputs(tenancy: Tenancy, after: str, **changes: Any) -> Inputs:
    """Return the inputs of a task that waits for the task `after`."""
    return {
        "tenant": tenancy.hostname,
        "app": published_app(tenancy),
        "name": "Afterwards",
        "after_task": after,
        **changes,
    }


def tasks_by_id(tenancy: Tenancy) -> dict[str, Any]:
    return {task["id"]: task for task in tenancy.world.every("task")}


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    found = tasks_by_id(tenancy).get(id)
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


def request_as_admin(tenancy: Tenancy, method: str, path: str, body: Any = None) -> Any:
    """Send a request as an administrator who can edit the app."""
    tenancy.world.join(tenancy.space("Sales"))
    return tenancy.qlik.request(method, tenancy.hostname, f"{PATH}/{path}", body)


def changed_by_hand(path: str, value: Any, live: Any = None) -> Drift:
    def do(tenancy: Tenancy, id: str) -> None:
        # The bot sends the request. For the refresh it does not matter who changed the task.
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
        "app": lambda t: published_app(t, "Other"),
        "after_task": UUID,
        "after_status": "failed",
    },
    incompatible={"after_task": ("recurrence", "starts_at", "ends_at")},
    drifts={
        "name": changed_by_hand("/name", "Mine"),
        "description": changed_by_hand("/description", "Mine"),
        "enabled": changed_by_hand("/enabled", False),
        "recurrence": changed_by_hand("/start/schedule/recurrence", "RRULE:FREQ=WEEKLY", "FREQ=WEEKLY"),
        "time_zone": changed_by_hand("/start/schedule/timezone", "Asia/Tokyo"),
        "starts_at": changed_by_hand("/start/schedule/startDateTime", "2026-03-01T00:00:00"),
        "ends_at": changed_by_hand("/start/schedule/endDateTime", "2998-01-01T00:00:00"),
    },
    remove=lambda t, id: t.bot.delete(f"{PATH}/{id}"),
)


def create_foreign_task(tenancy: Tenancy, **changes: Any) -> str:
    """Create a task for the app as somebody else. Return its id."""
    body = {"name": "Nightly", "recurrence": "FREQ=DAILY", "timezone": "UTC", "enabled": True, **changes}
    path = f"resources/{published_app(tenancy)}/actions/reload/on-time-schedule"
    return str(request_as_admin(tenancy, "POST", path, body)["id"])


def test_a_task_can_wait_for_another_task(driver: MakeDriver, tenancy: Tenancy) -> None:
    """If somebody changes the task to wait for, this is drift, and Tenantry replaces the waiting task."""
    first = driver("reload_task").create(inputs_for(tenancy))
    second = driver("reload_task").create(chained_inputs(tenancy, first.id))
    pairs = tasks_by_id(tenancy)[second.id]["events"][0]["correlation"]
    found = {pair["contextAttributeName"]: pair["contextAttributeValue"] for pair in pairs}
    assert found == {"id": first.id, "appId": published_app(tenancy), "status": "SUCCEEDED"}
    assert second.drift() == {}
    tenancy.requests()
    second.update(chained_inputs(tenancy, first.id, description="Later", enabled=False))
    assert tenancy.requests() == [f"PATCH {PATH}/{second.id}"]
    assert second.drift() == {}
    change = {"op": "add", "path": "/events/0/correlation/0/contextAttributeValue", "value": second.id}
    tenancy.bot.patch(f"{PATH}/{second.id}", [change])
    assert second.drift() == {"after_task": second.id}
    assert second.diff(second.inputs) == ["after_task"]


def test_a_task_needs_exactly_one_trigger(driver: MakeDriver, tenancy: Tenancy) -> None:
    both = inputs_for(tenancy) | {"after_task": UUID}
    with pytest.raises(AssertionError, match="after_task: set either recurrence or after_task"):
        driver("reload_task").check(both)
    neither = {name: value for name, value in inputs_for(tenancy).items() if name != "recurrence"}
    with pytest.raises(AssertionError, match="recurrence: is required, unless after_task is set"):
        driver("reload_task").check(neither)


def test_a_task_without_its_schedule_is_replaced(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Somebody removed the schedule, and Qlik cannot restore it."""
    our_task = driver("reload_task").create(inputs_for(tenancy))
    tenancy.bot.patch(f"{PATH}/{our_task.id}", [{"op": "remove", "path": "/start"}])
    drift = our_task.drift()
    assert drift
    assert drift["recurrence"] == ""
    assert our_task.diff(our_task.inputs) == ["recurrence"]


def test_a_task_that_qlik_disables_is_drift(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The state contains the reason."""
    our_task = driver("reload_task").create(inputs_for(tenancy))
    app = published_app(tenancy)
    tenancy.bot.delete(f"/api/v1/apps/{app}")
    for _ in range(5):
        tenancy.qlik.control.advance(86_400)
    assert our_task.drift() == {"enabled": False}
    assert our_task.state["disabled_code"] == "CONSECUTIVE-FAILURES"


def test_another_notation_of_the_same_schedule_is_no_drift(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Programs and Qlik can use another order, case, prefix or UTC offset."""
    inputs = inputs_for(tenancy) | {
        "recurrence": "RRULE:byminute=0;FREQ=daily;BYHOUR=6",
        "starts_at": "2026-01-01T00:00",
    }
    our_task = driver("reload_task").create(inputs)
    assert our_task.inputs["recurrence"] == "FREQ=DAILY;BYHOUR=6;BYMINUTE=0"
    assert our_task.drift() == {}
    for path, value in {
        "startDateTime": "2025-12-31T23:00:00Z",
        "recurrence": "FREQ=DAILY;BYMINUTE=0;BYHOUR=6",
    }.items():
        change = {"op": "replace", "path": f"/start/schedule/{path}", "value": value}
        tenancy.bot.patch(f"{PATH}/{our_task.id}", [change])
    assert our_task.drift() == {}


def test_a_task_that_our_bot_created_is_reused_and_corrected(driver: MakeDriver, tenancy: Tenancy) -> None:
    """One request corrects all differences."""
    earlier_task = driver("reload_task").create(inputs_for(tenancy))
    tenancy.requests()
    our_task = driver("reload_task").create(
        inputs_for(tenancy) | {"recurrence": "FREQ=HOURLY", "ends_at": ""}
    )
    assert our_task.id == earlier_task.id
    assert [request for request in tenancy.requests() if not request.startswith("GET")] == [
        f"PATCH {PATH}/{our_task.id}"
    ]
    assert our_task.drift() == {}


def test_a_task_of_somebody_else_needs_adopt(driver: MakeDriver, tenancy: Tenancy) -> None:
    id = create_foreign_task(tenancy)
    with pytest.raises(Failure, match="adopt: true") as caught:
        driver("reload_task").create(inputs_for(tenancy))
    assert id in str(caught.value)
    our_task = driver("reload_task").create(inputs_for(tenancy) | {"adopt": True})
    assert our_task.id == id
    assert our_task.drift() == {}


@pytest.mark.parametrize("effect", ["drop_after", "truncate"])
def test_a_lost_response_creates_no_second_task(driver: MakeDriver, tenancy: Tenancy, effect: str) -> None:
    tenancy.qlik.control.add_fault(method="POST", path=f"{PATH}/*", **{effect: True}, times=1)
    our_task = driver("reload_task").create(inputs_for(tenancy))
    assert tasks_by_id(tenancy).keys() == {our_task.id}
    assert our_task.drift() == {}


def test_create_reads_the_task_if_the_response_has_only_its_id(
    driver: MakeDriver, tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Qlik documents only the id in the response of this action."""
    post = type(tenancy.bot).post

    def post_returning_id(host: Any, path: str, *args: Any, **kwargs: Any) -> Any:
        response = post(host, path, *args, **kwargs)
        return {"id": response["id"]} if "/actions/reload/" in path else response

    monkeypatch.setattr(type(tenancy.bot), "post", post_returning_id)
    our_task = driver("reload_task").create(inputs_for(tenancy))
    assert our_task.drift() == {}


def test_the_error_for_an_app_that_the_bot_cannot_reload_gives_advice(
    driver: MakeDriver, tenancy: Tenancy
) -> None:
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
def test_an_invalid_recurrence_is_refused(text: str, message: str) -> None:
    assert message in (schedules.recurrence_problem(text) or "")


@pytest.mark.parametrize(
    "text", ["2026-12-31", "2026-12-31T06:00Z", "2026-13-01T06:00", "2026-12-31 06:00", "6"]
)
def test_an_invalid_time_is_refused(text: str) -> None:
    assert "2026-12-31T06:00" in (schedules.moment_problem(text) or "")


@pytest.mark.parametrize(
    "found",
    [
        {"id": "t", "name": "A", "start": {"schedule": "PT15M"}},
        {"id": "t", "name": "A", "start": {"schedule": {"cron": "0 6 * * *", "startDateTime": "soon"}}},
        {"id": "t", "name": "A"},
    ],
)
def test_tasks_with_other_triggers_can_be_read(found: dict[str, Any]) -> None:
    """Other programs create such tasks."""
    live = HANDLER.decode(found)
    assert (live["recurrence"], live["enabled"], live.get("after_task")) == ("", False, None)
