"""Tasks that reload apps on a schedule or after another task. They run by the emulator's clock."""

from __future__ import annotations

import uuid
from typing import Any

from tenantry.emulator import recurrences
from tenantry.emulator.apis import apps
from tenantry.emulator.call import Call, Reply, operation
from tenantry.emulator.clock import iso
from tenantry.emulator.errors import Refusal
from tenantry.emulator.load_scripts import load
from tenantry.emulator.paging import page
from tenantry.emulator.store import Doc, public
from tenantry.emulator.world import CHORES, World

API = "scheduling-tasks"
KIND = "task"
TASKS_PER_APP = 10
FAILURES_IN_A_ROW = 5
"""After this many failures in a row the service disables a task."""

MAX_NAME_LENGTH, MAX_DESCRIPTION_LENGTH = 100, 1024
NEVER = float("inf")
BY_TIME, BY_EVENT = 0, 1
STATUSES = {"succeeded": "SUCCEEDED", "failed": "FAILED"}


@operation(API, "listTasks")
def listing(call: Call) -> Reply:
    """Return a page: all tasks for an administrator, else the tasks of apps that the caller may see."""
    app_id = call.query.get("resourceId")
    found = [
        task
        for task in call.store.all(call.tenant_id, KIND)
        if app_id in (None, task["resourceId"]) and _is_visible(call, task)
    ]
    data, links = page(call, found, default=20, sort="-updatedAt", key=_sort_value, cursors=("page", ""))
    return Reply(200, {"data": [public(task) for task in data], "links": links})


@operation(API, "createReloadTaskOnTimeSchedule")
def create_by_time(call: Call) -> Reply:
    """Create a task with a schedule. It first runs at the next time of the schedule, not now."""
    app = _app(call)
    names = ("recurrence", "timezone", "startDateTime", "endDateTime")
    schedule = {name: call.body[name] for name in names if name in call.body}
    _check_schedule(call.world, schedule)
    return _create(call, app, BY_TIME, {"start": {"stateName": "reload", "schedule": schedule}})


@operation(API, "createReloadTaskOnTaskEvent")
def create_by_event(call: Call) -> Reply:
    """Create a task that runs after another task."""
    app = _app(call)
    upstream = call.store.get(call.tenant_id, KIND, call.body.get("onTaskId", ""))
    if upstream is None:
        raise Refusal(400, code="CHO-016", detail="onTaskId is not a task of this tenant")
    if not _is_visible(call, upstream):
        raise Refusal(403, code="CHO-015", detail="the caller may not read the app of that task")
    pairs = {"id": upstream["id"], "appId": upstream["resourceId"]}
    if status := STATUSES.get(call.body.get("onTaskStatus", "any")):
        pairs["status"] = status
    event = {
        "name": "upstream finished",
        "type": "com.qlik.v1.task.run.finished",
        "source": "system-events.task",
        "correlation": [
            {"contextAttributeName": name, "contextAttributeValue": value} for name, value in pairs.items()
        ],
    }
    return _create(call, app, BY_EVENT, {"events": [event]})


@operation(API, "getTask")
def get(call: Call) -> Reply:
    """Read a task."""
    return Reply(200, public(_find(call)))


@operation(API, "patchTask")
def patch(call: Call) -> Reply:
    """Change parts of the definition. The caller becomes the owner of the task."""
    task = _find(call)
    app = apps.find(call, task["resourceId"])
    apps.require_editor(call, app)
    was_enabled = task["enabled"]
    patched = public(task)
    for change in call.body:
        _apply(patched, change)
    fixed_members = ("id", "resourceId", "metadata", "states")
    task |= {name: value for name, value in patched.items() if name not in fixed_members}
    for name in task.keys() - patched.keys():
        if not name.startswith("_") and name not in fixed_members:
            del task[name]
    task.setdefault("enabled", False)
    call.operation.document.check({"$ref": "#/components/schemas/Task"}, public(task))
    _check_texts(task)
    if isinstance(schedule := task.get("start", {}).get("schedule"), dict):
        _check_schedule(call.world, schedule)
    now = call.world.now()
    task["metadata"] |= {"ownerId": call.user_id, "updatedAt": iso(now)}
    if task["enabled"]:
        task["metadata"].pop("disabledCode", None)
        task["_failures"] = 0
    elif was_enabled:
        task["metadata"]["disabledCode"] = "MANUALLY"
    return Reply(200, public(_put(call.world, call.tenant_id, task)))


