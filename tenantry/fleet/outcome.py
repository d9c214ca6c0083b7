"""What became of a run: of each stack, and of all together. Plain data, written and read as JSON."""

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
"""`skipped`: for a reason that is among the remarks. `not run`: the run was stopped before its turn."""

DONE_EARLIER = "done in an earlier run"
"""The remark of a stack that a resumed run has left out."""


@dataclass(frozen=True)
class Difference:
    """One property that differs: its name, the value that it had and the one that it gets.

    A value that is not known yet, or was not there, is None; a secret is `[secret]`.
    """

    name: str
    old: Any = None
    new: Any = None


@dataclass(frozen=True)
class Change:
    """What happens to one resource (`kind` and `name`: "App", "Sales Overview"), or to one setting.

    `operation` is Pulumi's word: create, update, delete, replace, import. `because` are the properties that
    make it a replacement.
    """

    operation: str
    kind: str
    name: str
    differences: tuple[Difference, ...] = ()
    because: tuple[str, ...] = ()

    @property
    def resource(self) -> str:
        """Kind and name, as messages show them."""
        return f"{self.kind} {self.name}"

    def difference(self, name: str) -> Difference | None:
        """Return what differs of one property."""
        return next((difference for difference in self.differences if difference.name == name), None)


@dataclass(frozen=True)
class Trouble:
    """One thing that went wrong. `text` is a line, `details` all that was said of it, `advice` what to do.

    `where` is the resource ("Space Sales") or the place in a file; `code` and `trace_id` are Qlik's.
    """

    text: str
    where: str = ""
    advice: str = ""
    code: str = ""
    trace_id: str = ""
    details: str = ""

    @property
    def line(self) -> str:
        """All of it that fits on one line."""
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.text}{f' → {self.advice}' if self.advice else ''}"


@dataclass(frozen=True)
class Outcome:
    """What became of one stack.

    `drift` is what a refresh found to differ from the state, `changes` what was done, or would be; `same`
    counts the resources that stay. `remarks` are lines that the providers said, and why a stack was skipped.
    `new`: the backend has no such stack yet. `pinned`: apps whose version the customer's own file holds
    against its plan. `revive`: the line with which a tenant that was taken down comes back, `purged_on` the
    day on which Qlik will delete it.
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
    """The folder with its logs, on the machine that did the work; nothing where it went well."""
    done_before: bool = False
    """Whether a resumed run has left it out, since an earlier one had done it."""
    settings: str = ""
    """A digest of the settings that the stack had, so that a run can be resumed only with the same ones."""

    @property
    def counts(self) -> dict[str, int]:
        """How many resources are created, updated, deleted, replaced."""
        return dict(Counter(change.operation for change in self.changes))

    @property
    def failed(self) -> bool:
        """Whether it went wrong, be it in part or because it was interrupted."""
        return self.status in ("failed", "interrupted")


@dataclass(frozen=True)
class WaveTimes:
    """One wave of a run: how many stacks had their turn in it, and how many of them went wrong. It began so
    many seconds after the run, and took so many.
    """

    name: str
    stacks: int
    failed: int
    began: float
    seconds: float


@dataclass(frozen=True)
class Report:
    """A run over many stacks. `started` is UTC, ISO 8601. `stopped` says why not every stack had its turn.

    `removed` are stacks whose file was taken away since the ref that the run compares with: their tenants
    live on. `base` is that ref.
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
    """Whether Qlik was asked for what was changed outside of here."""
    version: int = 1

    def of(self, *statuses: Status) -> list[Outcome]:
        """Return the outcomes with one of these statuses."""
        return [outcome for outcome in self.outcomes if outcome.status in statuses]

    @property
    def failed(self) -> list[Outcome]:
        """The stacks that went wrong."""
        return [outcome for outcome in self.outcomes if outcome.failed]

    def to_json(self, *, indent: int | None = 2) -> str:
        """Return the report as JSON."""
        return _adapter().dump_json(self, indent=indent).decode()

    def write(self, path: Path) -> None:
        """Write the report into a file as JSON."""
        path.write_text(self.to_json() + "\n", "utf-8")

    @classmethod
    def from_json(cls, text: str | bytes) -> Report:
        """Read a report. Raises ValueError for what is none."""
        return _adapter().validate_json(text)


def merged(reports: Iterable[Report]) -> Report:
    """Return the reports of shards as one; of two outcomes of one stack that of the later run counts,
    unless that left it out as done.

    Raises ValueError if there is none, or if they differ in kind.
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


def _between(former: str, later: str) -> float:
    try:
        return (datetime.fromisoformat(later) - datetime.fromisoformat(former)).total_seconds()
    except (ValueError, TypeError):  # a report that does not say when it began
        return 0.0


@cache
def _adapter() -> TypeAdapter[Report]:
    from pydantic import TypeAdapter

    return TypeAdapter(Report)
