"""Tasks that reload apps. They run by the emulator's clock."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.emulator import Emulator
from tenantry.emulator.recurrences import find_problem, next_after
from tests.emulator.api import Api, error, new_tenant

TASKS = "/api/scheduling/tasks"
DAY = 86_400
NOW = 1_790_000_000.0  # 2026-09-21T14:13:20Z


@pytest.fixture
def tenant(qlik: Emulator) -> Api:
    return new_tenant(qlik)


@pytest.fixture
def app(tenant: Api) -> str:
    space = tenant.post("/api/v1/spaces", {"name": "Sales", "type": "shared"})["id"]
    return str(new_app(tenant, space))


def new_app(tenant: Api, space: str) -> str:
    body = {"attributes": {"name": "Sales", "spaceId": space}}
    return str(tenant.post("/api/v1/apps", body, expect=200)["attributes"]["id"])


def schedule(tenant: Api, app: str, **body: Any) -> dict[str, Any]:
    path = f"{TASKS}/resources/{app}/actions/reload/on-time-schedule"
    task = {"name": "Nightly", "recurrence": "FREQ=DAILY", "enabled": True, **body}
    return tenant.post(path, task)  # type: ignore[no-any-return]


def schedule_after(
    tenant: Api, app: str, upstream: str, status: str = "succeeded", **body: Any
) -> dict[str, Any]:
    path = f"{TASKS}/resources/{app}/actions/reload/on-task-event"
    task = {"name": "After", "enabled": True, "onTaskId": upstream, "onTaskStatus": status, **body}
    return tenant.post(path, task)  # type: ignore[no-any-return]


def reloaded_at(tenant: Api, app: str) -> str:
    return str(tenant.get(f"/api/v1/apps/{app}")["attributes"]["lastReloadTime"])


def pass_time(tenant: Api, seconds: float) -> None:
    """Move the clock. Log in again, because the token may have expired."""
    tenant.qlik.control.advance(seconds)
    tenant.login()


def test_a_task_reloads_without_variables(tenant: Api, app: str) -> None:
    """A variable of an earlier reload has no effect on the data of the task's reload."""

    def data() -> Any:
        return tenant.get(f"/api/v1/apps/{app}/data/metadata")["fields"][0]["hash"]

    tenant.post("/api/v1/reloads", {"appId": app})
    script_hash = data()
    tenant.post("/api/v1/reloads", {"appId": app, "variables": {"vCustomer": "globex"}})
    assert data() != script_hash
    schedule(tenant, app)
    pass_time(tenant, DAY + 1)
    assert data() == script_hash


def test_a_task_is_created_changed_and_deleted(tenant: Api, app: str) -> None:
    """A patch can change single parts of a task."""
    created = schedule(tenant, app, enabled=False, timezone="Europe/Berlin", description="Figures")
    path = f"{TASKS}/{created['id']}"
    assert (created["enabled"], created["resourceId"]) == (False, app)
    assert tenant.get(path) == created
    assert tenant.get(f"{TASKS}?resourceId={app}")["data"] == [created]
    assert tenant.get(f"{TASKS}?resourceId=other")["data"] == []
    changes = {"/enabled": True, "/start/schedule/recurrence": "RRULE:FREQ=HOURLY", "/name": "Hourly"}
    changed = tenant.patch(path, changes, expect=200)
    assert changed["start"]["schedule"] == {"recurrence": "RRULE:FREQ=HOURLY", "timezone": "Europe/Berlin"}
    assert (changed["name"], changed["enabled"]) == ("Hourly", True)
    assert tenant.patch(path, {"/enabled": False}, expect=200)["metadata"]["disabledCode"] == "MANUALLY"
    tenant.delete(path)
    tenant.get(path, expect=404)


def test_a_task_runs_when_it_is_due(tenant: Api, app: str) -> None:
    """It does not run at its creation or while it is disabled. Tasks that wait for it run after it."""
    other = new_app(tenant, tenant.get("/api/v1/spaces")["data"][0]["id"])
    created = schedule(tenant, app)
    waiting = schedule_after(tenant, other, created["id"])
    schedule_after(tenant, other, created["id"], "failed", name="If it fails")
    assert reloaded_at(tenant, app) == ""
    pass_time(tenant, DAY + 60)
    first = reloaded_at(tenant, app)
    assert first > created["metadata"]["createdAt"]
    assert reloaded_at(tenant, other) == first
    tenant.patch(f"{TASKS}/{waiting['id']}", {"/enabled": False}, expect=200)
    pass_time(tenant, 3 * DAY)
    assert reloaded_at(tenant, app) > first
    assert reloaded_at(tenant, other) == first
    tenant.patch(f"{TASKS}/{created['id']}", {"/enabled": False}, expect=200)
    last = reloaded_at(tenant, app)
    pass_time(tenant, 3 * DAY)
    assert reloaded_at(tenant, app) == last