@operation(API, "deleteTask")
def delete(call: Call) -> Reply:
    """Delete a task. Tasks that wait for it are not deleted, but they never run again."""
    task = _find(call)
    if not call.is_admin:
        apps.require_editor(call, apps.find(call, task["resourceId"]))
    call.store.delete(call.tenant_id, KIND, task["id"])
    return Reply(204)


def run_due(world: World) -> None:
    """Run every task that is due. If several runs of a task are due, run only the last one."""
    now = world.now()
    if now < world.next_task:
        return
    with world.store.transaction():
        for tenant_id, task in _all(world):
            if task["_due"] is not None and task["_due"] <= now:
                moment = recurrences.last_until(_schedule(task), task["_due"], now)
                _run(world, tenant_id, task, moment)
        world.next_task = min(
            (task["_due"] for _, task in _all(world) if task["_due"] is not None), default=NEVER
        )


CHORES.append(run_due)


def _all(world: World) -> list[tuple[str, Doc]]:
    return [(task["metadata"]["tenantId"], task) for task in world.store.all_tenants(KIND)]


def _run(world: World, tenant_id: str, task: Doc, moment: float) -> None:
    """Reload the app at a given time, then run the tasks that wait for this task."""
    app = world.store.get(tenant_id, "app", task["resourceId"])
    succeeded = app is not None and "_deleted_at" not in app
    if app and succeeded:
        data = load(app["_script"], {}, int(world.settings.reload_rows))
        changes = {"lastReloadTime": iso(moment), "_data": data}
        apps.save(world, tenant_id, apps.with_last_reload(world, app) | changes)
    task["_failures"] = 0 if succeeded else task["_failures"] + 1
    if task["_failures"] >= FAILURES_IN_A_ROW:
        task["enabled"] = False
        task["metadata"]["disabledCode"] = "CONSECUTIVE-FAILURES"
    _put(world, tenant_id, task, after=world.now())
    outcome = {"id": task["id"], "status": "SUCCEEDED" if succeeded else "FAILED"}
    for other in world.store.all(tenant_id, KIND):
        if other["enabled"] and _waits_for(other, outcome):
            _run(world, tenant_id, other, moment)


def _waits_for(task: Doc, outcome: dict[str, str]) -> bool:
    pairs = {
        pair["contextAttributeName"]: pair.get("contextAttributeValue")
        for event in task.get("events", [])
        for pair in event.get("correlation", [])
    }
    conditions = {name: value for name, value in pairs.items() if name in outcome}
    return "id" in conditions and conditions.items() <= outcome.items()


def _create(call: Call, app: Doc, trigger: int, definition: Doc) -> Reply:
    tasks = call.store.all(call.tenant_id, KIND)
    if sum(task["resourceId"] == app["id"] for task in tasks) >= TASKS_PER_APP:
        raise Refusal(422, "Unprocessable entity", code="CHO-014", detail="the app already has 10 tasks")
    now = iso(call.world.now())
    action = {
        "name": "app.reload",
        "functionRef": {"refName": "app.reload", "arguments": {"appId": app["id"], "partial": False}},
    }
    refs = [event["name"] for event in definition.get("events", [])]
    task: Doc = {
        "id": str(uuid.uuid4()),
        "name": call.body.get("name", "Reload"),
        "description": call.body.get("description", ""),
        "enabled": call.body.get("enabled", False),
        "version": "1.0.0",
        "specVersion": "1.16.0",
        "resourceId": app["id"],
        **definition,
        "states": [
            {
                "name": "reload",
                "type": "EVENT",
                "end": True,
                "onEvents": [{"eventRefs": refs, "actions": [action]}],
            }
        ],
        "metadata": {
            "usage": "ANALYTICS",
            "ownerId": call.user_id,
            "spaceId": app["spaceId"],
            "tenantId": call.tenant_id,
            "trigger": {"type": trigger, "id": str(uuid.uuid4())},
            "createdAt": now,
            "createdBy": call.user_id,
            "updatedAt": now,
            "resourceName": app["name"],
            "resourceType": "app",
        },
        "_failures": 0,
    }
    _check_texts(task)
    return Reply(201, public(_put(call.world, call.tenant_id, task)))


