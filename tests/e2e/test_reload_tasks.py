"""Scheduled reloads of published apps."""

from __future__ import annotations

from tenantry.emulator import Emulator
from tests.e2e.customers import GLOBEX, settings, with_changes
from tests.e2e.harness import Stack
from tests.e2e.operations import bring_up
from tests.world import writes

TASKS = {
    "Afterwards": {"app": "Sales Overview", "after": "Nightly"},
    "Nightly": {"app": "Sales Overview", "recurrence": "FREQ=DAILY;BYHOUR=6", "time_zone": "Europe/Berlin"},
}
DAY = 86_400


def test_reload_tasks_are_created_updated_repaired_and_deleted(stack: Stack, qlik: Emulator) -> None:
    """A new version of the app keeps its tasks."""
    customer = with_changes(GLOBEX, ("reload_tasks", TASKS))
    world = bring_up(stack, qlik, customer)
    tasks = {task["name"]: task for task in world.every("task")}
    published = world.apps["Sales", "Sales Overview"]["id"]
    assert {task["resourceId"] for task in tasks.values()} == {published}
    qlik.control.advance(2 * DAY)
    assert world.apps["Sales", "Sales Overview"]["lastReloadTime"] > tasks["Nightly"]["metadata"]["createdAt"]

    newer = with_changes(customer, ("apps/Sales Overview/version", "2.4.0"))
    stack.write(**settings(newer))
    stack.up()
    assert {task["id"] for task in world.every("task")} == {task["id"] for task in tasks.values()}
    assert world.apps["Sales", "Sales Overview"]["id"] == published

    world.join(world.spaces["Sales"]["id"])
    patch = [{"op": "replace", "path": "/enabled", "value": False}]
    path = f"/api/scheduling/tasks/{tasks['Nightly']['id']}"
    qlik.request("PATCH", world.hostname, path, patch)
    assert stack.preview("--refresh").diffs == {"ReloadTask Nightly": {"enabled": "update"}}
    stack.up("--refresh")
    assert all(task["enabled"] for task in world.every("task"))

    stack.write(**settings(with_changes(newer, ("reload_tasks/Nightly/time_zone", "Asia/Tokyo"))))
    assert len(writes(stack.up().requests)) == 1
    stack.write(**settings(with_changes(newer, ("reload_tasks", {}))))
    stack.up()
    assert world.every("task") == []
