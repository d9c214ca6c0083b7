"""The runs on disk. Each run has a folder with the outcome of each stack and the logs of failures.

Each outcome is written as soon as it is known. So you can resume a run that ended early, and you can read its
errors later.
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
from tenantry.settings.project import STACK_NAME

RUNS_KEPT = 20
"""How many runs of each operation are kept for a project. All runs of the last day are kept."""

NOT_ENDED = "the run has not ended: it is still running, or it was killed"
"""The reason for missing stacks in the report of a run."""

TIMESTAMP_FORMAT = "%Y%m%dT%H%M%S%f"

OUTCOMES = "outcomes.jsonl"
CODE = "code"
BY = "by"
REPORT = "report.json"
STACKS = "stacks"


def directory(project: str) -> Path:
    """Return the folder with the runs of a project.

    It is next to the notes of requests, see `TENANTRY_STATE`.
    """
    return notes.directory().parent / "runs" / project


@dataclass(frozen=True)
class Journal:
    """One run: its folder, with a subfolder for each stack and a line for each outcome."""

    folder: Path

    @classmethod
    def begin(cls, project: str, operation: Operation, code: str = "") -> Journal:
        """Create the folder of a new run, and delete the oldest runs of the operation.

        `code` is a digest of the program.
        """
        runs = directory(project)
        runs.mkdir(mode=0o700, parents=True, exist_ok=True)
        now = datetime.now(UTC)
        yesterday = f"{now - timedelta(days=1):{TIMESTAMP_FORMAT}}"
        for old in sorted(runs.glob(f"*-{operation}"))[: -RUNS_KEPT + 1]:
            if old.name < yesterday:  # a newer one may still be running
                shutil.rmtree(old, ignore_errors=True)
        folder = runs / f"{now:{TIMESTAMP_FORMAT}}-{operation}"
        folder.mkdir(mode=0o700)
        (folder / CODE).write_text(code)
        (folder / BY).write_text(_user_and_host(), "utf-8")
        return cls(folder)

    @classmethod
    def last(cls, project: str, operation: Operation) -> Journal | None:
        """Return the newest run of an operation, or None."""
        runs = sorted(directory(project).glob(f"*-{operation}"))
        return cls(runs[-1]) if runs else None

    @classmethod
    def all(cls, project: str) -> list[Journal]:
        """Return the kept runs, the newest first."""
        folders = [run for run in directory(project).glob("*-*") if run.is_dir() and _moment(run.name)]
        return [cls(run) for run in sorted(folders, reverse=True)]

    @property
    def id(self) -> str:
        """The name of the run: its operation and the second in which it began (UTC)."""
        moment, _, operation = self.folder.name.partition("-")
        return f"{operation}-{moment[: -len('ffffff')]}"

    @property
    def operation(self) -> Operation:
        """The operation of the run."""
        return cast(Operation, self.folder.name.partition("-")[2])

    @property
    def started(self) -> datetime:
        """When it began (UTC)."""
        return _moment(self.folder.name) or datetime.fromtimestamp(0, UTC)

    @property
    def by(self) -> str:
        """Who ran it and where, or an empty string if that was not recorded."""
        with suppress(OSError):
            return (self.folder / BY).read_text("utf-8")
        return ""

    def end(self, report: Report) -> None:
        """Save the final report of the run."""
        report.write(self.folder / REPORT)

    def report(self) -> Report:
        """Return the report of the run. For an unfinished run, it has the stacks that are done so far."""
        with suppress(OSError, ValueError):
            return Report.from_json((self.folder / REPORT).read_bytes())
        statuses = {row["stack"]: row["status"] for row in self._rows()}
        outcomes = (
            Outcome(stack, self.operation, cast(Status, statuses[stack])) for stack in sorted(statuses)
        )
        return Report(
            self.operation,
            tuple(outcomes),
            started=self.started.isoformat(timespec="seconds"),
            stopped=NOT_ENDED,
        )

    @classmethod
    def taken_down(cls, project: str) -> dict[str, tuple[str, str]]:
        """Return, by stack, the line that revives a tenant and the day of its purge.

        It is based on the kept runs only.
        """
        rows = (row for run in sorted(directory(project).glob("*-destroy")) for row in cls(run)._rows())
        return {row["stack"]: (row["revive"], row["purged_on"]) for row in rows if "revive" in row}

    def folder_of(self, stack: str) -> Path:
        """Return the folder for the logs of one stack.

        It is always below the run's folder, even for a name such as `../x`.
        """
        return (
            self.folder
            / STACKS
            / (stack if STACK_NAME.fullmatch(stack) else f"_{stack.encode().hex()[:100]}")
        )

    def logs(self) -> Path | None:
        """Return the folder with the logs of failed stacks, or None if there are none."""
        folder = self.folder / STACKS
        return folder if folder.exists() and any(folder.iterdir()) else None

    def add(self, outcome: Outcome) -> None:
        """Write the outcome of a stack. If it succeeded, delete its logs."""
        row = {"stack": outcome.stack, "status": outcome.status, "settings": outcome.settings}
        if outcome.revive:
            row |= {"revive": outcome.revive, "purged_on": outcome.purged_on}
        with (self.folder / OUTCOMES).open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        if not outcome.failed:
            shutil.rmtree(self.folder_of(outcome.stack), ignore_errors=True)

    def finished(self, code: str = "") -> dict[str, str]:
        """Return the stacks that succeeded, each with the digest of its settings.

        Returns an empty mapping if the program has changed. Leaves out stacks that a later run has destroyed,
        even in part.
        """
        if self._code() != code:
            return {}
        digests = {row["stack"]: row["settings"] for row in self._rows() if row["status"] == "ok"}
        for run in self.folder.parent.glob("*-destroy"):
            if run.name > self.folder.name:
                for row in Journal(run)._rows():
                    digests.pop(row["stack"], None)
        return digests

    def _code(self) -> str | None:
        with suppress(FileNotFoundError):  # the run was killed at its start
            return (self.folder / CODE).read_text()
        return None

    def _rows(self) -> Iterator[dict[str, str]]:
        with suppress(FileNotFoundError):
            for line in (self.folder / OUTCOMES).read_text("utf-8").splitlines():
                with suppress(ValueError):  # the run was killed while it wrote this line
                    yield json.loads(line)


def _moment(name: str) -> datetime | None:
    try:
        return datetime.strptime(name.partition("-")[0], TIMESTAMP_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return None


def _user_and_host() -> str:
    """Return the user and the host of this process. In CI, the user is the person who started the job."""
    user = os.environ.get("GITHUB_ACTOR") or os.environ.get("GITLAB_USER_LOGIN")
    if not user:
        try:
            user = getpass.getuser()
        except (KeyError, OSError):  # in a container, the user may have no name
            user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
