"""Runs on disk: a folder each, with what became of every stack as soon as it is known, and logs of failures.

So a run that ends early, whatever ended it, can be resumed, and what went wrong can be read afterwards.
"""

from __future__ import annotations

import getpass
import json
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

from tenantry.fleet.outcome import Operation, Outcome, Report, Status
from tenantry.providers.framework import notes
from tenantry.settings.project import STACK

RUNS_KEPT = 20
"""How many runs of each operation are kept for a project, and all of the last day."""

NOT_ENDED = "it has not ended: it is under way, or was killed"
"""Why the report of a run may lack stacks."""

TIMESTAMP_FORMAT = "%Y%m%dT%H%M%S%f"

OUTCOMES = "outcomes.jsonl"
CODE = "code"
BY = "by"
REPORT = "report.json"
STACKS = "stacks"


def directory(project: str) -> Path:
    """Return where the runs of a project are: beside the notes of requests, see `TENANTRY_STATE`."""
    return notes.directory().parent / "runs" / project


@dataclass(frozen=True)
class Journal:
    """One run: its folder, and in it one folder for each stack and a line for each outcome."""

    folder: Path

    @classmethod
    def begin(cls, project: str, operation: Operation, code: str = "") -> Journal:
        """Make the folder of a new run; the oldest ones of the operation go.

        `code` is a digest of the program that runs.
        """
        runs = directory(project)
        runs.mkdir(mode=0o700, parents=True, exist_ok=True)
        now = datetime.now(UTC)
        yesterday = f"{now - timedelta(days=1):{TIMESTAMP_FORMAT}}"
        for old in sorted(runs.glob(f"*-{operation}"))[: -RUNS_KEPT + 1]:
            if old.name < yesterday:  # else it may be under way
                shutil.rmtree(old, ignore_errors=True)
        folder = runs / f"{now:{TIMESTAMP_FORMAT}}-{operation}"
        folder.mkdir(mode=0o700)
        (folder / CODE).write_text(code)
        (folder / BY).write_text(_whoever_runs(), "utf-8")
        return cls(folder)

    @classmethod
    def last(cls, project: str, operation: Operation) -> Journal | None:
        """Return the newest run of that operation, if there is one."""
        runs = sorted(directory(project).glob(f"*-{operation}"))
        return cls(runs[-1]) if runs else None

    @classmethod
    def all(cls, project: str) -> list[Journal]:
        """Return the runs that are kept, the newest first."""
        found = [run for run in directory(project).glob("*-*") if run.is_dir() and _moment(run.name)]
        return [cls(run) for run in sorted(found, reverse=True)]

    @property
    def id(self) -> str:
        """What the run is called: its operation, and the second in which it began (UTC)."""
        moment, _, operation = self.folder.name.partition("-")
        return f"{operation}-{moment[: -len('ffffff')]}"

    @property
    def operation(self) -> Operation:
        """What was done."""
        return cast(Operation, self.folder.name.partition("-")[2])

    @property
    def started(self) -> datetime:
        """When it began (UTC)."""
        return _moment(self.folder.name) or datetime.fromtimestamp(0, UTC)

    @property
    def by(self) -> str:
        """Who ran it, and where; nothing if it was not noted."""
        with suppress(OSError):
            return (self.folder / BY).read_text("utf-8")
        return ""

    def end(self, report: Report) -> None:
        """Keep the report with which the run has ended."""
        report.write(self.folder / REPORT)

    def report(self) -> Report:
        """Return the report of the run. Of one that has not ended it has the stacks that are done by now."""
        with suppress(OSError, ValueError):
            return Report.from_json((self.folder / REPORT).read_bytes())
        done = {row["stack"]: row["status"] for row in self._rows()}
        outcomes = (Outcome(stack, self.operation, cast(Status, done[stack])) for stack in sorted(done))
        return Report(
            self.operation,
            tuple(outcomes),
            started=self.started.isoformat(timespec="seconds"),
            stopped=NOT_ENDED,
        )

    @classmethod
    def taken_down(cls, project: str) -> dict[str, tuple[str, str]]:
        """Return the line that brings back a tenant, and the day of its purge, by stack, as far as the runs
        that are kept tell.
        """
        rows = (row for run in sorted(directory(project).glob("*-destroy")) for row in cls(run)._rows())
        return {row["stack"]: (row["revive"], row["purged_on"]) for row in rows if "revive" in row}

    def folder_of(self, stack: str) -> Path:
        """Return the folder for the logs of one stack, which is beside those of others whatever its name."""
        return self.folder / STACKS / (stack if STACK.fullmatch(stack) else f"_{stack.encode().hex()[:100]}")

    def logs(self) -> Path | None:
        """Return the folder with the logs that are left, those of failures; None if there are none."""
        folder = self.folder / STACKS
        return folder if folder.exists() and any(folder.iterdir()) else None

    def add(self, outcome: Outcome) -> None:
        """Note what became of a stack; the logs of one that went well are of no more use."""
        row = {"stack": outcome.stack, "status": outcome.status, "settings": outcome.settings}
        if outcome.revive:
            row |= {"revive": outcome.revive, "purged_on": outcome.purged_on}
        with (self.folder / OUTCOMES).open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        if not outcome.failed:
            shutil.rmtree(self.folder_of(outcome.stack), ignore_errors=True)

    def finished(self, code: str = "") -> dict[str, str]:
        """Return the stacks that went well, and the digest of the settings that they had; none if the program
        was another. What a later run destroyed, in part or whole, is not among them.
        """
        if self._code() != code:
            return {}
        done = {row["stack"]: row["settings"] for row in self._rows() if row["status"] == "ok"}
        for run in self.folder.parent.glob("*-destroy"):
            if run.name > self.folder.name:
                for row in Journal(run)._rows():
                    done.pop(row["stack"], None)
        return done

    def _code(self) -> str | None:
        with suppress(FileNotFoundError):  # a run that was killed as it began
            return (self.folder / CODE).read_text()
        return None

    def _rows(self) -> Iterator[dict[str, str]]:
        with suppress(FileNotFoundError):
            for line in (self.folder / OUTCOMES).read_text("utf-8").splitlines():
                with suppress(ValueError):  # the line at which a run was killed
                    yield json.loads(line)


def _moment(name: str) -> datetime | None:
    try:
        return datetime.strptime(name.partition("-")[0], TIMESTAMP_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return None


def _whoever_runs() -> str:
    """Return who runs this process, and where: in CI whoever started the job."""
    user = os.environ.get("GITHUB_ACTOR") or os.environ.get("GITLAB_USER_LOGIN")
    if not user:
        try:
            user = getpass.getuser()
        except (KeyError, OSError):  # a container whose user has no name
            user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
