"""Tasks that reload published apps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from tenantry.providers.values.days import DEFAULT_ZONE
from tenantry.settings.models.block import AT_CREATION, NO_REQUEST, Block, ResourceMapping, key
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
    """A task that reloads a published app, on a schedule or after another task. It runs as our client's bot
    user. (Scheduling Tasks API)

    Qlik can disable a task, for example after several failures in a row. A refresh shows this as a difference
    in `enabled`, and `up` enables the task again.
    """

    mapping = ResourceMapping(
        "ReloadTask",
        "reload task",
        identity=("name", "app"),
        no_inputs=("app", "space", "after"),
        references=("app", "after_task"),
        output=False,
        has_own_code=True,
    )

    name: TaskName = key(about="Its name at Qlik. Default: the key.")
    app: Text = key(about="Key of the app.", change=NEW_TASK)
    space: Text | None = key(
        None,
        about="Key of the managed space in which the app is published. Required if the app is published in "
        "several spaces.",
        change=NEW_TASK,
    )
    description: TaskDescription | None = key(None, about="Shown in Qlik; 1024 characters at most.")
    enabled: Switch = key(True, about="Whether the task runs.")
    recurrence: Recurrence | None = key(
        None,
        about="When the task runs: a recurrence rule of RFC 5545, such as `FREQ=DAILY;BYHOUR=6;BYMINUTE=0`. "
        "Set either this or `after`.",
    )
    time_zone: TimeZone = key(DEFAULT_ZONE, about="The time zone of the schedule, such as `Europe/Berlin`.")
    starts_at: Moment | None = key(
        None,
        about="The time from which the schedule applies, in the time zone of the task, in quotes: "
        '"2026-12-31T06:00". Default: Qlik chooses it.',
    )
    ends_at: Moment | None = key(None, about="The time until which the schedule applies, in the same form.")
    after: Text | None = key(None, about="Key of the reload task after which this one runs.", change=NEW_TASK)
    after_status: Literal["succeeded", "failed", "any"] | None = key(
        None,
        about="The required result of the other task: `succeeded`, `failed` or `any`. Default: `succeeded`.",
        change=NEW_TASK,
    )
    renamed_from: FormerKeys | None = key(
        None,
        about="The former key, or a list of former keys, so that the new key keeps the same task.",
        change=NO_REQUEST,
    )
    adopt: Switch = key(
        False,
        about="Take over a task of the same app that has this name and that somebody else created.",
        change=AT_CREATION,
    )


def space_of_task(apps: Mapping[str, App], task: ReloadTask) -> str | None:
    """Return the key of the managed space in which the app of a task is published.

    If the task names no space, this is the first space of the app.
    """
    app = apps.get(task.app)
    return task.space or next(iter(app.publish_to or ()) if app else iter(()), None)
