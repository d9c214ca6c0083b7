"""Reading the states of many stacks: from the files of the backend, or with one `pulumi` per stack."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tenantry.providers.framework import formats
from tenantry.pulumi_internals import backend_files, deployment
from tenantry.pulumi_internals.commands import NO_SUCH_STACK
from tenantry.pulumi_internals.deployment import State
from tenantry.settings.project import Project
from tenantry.state import entries
from tenantry.state.addresses import address_of, folder_of
from tenantry.state.backend import Backend, NewerState, NoSuchStack, PulumiFailed


@dataclass(frozen=True)
class LastRun:
    """The last run that changed a state. `at` is its end (UTC, ISO 8601).

    `operation` and `result` are Pulumi's words, such as "update" and "succeeded". They are empty if only the
    state was read.
    """

    operation: str = ""
    result: str = ""
    at: str = ""


@dataclass(frozen=True)
class Reader:
    """Reads the states of the stacks of a project.

    `folder` has the files of the backend; None for a backend without files or with an unknown layout.
    `failure` is the error if the type of the backend is unknown.
    """

    backend: Backend
    project: str
    folder: Path | None
    failure: PulumiFailed | None = None

    @classmethod
    def of(cls, backend: Backend, project: Project) -> Reader:
        """Return the reader for a project in a backend."""
        try:
            folder = folder_of(address_of(backend), backend.root)
        except PulumiFailed as failure:
            return cls(backend, project.name, None, failure)
        return cls(backend, project.name, folder if folder and backend_files.is_readable(folder) else None)

    def state(self, stack: str) -> State:
        """Return the state of a stack, with secrets encrypted.

        Raises PulumiFailed, NoSuchStack, NewerState.
        """
        if self.failure:
            raise self.failure
        state = self._in_files(self.folder, stack) if self.folder else None
        if state is None:
            return self.backend.state(stack)
        if newer := formats.refusal(entries.format_of(state)):
            raise NewerState(f"stack {stack}", newer)
        return state

    def last_run(self, stack: str, state: State) -> LastRun:
        """Return the last run of a stack. Without files of the backend, only its time is known."""
        run = backend_files.read_last_run(self.folder, self.project, stack) if self.folder else {}
        if not run:
            return LastRun(at=deployment.written_at(state))
        ended = run.get("endTime") or run.get("startTime")
        at = f"{datetime.fromtimestamp(ended, UTC):%Y-%m-%dT%H:%M:%SZ}" if isinstance(ended, int) else ""
        return LastRun(str(run.get("kind", "")), str(run.get("result", "")), at)

    def stacks(self) -> list[str]:
        """Return the names of the project's stacks in the backend. Raises PulumiFailed."""
        if self.folder:
            return [name for of, name in backend_files.stacks_in(self.folder) if of == self.project]
        if self.failure:
            raise self.failure
        return self.backend.stacks()

    def _in_files(self, folder: Path, stack: str) -> State | None:
        what = f"the state of stack {stack}"
        try:
            return backend_files.read_state(folder, self.project, stack)
        except FileNotFoundError:
            raise NoSuchStack(what, f"no stack named '{stack}' found", NO_SUCH_STACK) from None
        except OSError as error:
            raise PulumiFailed(what, f"{error.filename}: {error.strerror}") from None
        except ValueError as error:
            raise PulumiFailed(what, f"its file is not complete JSON: {error}") from None
