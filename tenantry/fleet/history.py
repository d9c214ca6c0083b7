"""The drift and the last failure of each stack, from the runs that are kept on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tenantry.fleet.journal import Journal
from tenantry.fleet.outcome import Outcome, Report


@dataclass(frozen=True)
class PastRun:
    """A kept run and its report."""

    run: Journal
    report: Report


@dataclass(frozen=True)
class StackResult:
    """The result of one run for one stack."""

    run: Journal
    outcome: Outcome

    @property
    def start_time(self) -> str:
        """When the run began, to the minute (UTC)."""
        return f"{self.run.started:%Y-%m-%d %H:%M}"


@dataclass
class History:
    """The kept runs, the newest first.

    `drift` has the newest run of each stack that compared it with Qlik. `failures` has the newest run that
    failed, unless the same operation has succeeded since.
    """

    runs: list[PastRun] = field(default_factory=list)
    drift: dict[str, StackResult] = field(default_factory=dict)
    failures: dict[str, StackResult] = field(default_factory=dict)


def read(project: str, stacks: Sequence[str], limit: int = 20) -> History:
    """Read the newest runs of a project, at most `limit` of them."""
    history, seen_runs, selected = History(), set[tuple[str, str]](), frozenset(stacks)
    for run in Journal.all(project)[:limit]:
        report = run.report()
        history.runs.append(PastRun(run, report))
        for outcome in report.outcomes:
            if outcome.stack not in selected or outcome.status in ("skipped", "not run"):
                continue
            result = StackResult(run, outcome)
            if outcome.drift or (report.looked and not outcome.failed):
                history.drift.setdefault(outcome.stack, result)
            if (outcome.stack, run.operation) not in seen_runs:
                seen_runs.add((outcome.stack, run.operation))
                if outcome.failed:
                    history.failures.setdefault(outcome.stack, result)
    return history


def logs(outcome: Outcome) -> list[Path]:
    """Return the logs of a failed stack that are on this machine and not empty."""
    folder = Path(outcome.logs)
    if not outcome.logs or not folder.is_absolute():
        return []
    return [file for name in LOGS if (file := folder / name).is_file() and file.stat().st_size]


LOGS = ("errors.txt", "output.txt", "events.json")
"""The log files that a job leaves for a failed stack."""
