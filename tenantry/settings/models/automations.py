"""Automations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tenantry.providers.values import automation_definitions
from tenantry.settings.models.appearance import FromFiles
from tenantry.settings.models.block import AT_CREATION, NO_REQUEST, Block, ResourceMapping, key
from tenantry.settings.values import (
    ConcurrentRuns,
    FormerKeys,
    Interval,
    Name,
    ScheduleTime,
    Switch,
    Text,
    TimeZone,
)
from tenantry.settings.violations import Violation


class AutomationSchedule(Block):
    """When an automation runs by itself."""

    start_at: ScheduleTime = key(about='The first run, as `"2026-12-31 06:00:00"` in `timezone`.')
    stop_at: ScheduleTime | None = key(
        None, about="The time after which it no longer runs, in the same form."
    )
    interval: Interval | None = key(
        None, about="Seconds from one run to the next, in whole minutes: an hour is 3600."
    )
    timezone: TimeZone = key(about="The time zone of the two times, such as `Europe/Berlin`.")


class Automation(FromFiles):
    """An automation. The bot user of our client owns it. Its definition is in a JSON file that you export
    from Qlik's editor. Tenantry does not create the connections that its blocks use. (Automations API)
    """

    mapping = ResourceMapping(
        "Automation",
        "automation",
        identity=("name",),
        no_inputs=("space",),
        from_content=("digest",),
        references=("space",),
        output=False,
    )
    files = ("path",)

    name: Name = key(about="Its name at Qlik. Default: the key.")
    description: Text | None = key(None, about="Shown in Qlik.")
    path: Text = key(
        about="The file with its definition, 2 MB at most. The path starts at the folder of the file that "
        "names it.",
        change="in place; also after a change of the file",
    )
    space: Text | None = key(
        None,
        about="Key of the shared space that contains it. Default: the personal space of our client's bot "
        "user.",
        change="in place: the automation moves",
    )
    values: dict[str, str] = key(
        default_factory=dict,
        about="The text for each placeholder in the file, such as `{{REGION}}`. Do not use secrets: the "
        "definition is readable at Qlik.",
    )
    schedules: list[AutomationSchedule] = key(default_factory=list, about="When it runs by itself.")
    max_concurrent_runs: ConcurrentRuns = key(
        1, about="The largest number of runs at the same time. A setting of the tenant at Qlik limits it."
    )
    enabled: Switch = key(True, about="Whether it can run.")
    renamed_from: FormerKeys | None = key(
        None,
        about="The former key, or a list of former keys, so that the new key keeps the same automation.",
        change=NO_REQUEST,
    )
    adopt: Switch = key(
        False,
        about="Take over an existing automation with this name that somebody else owns. The bot user "
        "becomes its owner. Qlik then deletes the history of its runs and detaches its connections.",
        change=AT_CREATION,
    )

    @classmethod
    def content(cls, key: str, path: Path, entry: Mapping[str, Any]) -> dict[str, str]:
        """Return the digest of the definition with the values of the entry in it."""
        workspace = automation_definitions.read(path).filled(_values(entry))
        return {"digest": automation_definitions.digest(workspace)}

    @classmethod
    def file_rules(cls, key: str, path: Path, entry: Mapping[str, Any]) -> Iterator[Violation]:
        """Check that each placeholder has a value, and that each value has a placeholder."""
        placeholders, values = automation_definitions.read(path).placeholders, _values(entry)
        for placeholder, line in placeholders.items():
            if placeholder not in values:
                text = f"{placeholder} has no value, but {path}:{line} contains {{{{{placeholder}}}}}"
                yield Violation(("values",), text, incomplete=True)
        for value in values:
            if not re.fullmatch(automation_definitions.NAME, value):
                text = (
                    "the name of a placeholder consists of capitals, digits and _, and starts with a capital"
                )
                yield Violation(("values", value), text)
            elif value not in placeholders:
                yield Violation(("values", value), f"{path} does not contain {{{{{value}}}}}")

    def resource_properties(self) -> dict[str, Any]:
        """Leave out what is empty."""
        properties = super().resource_properties()
        properties["schedules"] = [schedule.model_dump(exclude_none=True) for schedule in self.schedules]
        return {name: value for name, value in properties.items() if value not in ({}, [])}


def _values(entry: Mapping[str, Any]) -> dict[str, str]:
    """Return the values of an unchecked entry that are texts."""
    values = entry.get("values")
    found = values.items() if isinstance(values, dict) else ()
    return {str(name): value for name, value in found if isinstance(value, str)}
