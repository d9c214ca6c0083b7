"""Scheduled reloads (https://qlik.dev/apis/rest/scheduling/tasks)."""

from __future__ import annotations

from typing import Any, Literal

from tenantry.providers.framework.handlers import Properties
from tenantry.providers.framework.keyless import Found, Keyless
from tenantry.providers.framework.properties import Change, Property, output, prop, reference
from tenantry.providers.framework.resource import Resource
from tenantry.providers.qlik import Cloud, Host
from tenantry.providers.values import schedules
from tenantry.providers.values.days import DEFAULT_ZONE
from tenantry.providers.values.limits import TASK_DESCRIPTION, TASK_NAME
from tenantry.providers.values.schedules import MOMENT, RECURRENCE, TIME_ZONE


class ReloadTask(Resource):
    """A task that reloads a published app, by a schedule or after another task.

    It runs as the client's bot user, who must be allowed to reload the app. Qlik can disable a task, for
    example after several failures in a row. A refresh shows this as a difference in `enabled`.
    """

    tenant: Property[str] = reference("Tenant", "The tenant that contains the app.")
    app: Property[str] = reference("AppPublication", "Id of the published app.")
    name: Property[str] = prop(
        "Name. Qlik allows duplicates, but Tenantry requires a unique name for the app.", limits=TASK_NAME
    )
    description: Property[str] = prop("Description of the task.", default="", limits=TASK_DESCRIPTION)
    enabled: Property[bool] = prop("Whether the task runs.", default=True)
    recurrence: Property[str] = prop(
        "When the task runs: a recurrence rule of RFC 5545, such as `FREQ=DAILY;BYHOUR=6;BYMINUTE=0`. Set "
        "either this or `after_task`.",
        default="",
        limits=RECURRENCE,
        form=schedules.recurrence,
    )
    time_zone: Property[str] = prop(
        "The time zone of the schedule, by its name in the IANA database.",
        default=DEFAULT_ZONE,
        limits=TIME_ZONE,
    )
    starts_at: Property[str] = prop(
        "The time from which the schedule applies, in `time_zone`. Default: Qlik chooses it.",
        default=None,
        limits=MOMENT,
        form=schedules.moment,
    )
    ends_at: Property[str] = prop(
        "The time until which the schedule applies, in `time_zone`.",
        default="",
        limits=MOMENT,
        form=schedules.moment,
    )
    after_task: Property[str] = reference(
        "ReloadTask", "Id of the task after which this one runs.", default=None
    )
    after_status: Property[Literal["succeeded", "failed", "any"]] = prop(
        "The required result of the other task. It has no effect without `after_task`. Default: succeeded.",
        default=None,
        change=Change.REPLACES,
    )
    adopt: Property[bool] = prop(
        "Take over an existing task of the app with this name that somebody else created.",
        default=None,
        change=Change.AT_CREATION,
    )

    disabled_code: Property[str] = output("Qlik's code for the reason why the task is disabled.")


TEXTS = ("name", "description", "enabled")
"""The properties that every task has."""

SCHEDULE = {
    "recurrence": "recurrence",
    "time_zone": "timezone",
    "starts_at": "startDateTime",
    "ends_at": "endDateTime",
}
"""The properties of a schedule, and their names in Qlik's JSON."""


