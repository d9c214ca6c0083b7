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
    """A task that reloads a published app: by a schedule, or after another task.

    Qlik runs it in the name of the client's bot user, who has to be allowed to reload the app. It switches a
    task off by itself, for example after failures in a row; that shows as a difference of `enabled`.
    """

    tenant: Property[str] = reference("Tenant", "The tenant that the app is in.")
    app: Property[str] = reference("AppPublication", "Id of the published app, which stays the same.")
    name: Property[str] = prop(
        "Name. Qlik takes one twice; here it tells the tasks of an app apart.", limits=TASK_NAME
    )
    description: Property[str] = prop("What the task is for.", default="", limits=TASK_DESCRIPTION)
    enabled: Property[bool] = prop("Whether the task runs.", default=True)
    recurrence: Property[str] = prop(
        "When the task runs: a recurrence rule of RFC 5545, such as `FREQ=DAILY;BYHOUR=6;BYMINUTE=0`. Either "
        "this or `after_task`.",
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
        "From when on the schedule counts, by the clock of the time zone. Default: Qlik's choice.",
        default=None,
        limits=MOMENT,
        form=schedules.moment,
    )
    ends_at: Property[str] = prop(
        "Until when the schedule counts, by the clock of the time zone.",
        default="",
        limits=MOMENT,
        form=schedules.moment,
    )
    after_task: Property[str] = reference(
        "ReloadTask", "Id of the task after which this one runs.", default=None
    )
    after_status: Property[Literal["succeeded", "failed", "any"]] = prop(
        "How the other task has to end: without `after_task` it says nothing. Default: succeeded.",
        default=None,
        change=Change.REPLACES,
    )
    adopt: Property[bool] = prop(
        "Manage a task of this name that somebody else made for the app.",
        default=None,
        change=Change.AT_CREATION,
    )

    disabled_code: Property[str] = output("Why the task is disabled, as Qlik says it.")


TEXTS = ("name", "description", "enabled")
SCHEDULE = {
    "recurrence": "recurrence",
    "time_zone": "timezone",
    "starts_at": "startDateTime",
    "ends_at": "endDateTime",
}
"""The properties of a schedule, and their names in Qlik's JSON."""


class ReloadTaskHandler(Keyless):
    """A collection whose members are made for an app by one of two actions, from which Qlik derives the whole
    definition of a workflow. After that, parts of the definition are changed by JSON Patch.

    Unverified, as Qlik publishes only the list of parameters: the success status of the actions, and that
    they answer with the task.
    """

    resource_type = ReloadTask
    path = "/api/scheduling/tasks"
    natural_key = ("tenant", "app", "name")

    def input_problems(self, have: Properties, want: Properties) -> dict[str, str]:
        """A task has one trigger."""
        if want.get("recurrence") and want.get("after_task"):
            return {"after_task": "set either recurrence or after_task"}
        if not want.get("recurrence") and not want.get("after_task"):
            return {"recurrence": "is required, unless after_task is set"}
        return {}

    def replaces(self, have: Properties, want: Properties) -> list[str]:
        """A task whose schedule somebody took away at Qlik is made anew."""
        return ["recurrence"] if want.get("recurrence") and not have.get("recurrence") else []

    def encode(self, properties: Properties) -> dict[str, Any]:
        """Return what a schedule and a chain have in common."""
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
        """Return the tasks of that name of the app, each with its maker where `Collection` looks for it."""
        tasks = host.list(self.path, {"resourceId": want["app"]})
        return [
            {**task, "createdBy": (task.get("metadata") or {}).get("createdBy")}
            for task in tasks
            if task["name"] == want["name"]
        ]

    def choose(self, host: Host, want: Properties, found: list[Found]) -> Found | None:
        """Of several take the only one that this client made."""
        return self.only_ours(host, want, found)

    def make(self, cloud: Cloud, host: Host, want: Properties) -> Found:
        """POST the action that makes a task with such a trigger, and read what Qlik has made of it."""
        actions = f"{self.path}/resources/{want['app']}/actions/reload"
        body = self.encode(want)
        if want.get("after_task"):
            trigger = {
                "onTaskId": want["after_task"],
                "onTaskStatus": want.get("after_status") or "succeeded",
            }
            made: Found = host.post(f"{actions}/on-task-event", body | trigger)
        else:
            made = host.post(
                f"{actions}/on-time-schedule",
                body | {name: value for name, value in _schedule(want).items() if value},
            )
        found: Found = made if "name" in made else host.get(self.member(made["id"], want))
        return found

    def patch(self, host: Host, id: str, changes: Properties, want: Properties) -> None:
        """PATCH what differs. `add` sets a value whether there is one or not."""
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
        """Name it with its app."""
        return f'ReloadTask "{want["name"]}" of app {want["app"]}'


def _schedule(properties: Properties) -> dict[str, str | None]:
    """Return what some properties say of a schedule, as Qlik's JSON."""
    values = {SCHEDULE[name]: properties[name] for name in SCHEDULE if name in properties}
    if rule := values.get("recurrence"):
        values["recurrence"] = f"RRULE:{rule}"
    return values


def _upstream(found: Found) -> str:
    """Return the id of the task after which one runs, empty for none."""
    correlations = (pair for event in found.get("events") or [] for pair in event.get("correlation") or [])
    ids = (
        pair.get("contextAttributeValue", "")
        for pair in correlations
        if pair.get("contextAttributeName") == "id"
    )
    return str(next(ids, ""))


HANDLER = ReloadTaskHandler()
