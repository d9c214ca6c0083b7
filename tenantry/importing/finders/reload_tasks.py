"""Tasks that reload published apps, by a schedule or after another imported task."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tenantry.importing.findings import Findings, Found
from tenantry.importing.tenant_reader import Json, TenantReader
from tenantry.providers.reload_task import HANDLER
from tenantry.settings.models.reload_tasks import ReloadTask

BLOCK = "reload_tasks"
NO_TRIGGER = "its only trigger is not a recurrence or another task"


def find(reader: TenantReader, findings: Findings) -> None:
    """Import the tasks of the imported publications. A task follows the task that it waits for."""
    published = {item.id: item.live for item in findings.objects if item.kind == "AppPublication"}
    waiting = {task["id"]: task for task in reader.listed(HANDLER.path)}
    names = Counter(_name(task) for task in waiting.values())
    while ready := [task for task in waiting.values() if _upstream(task) not in waiting]:
        for task in ready:
            del waiting[task["id"]]
            why = "another one of the app has the same name" if names[_name(task)] > 1 else ""
            if why := why or _refusal(findings, published, task):
                findings.add_unmanaged(f'reload task "{task["name"]}" ({task["id"]})', why)
            else:
                _take(findings, published[task["resourceId"]], task)
    for task in waiting.values():
        findings.add_unmanaged(f'reload task "{task["name"]}" ({task["id"]})', "it waits for itself")


def _name(task: Json) -> tuple[str, str]:
    return task.get("resourceId", ""), task["name"]


def _upstream(task: Json) -> str:
    return str(HANDLER.decode(task).get("after_task", ""))


def _refusal(findings: Findings, published: dict[str, Any], task: Json) -> str:
    """Return the reason why a task is not imported, or an empty string."""
    live = HANDLER.decode(task)
    if task.get("resourceId") not in published:
        return "its app is not a publication of the stack"
    if bool(live["recurrence"]) is bool(live.get("after_task")):
        return NO_TRIGGER
    if live.get("after_task", "") not in ("", *findings.keys):
        return "the task that it waits for is not managed"
    return ""


def _take(findings: Findings, publication: Json, task: Json) -> None:
    live = HANDLER.decode(task) | {"app": task["resourceId"]}
    live.pop("disabled_code", None)
    names = [name for name in ReloadTask.inputs() if name in live]
    entry = {name: live[name] if live[name] != "" else None for name in names} | {
        "app": findings.keys[publication["source_app"]],
        "space": findings.keys[publication["space"]],
        "after": findings.keys.get(live.get("after_task", "")),
    }
    findings.add_entry(BLOCK, task["id"], entry, "name", "app")
    findings.objects.append(Found("ReloadTask", task["id"], live, ("app", "name")))
