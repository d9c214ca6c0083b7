"""Reload tasks in a stack file."""

from __future__ import annotations

import pytest

from tests.settings.conftest import Folder

PLACE = "stacks/Pulumi.globex.yaml"
APPS = """
spaces:
  Staging: {type: shared}
  Sales: {type: managed}
  Partners: {type: managed}
apps:
  Main: {template: Main, version: "1", staging: Staging, publish_to: [Sales]}
  Wide: {template: Wide, version: "1", staging: Staging, publish_to: [Sales, Partners]}
  Draft: {template: Draft, version: "1", staging: Staging}
reload_tasks:
"""
DAILY = "recurrence: FREQ=DAILY"


@pytest.mark.parametrize(
    ("entry", "key", "message"),
    [
        (f"{{app: Mian, {DAILY}}}", "app", 'app "Mian" is not declared under apps; the closest is "Main"'),
        (f"{{app: Draft, {DAILY}}}", "app", 'app "Draft" is not published'),
        (f"{{app: Wide, {DAILY}}}", "space", "set space to one of them: Sales, Partners"),
        (
            f"{{app: Main, space: Partners, {DAILY}}}",
            "space",
            'not published in space "Partners"; it is published in: Sales',
        ),
        ("{app: Main}", "recurrence", "recurrence or after (the key of another task) is required"),
        (f"{{app: Main, {DAILY}, after: Other}}", "after", "set recurrence or after, not both"),
        (
            "{app: Main, after: Othr}",
            "after",
            'reload task "Othr" is not declared under reload_tasks; the closest is',
        ),
        ("{app: Main, after: Task}", "after", "the task waits for itself"),
        (f"{{app: Main, {DAILY}, time_zone: Europe/Atlantis}}", "time_zone", "is not a known time zone"),
        (f"{{app: Main, {DAILY}, after_status: failed}}", "after_status", "belongs to after"),
        ("{app: Main, after: Other, starts_at: '2026-12-31T06:00'}", "starts_at", "belongs to recurrence"),
        ("{app: Main, recurrence: daily}", "recurrence", '"DAILY" is not a part of a recurrence rule'),
        (f"{{app: Main, {DAILY}, starts_at: 2026-12-31T06:00:00Z}}", "starts_at", "put it in quotes"),
        (f"{{app: Main, {DAILY}, ends_at: tomorrow}}", "ends_at", '"tomorrow" is not a local time'),
        (f"{{app: Main, {DAILY}, after_status: done}}", "after_status", '"done" is not allowed; allowed: '),
        (f"{{app: Main, {DAILY}, name: {'x' * 101}}}", "name", "has 101 characters; allowed: 1 to 100"),
        (f"{{app: Main, {DAILY}, name: Other}}", "name", 'name "Other" is taken by reload task "Other"'),
    ],
)
def test_a_mistake_is_reported_in_one_line(folder: Folder, entry: str, key: str, message: str) -> None:
    """The line names the affected key."""
    problems = folder.write(f"{APPS}  Other: {{app: Main, {DAILY}}}\n  Task: {entry}").problems()
    [problem] = [line for line in problems if f"reload_tasks.Task.{key}: " in line]
    assert problem.startswith(f"{PLACE}:")
    assert message in problem
    assert len(problems) == 1 or key == "after_status"


def test_two_tasks_that_wait_for_each_other_are_refused(folder: Folder) -> None:
    """Both are reported, but not the tasks that wait for them."""
    text = "  A: {app: Main, after: B}\n  B: {app: Main, after: A}\n  C: {app: Main, after: B}"
    problems = folder.write(f"{APPS}{text}").problems()
    assert [line.partition(": ")[2].partition(":")[0] for line in problems] == [
        "customer.reload_tasks.A.after",
        "customer.reload_tasks.B.after",
    ]


def test_an_app_has_at_most_ten_tasks(folder: Folder) -> None:
    """The limit applies to each space. A task that does not name the only space counts as well."""
    tasks = "\n".join(f"  T{number}: {{app: Main, {DAILY}}}" for number in range(10))
    folder.write(f"{APPS}{tasks}\n  Wide: {{app: Wide, space: Sales, {DAILY}}}").customer()
    [problem] = folder.write(f"{APPS}{tasks}\n  U: {{app: Main, space: Sales, {DAILY}}}").problems()
    assert 'reload_tasks.U.app: app "Main" has 11 tasks; Qlik allows 10 per app' in problem


def test_a_plan_can_have_tasks_for_apps_that_only_a_customer_publishes(folder: Folder) -> None:
    standard = "apps: {Main: {template: M, version: '1', staging: S}}\n"
    standard += "reload_tasks: {Nightly: {app: Main, recurrence: FREQ=DAILY}}"
    text = "spaces: {S: {type: shared}, Sales: {type: managed}}\napps: {Main: {publish_to: [Sales]}}"
    customer = folder.write(f"plan: standard\n{text}", standard=standard).customer()
    assert customer.reload_tasks["Nightly"].resource_properties() == {
        "name": "Nightly",
        "enabled": True,
        "recurrence": "FREQ=DAILY",
        "time_zone": "UTC",
    }