class ReloadTaskHandler(Keyless):
    """CRUD handler of `ReloadTask`.

    One of two actions creates a task for an app. Qlik derives the definition of a workflow from it, and JSON
    Patch changes parts of that definition.

    Unverified, because Qlik documents only the list of parameters: the success status of the actions, and
    that they return the task.
    """

    resource_type = ReloadTask
    path = "/api/scheduling/tasks"
    natural_key = ("tenant", "app", "name")

    def input_problems(self, have: Properties, want: Properties) -> dict[str, str]:
        """Refuse a task without exactly one trigger."""
        if want.get("recurrence") and want.get("after_task"):
            return {"after_task": "set either recurrence or after_task"}
        if not want.get("recurrence") and not want.get("after_task"):
            return {"recurrence": "is required, unless after_task is set"}
        return {}

    def replaces(self, have: Properties, want: Properties) -> list[str]:
        """Replace a task whose schedule somebody removed at Qlik."""
        return ["recurrence"] if want.get("recurrence") and not have.get("recurrence") else []

    def encode(self, properties: Properties) -> dict[str, Any]:
        """Return the properties that every task has."""
        return {name: properties[name] for name in TEXTS}

    def decode(self, found: Found) -> Properties:
        """Return the properties in the definition of a workflow."""
        schedule = (found.get("start") or {}).get("schedule")
        schedule = schedule if isinstance(schedule, dict) else {}
        zone = schedule.get("timezone") or DEFAULT_ZONE
        starts_at, ends_at = (
            schedules.local_moment(schedule.get(name) or "", zone)
            for name in ("startDateTime", "endDateTime")
        )
        live: Properties = {
            "name": found["name"],
            "description": found.get("description") or "",
            "enabled": bool(found.get("enabled")),
            "recurrence": schedules.recurrence(schedule.get("recurrence") or ""),
            "time_zone": zone,
            "starts_at": starts_at or None,
            "ends_at": ends_at,
            "disabled_code": (found.get("metadata") or {}).get("disabledCode"),
        }
        return live | ({"after_task": upstream} if (upstream := _upstream(found)) else {})

    def candidates(self, host: Host, want: Properties) -> list[Found]:
        """Return the tasks of the app with the requested name, with `createdBy` at the top level."""
        tasks = host.list(self.path, {"resourceId": want["app"]})
        return [
            {**task, "createdBy": (task.get("metadata") or {}).get("createdBy")}
            for task in tasks
            if task["name"] == want["name"]
        ]

    def choose(self, host: Host, want: Properties, found: list[Found]) -> Found | None:
        """Return the only task in `found`. Of several, return the one that this client created."""
        return self.only_ours(host, want, found)

    def make(self, cloud: Cloud, host: Host, want: Properties) -> Found:
        """POST the action for the trigger, and return the created task."""
        actions = f"{self.path}/resources/{want['app']}/actions/reload"
        body = self.encode(want)
        if want.get("after_task"):
            trigger = {
                "onTaskId": want["after_task"],
                "onTaskStatus": want.get("after_status") or "succeeded",
            }
            created: Found = host.post(f"{actions}/on-task-event", body | trigger)
        else:
            created = host.post(
                f"{actions}/on-time-schedule",
                body | {name: value for name, value in _schedule(want).items() if value},
            )
        found: Found = created if "name" in created else host.get(self.member(created["id"], want))
        return found

    def patch(self, host: Host, id: str, changes: Properties, want: Properties) -> None:
        """PATCH what differs. The operation `add` also replaces an existing value."""
        patch = [
            {"op": "add", "path": f"/{name}", "value": changes[name]} for name in TEXTS if name in changes
        ]
        for name, value in _schedule(changes).items():
            path = f"/start/schedule/{name}"
            patch.append(
                {"op": "add", "path": path, "value": value} if value else {"op": "remove", "path": path}
            )
        if patch:
            host.patch(self.member(id, want), patch, repeatable=True)

    def label(self, want: Properties, id: str) -> str:
        """Return the name of the task and its app for messages."""
        return f'ReloadTask "{want["name"]}" of app {want["app"]}'


def _schedule(properties: Properties) -> dict[str, str | None]:
    """Return the schedule in some properties in Qlik's JSON."""
    values = {SCHEDULE[name]: properties[name] for name in SCHEDULE if name in properties}
    if rule := values.get("recurrence"):
        values["recurrence"] = f"RRULE:{rule}"
    return values


def _upstream(found: Found) -> str:
    """Return the id of the task after which this one runs, or an empty string."""
    correlations = (pair for event in found.get("events") or [] for pair in event.get("correlation") or [])
    ids = (
        pair.get("contextAttributeValue", "")
        for pair in correlations
        if pair.get("contextAttributeName") == "id"
    )
    return str(next(ids, ""))


HANDLER = ReloadTaskHandler()
