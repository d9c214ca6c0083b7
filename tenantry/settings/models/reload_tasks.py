"""When published apps load their data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from tenantry.providers.values.days import DEFAULT_ZONE
from tenantry.settings.models.block import AT_CREATION, NO_REQUEST, Block, Makes, key
from tenantry.settings.models.content import App
from tenantry.settings.values import (
    FormerKeys,
    Moment,
    Recurrence,
    Switch,
    TaskDescription,
    TaskName,
    Text,
    TimeZone,
)

TASKS_PER_APP = 10

NEW_TASK = "replaces the task"


class ReloadTask(Block):
    """A task that reloads a published app: by a schedule, or after another task. Qlik runs it in the name of
    our client's bot user. (Scheduling Tasks API)

    Qlik disables a task by itself, for example after failures in a row. A refresh shows that as a difference
    of `enabled`, and `up` enables the task again.
    """

    makes = Makes(
        "ReloadTask",
        "reload task",
        identity=("name", "app"),
        no_inputs=("app", "space", "after"),
        references=("app", "after_task"),
        output=False,
        by_hand=True,
    )

    name: TaskName = key(about="Its name at Qlik. Default: the key.")
    app: Text = key(about="Key of the app.", change=NEW_TASK)
    space: Text | None = key(
        None,
        about="Key of the managed space in which the app is published. Needed where it is published in "
        "several.",
        change=NEW_TASK,
    )
    description: TaskDescription | None = key(None, about="Shown in Qlik; 1024 characters at most.")
    enabled: Switch = key(True, about="Whether the task runs.")
    recurrence: Recurrence | None = key(
        None,
        about="When the task runs: a recurrence rule of RFC 5545, such as `FREQ=DAILY;BYHOUR=6;BYMINUTE=0`. "
        "Either this or `after`.",
    )
    time_zone: TimeZone = key(DEFAULT_ZONE, about="The time zone of the schedule, such as `Europe/Berlin`.")
    starts_at: Moment | None = key(
        None,
        about="From when on the schedule counts, by the clock of the time zone, in quotes: "
        '"2026-12-31T06:00". Default: Qlik\'s choice.',
    )
    ends_at: Moment | None = key(None, about="Until when the schedule counts, in the same form.")
    after: Text | None = key(None, about="Key of the reload task after which this one runs.", change=NEW_TASK)
    after_status: Literal["succeeded", "failed", "any"] | None = key(
        None,
        about="How the other task has to end: `succeeded`, `failed` or `any`. Default: `succeeded`.",
        change=NEW_TASK,
    )
    renamed_from: FormerKeys | None = key(
        None,
        about="The former key, or several, so that a new key keeps the same task.",
        change=NO_REQUEST,
    )
    adopt: Switch = key(
        False, about="Take over a task of that name that somebody else made for the app.", change=AT_CREATION
    )


def space_of_task(apps: Mapping[str, App], task: ReloadTask) -> str | None:
    """Return the key of the managed space in which the app of a task is published: the first one, if the task
    does not name it.
    """
    app = apps.get(task.app)
    return task.space or next(iter(app.publish_to or ()) if app else iter(()), None)