def test_a_task_that_keeps_failing_is_disabled(tenant: Api, app: str) -> None:
    created = schedule(tenant, app)
    tenant.send("DELETE", f"/api/v1/apps/{app}")
    for _ in range(6):
        pass_time(tenant, DAY)
    current = tenant.get(f"{TASKS}/{created['id']}")
    assert (current["enabled"], current["metadata"]["disabledCode"]) == (False, "CONSECUTIVE-FAILURES")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"recurrence": "FREQ=SECONDLY"}, "CHO-017"),
        ({"recurrence": "FREQ=DAILY;INTERVAL=0"}, "CHO-017"),
        ({"recurrence": "FREQ=DAILY;BYHOUR=99"}, "CHO-017"),
        ({"timezone": "Mars/Olympus"}, "CHO-017"),
        ({"startDateTime": "tomorrow"}, "CHO-017"),
        ({"endDateTime": "2020-01-01T00:00:00"}, "CHO-017"),
        ({"name": "x" * 101}, "CHO-001"),
    ],
)
def test_a_bad_task_is_refused(tenant: Api, app: str, body: dict[str, Any], code: str) -> None:
    path = f"{TASKS}/resources/{app}/actions/reload/on-time-schedule"
    response = tenant.post(path, {"name": "A", "recurrence": "FREQ=DAILY", **body}, expect=400)
    assert error(response)["code"] == code


def test_missing_apps_and_upstream_tasks_and_an_eleventh_task_are_refused(tenant: Api, app: str) -> None:
    actions = f"{TASKS}/resources/%s/actions/reload"
    body = {"name": "A", "recurrence": "FREQ=DAILY"}
    unknown = "11111111-1111-1111-1111-111111111111"
    assert error(tenant.post(f"{actions % unknown}/on-time-schedule", body, expect=403))["code"] == "CHO-003"
    response = tenant.post(f"{actions % app}/on-task-event", {"name": "A", "onTaskId": unknown}, expect=400)
    assert error(response)["code"] == "CHO-016"
    for _ in range(10):
        schedule(tenant, app)
    assert error(tenant.post(f"{actions % app}/on-time-schedule", body, expect=422))["code"] == "CHO-014"
    assert len(tenant.everything(f"{TASKS}?limit=3")) == 10


@pytest.mark.parametrize(
    "change",
    [
        {"op": "replace", "path": "/start/schedule/endDateTime", "value": "2999-01-01T00:00:00"},
        {"op": "remove", "path": "/events"},
        {"op": "add", "path": "/states/5/name", "value": "x"},
        {"op": "add", "path": "/colour", "value": "red"},
        {"op": "add", "path": "/start/schedule/recurrence", "value": "never"},
        {"op": "move", "path": "/name"},
        {"op": "add", "path": "/name"},
    ],
)
def test_a_bad_patch_of_a_task_is_refused(tenant: Api, app: str, change: dict[str, Any]) -> None:
    created = schedule(tenant, app)
    response = tenant.send("PATCH", f"{TASKS}/{created['id']}", json=[change])
    assert response.status_code == 400, response.text
    assert tenant.get(f"{TASKS}/{created['id']}") == created


def test_a_schedule_follows_the_clock_of_its_time_zone() -> None:
    """The clocks in Berlin go back on 25 October 2026, between the two times."""
    daily = {"recurrence": "RRULE:FREQ=DAILY;BYHOUR=6;BYMINUTE=0;BYSECOND=0", "timezone": "Europe/Berlin"}
    autumn = daily | {"startDateTime": "2026-10-24T00:00:00"}
    assert find_problem(autumn, NOW) == ""
    first = next_after(autumn, NOW)
    assert first
    second = next_after(autumn, first)
    assert second
    assert second - first == DAY + 3600
    assert next_after(autumn | {"endDateTime": "2026-10-24T12:00:00"}, first) is None
    assert next_after({}, NOW) is None


def test_the_next_run_of_a_schedule_in_minutes_that_started_years_ago_is_correct() -> None:
    schedule = {"recurrence": "FREQ=MINUTELY;INTERVAL=7", "startDateTime": "2017-01-01T00:03:00"}
    found = next_after(schedule, NOW)
    assert found
    assert 0 < found - NOW <= 420
    assert (found - 1_483_228_980) % 420 == 0
    assert "ten years" in find_problem(schedule | {"startDateTime": "2001-01-01T00:00:00"}, NOW)
