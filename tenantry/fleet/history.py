"""What the runs that this machine has kept say of each stack: its drift, and what failed last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tenantry.fleet.journal import Journal
from tenantry.fleet.outcome import Outcome, Report


@dataclass(frozen=True)
class PastRun:
    """One run that was kept, and its report."""

    run: Journal
    report: Report


@dataclass(frozen=True)
class StackResult:
    """What one run says of one stack."""

    run: Journal
    outcome: Outcome

    @property
    def day(self) -> str:
        """When the run began (UTC), to the minute."""
        return f"{self.run.started:%Y-%m-%d %H:%M}"


@dataclass
class History:
    """The runs, the newest first. By stack: `drift` is the newest run that looked at Qlik for it,
    `failures` the newest run that failed, unless the same operation went well since.
    """

    runs: list[PastRun] = field(default_factory=list)
    drift: dict[str, StackResult] = field(default_factory=dict)
    failures: dict[str, StackResult] = field(default_factory=dict)


def of(project: str, stacks: Sequence[str], most: int = 20) -> History:
    """Return what the newest runs of a project say, at most so many; those before them are not read."""
    found, told, wanted = History(), set[tuple[str, str]](), frozenset(stacks)
    for run in Journal.all(project)[:most]:
        report = run.report()
        found.runs.append(PastRun(run, report))
        for outcome in report.outcomes:
            if outcome.stack not in wanted or outcome.status in ("skipped", "not run"):
                continue
            seen = StackResult(run, outcome)
            if outcome.drift or (report.looked and not outcome.failed):
                found.drift.setdefault(outcome.stack, seen)
            if (outcome.stack, run.operation) not in told:
                told.add((outcome.stack, run.operation))
                if outcome.failed:
                    found.failures.setdefault(outcome.stack, seen)
    return found


def logs(outcome: Outcome) -> list[Path]:
    """Return the logs of what failed that are on this machine and not empty."""
    folder = Path(outcome.logs)
    if not outcome.logs or not folder.is_absolute():
        return []
    return [file for name in LOGS if (file := folder / name).is_file() and file.stat().st_size]


LOGS = ("errors.txt", "output.txt", "events.json")
"""What a worker leaves of a failure."""
