"""The results of a run, for each stack and for all stacks together. They are plain data, stored as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Operation = Literal["preview", "up", "refresh", "destroy", "diff"]

Status = Literal["ok", "failed", "interrupted", "skipped", "not run"]
"""The status of a stack. `skipped`: a remark has the reason. `not run`: the run stopped before this stack."""

DONE_EARLIER = "done in an earlier run"
"""The remark of a stack that a resumed run has skipped."""


@dataclass(frozen=True)
class Difference:
    """A property that differs, with its old and its new value.

    A value is None if it does not exist or is not known yet. A secret is `[secret]`.
    """

    name: str
    old: Any = None
    new: Any = None


@dataclass(frozen=True)
class Change:
    """A change of one resource, such as "App" (`kind`) "Sales Overview" (`name`), or of one setting.

    `operation` is Pulumi's word: create, update, delete, replace, import. `because` are the properties that
    require a replacement.
    """

    operation: str
    kind: str
    name: str
    differences: tuple[Difference, ...] = ()
    because: tuple[str, ...] = ()

    @property
    def resource(self) -> str:
        """Type and name, as messages show them."""
        return f"{self.kind} {self.name}"

    def difference(self, name: str) -> Difference | None:
        """Return the difference of one property, or None."""
        return next((difference for difference in self.differences if difference.name == name), None)


@dataclass(frozen=True)
class Trouble:
    """One error. `text` is a line, `details` is the full text, and `advice` is the next step.

    `where` is the resource ("Space Sales") or the place in a file. `code` and `trace_id` come from Qlik.
    """

    text: str
    where: str = ""
    advice: str = ""
    code: str = ""
    trace_id: str = ""
    details: str = ""

    @property
    def line(self) -> str:
        """The error on one line."""
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.text}{f' → {self.advice}' if self.advice else ''}"


@dataclass(frozen=True)
class Outcome:
    """The result of one stack.

    `changes` are the changes that were made, or that a preview found. `drift` are the differences from the
    state that a refresh found. `same` counts the unchanged resources. `remarks` are lines of the providers,
    and the reason for a skipped stack. `new`: the backend does not have the stack yet. `pinned` are the apps
    for which the customer's own file sets another version than its plan. `revive` is the line that brings
    back a deactivated tenant, and `purged_on` is the day on which Qlik deletes it.
    """

    stack: str
    operation: Operation
    status: Status
    customer: str = ""
    plan: str = ""
    ring: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    drift: tuple[Change, ...] = ()
    same: int = 0
    troubles: tuple[Trouble, ...] = ()
    remarks: tuple[str, ...] = ()
    pinned: tuple[str, ...] = ()
    new: bool = False
    revive: str = ""
    purged_on: str = ""
    seconds: float = 0.0
    exit_code: int | None = None
    logs: str = ""
    """The folder with its logs on the machine that did the work, if it failed."""
    done_before: bool = False
    """Whether a resumed run has skipped it because an earlier run did it."""
    settings: str = ""
    """A digest of the settings of the stack. A run can only be resumed with the same settings."""

    @property
    def counts(self) -> dict[str, int]:
        """How many resources have each operation: create, update, delete, replace."""
        return dict(Counter(change.operation for change in self.changes))

    @property
    def failed(self) -> bool:
        """Whether it failed or was interrupted."""
        return self.status in ("failed", "interrupted")


@dataclass(frozen=True)
class WaveTimes:
    """One wave of a run: how many stacks it ran, and how many of them failed.

    `began` is in seconds after the start of the run. `seconds` is how long the wave took.
    """

    name: str
    stacks: int
    failed: int
    began: float
    seconds: float


@dataclass(frozen=True)
class Report:
    """A run over many stacks. `started` is UTC, ISO 8601.

    `stopped` is the reason if the run ended before all stacks were run. `removed` are stacks whose file was
    removed since the commit `base`. Their tenants still exist.
    """

    operation: Operation
    outcomes: tuple[Outcome, ...]
    started: str = ""
    seconds: float = 0.0
    stopped: str = ""
    removed: tuple[str, ...] = ()
    base: str = ""
    waves: tuple[WaveTimes, ...] = ()
    looked: bool = False
    """Whether the run looked for changes that were made outside of Tenantry."""
    version: int = 1

    def of(self, *statuses: Status) -> list[Outcome]:
        """Return the outcomes with one of these statuses."""
        return [outcome for outcome in self.outcomes if outcome.status in statuses]

    @property
    def failed(self) -> list[Outcome]:
        """The stacks that failed."""
        return [outcome for outcome in self.outcomes if outcome.failed]

    def to_json(self, *, indent: int | None = 2) -> str:
        """Return the report as JSON."""
        return _adapter().dump_json(self, indent=indent).decode()

    def write(self, path: Path) -> None:
        """Write the report to a file as JSON."""
        path.write_text(self.to_json() + "\n", "utf-8")

    @classmethod
    def from_json(cls, text: str | bytes) -> Report:
        """Read a report. Raises ValueError for any other text."""
        return _adapter().validate_json(text)


def merged(reports: Iterable[Report]) -> Report:
    """Merge the reports of shards into one.

    If two reports have the same stack, the later one counts, unless it skipped the stack as done. Raises
    ValueError if there is no report, or if they differ in operation or commit.
    """
    parts = sorted(reports, key=lambda report: (report.started, report.stopped))
    if not parts:
        raise ValueError("there is no report to merge")
    if len({(part.operation, part.base) for part in parts}) > 1:
        raise ValueError("the reports are of different operations, or against different commits")
    started = min(part.started for part in parts)
    outcomes: dict[str, Outcome] = {}
    for outcome in (outcome for part in parts for outcome in part.outcomes):
        if outcome.stack not in outcomes or not outcome.done_before:
            outcomes[outcome.stack] = outcome
    return replace(
        parts[0],
        outcomes=tuple(outcomes[name] for name in sorted(outcomes)),
        started=started,
        seconds=max(part.seconds for part in parts),
        waves=tuple(
            replace(wave, began=wave.began + _between(started, part.started))
            for part in parts
            for wave in part.waves
        ),
        looked=all(part.looked for part in parts),
        stopped="; ".join(dict.fromkeys(part.stopped for part in parts if part.stopped)),
        removed=tuple(sorted({name for part in parts for name in part.removed})),
    )


def _between(earlier: str, later: str) -> float:
    try:
        return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()
    except (ValueError, TypeError):  # the report has no start time
        return 0.0


@cache
def _adapter() -> TypeAdapter[Report]:
    from pydantic import TypeAdapter

    return TypeAdapter(Report)