def _put(world: World, tenant_id: str, task: Doc, after: float | None = None) -> Doc:
    """Store a task with the time of its next run."""
    start = world.now() if after is None else after
    task["_due"] = recurrences.next_after(_schedule(task), start) if task["enabled"] else None
    if task["_due"] is not None:
        world.next_task = min(world.next_task, task["_due"])
    return world.store.put(tenant_id, KIND, task)


def _schedule(task: Doc) -> Doc:
    """Return the schedule of a task. Without a start time, it starts when the task is created."""
    schedule = task.get("start", {}).get("schedule")
    if not isinstance(schedule, dict):
        return {}
    created = {"startDateTime": task["metadata"]["createdAt"]}
    return created | schedule


def _check_schedule(world: World, schedule: Doc) -> None:
    if problem := recurrences.find_problem(schedule, world.now()):
        raise Refusal(400, code="CHO-017", detail=problem)


def _check_texts(task: Doc) -> None:
    lengths = ((task["name"], MAX_NAME_LENGTH), (task.get("description", ""), MAX_DESCRIPTION_LENGTH))
    if not task["name"] or any(len(text) > max_length for text, max_length in lengths):
        raise Refusal(400, code="CHO-001", detail="name is missing, or name or description is too long")


def _app(call: Call) -> Doc:
    """Return the app in the path. Refuse with 403 if the app is unknown or the caller may not reload it."""
    try:
        app = apps.find(call, call.path["id"])
        apps.require_editor(call, app)
    except Refusal:
        raise Refusal(403, code="CHO-003", detail="the caller may not reload this app") from None
    return app


def _find(call: Call) -> Doc:
    task = call.store.get(call.tenant_id, KIND, call.path["id"])
    if task is None or not _is_visible(call, task):
        raise Refusal(404, code="CHO-004")
    return task


def _is_visible(call: Call, task: Doc) -> bool:
    app = call.store.get(call.tenant_id, "app", task["resourceId"])
    return call.is_admin or (app is not None and apps.is_visible(call, app))


def _sort_value(task: Doc, field: str) -> str:
    return str(task.get(field) or task["metadata"].get(field) or "")


def _apply(doc: Doc, change: Doc) -> None:
    """Apply one JSON Patch operation to a member of an object or an item of a list."""
    *steps, last = [step.replace("~1", "/").replace("~0", "~") for step in change["path"].split("/")[1:]] or [
        ""
    ]
    target: Any = doc
    for step in steps:
        target = _member(target, step, change["path"])
    exists = (isinstance(target, dict) and last in target) or (
        isinstance(target, list) and last.isdecimal() and int(last) < len(target)
    )
    if change["op"] not in ("add", "replace", "remove") or not isinstance(target, dict | list):
        raise Refusal(400, code="CHO-001", detail="the emulator supports add, replace and remove only")
    if not exists and (change["op"] != "add" or isinstance(target, list)):
        raise Refusal(400, code="CHO-001", detail=f"unknown path: {change['path'][:80]}")
    key: Any = int(last) if isinstance(target, list) else last
    if change["op"] == "remove":
        del target[key]
    elif "value" not in change:
        raise Refusal(400, code="CHO-001", detail="value is missing")
    else:
        target[key] = change["value"]


def _member(target: Any, step: str, path: str) -> Any:
    if isinstance(target, dict) and step in target:
        return target[step]
    if isinstance(target, list) and step.isdecimal() and int(step) < len(target):
        return target[int(step)]
    raise Refusal(400, code="CHO-001", detail=f"unknown path: {path[:80]}")
