"""Pulumi's engine in-process: `up`, `refresh` and `destroy` of one stack, each in its own process.

    engine = Engine(folder, program)
    assert engine.up().ok
    engine.state["Space Sales"].id

The state is a file in the folder. The engine writes it before and after each step, as Pulumi does, so a
killed run leaves the same state as with Pulumi. You can read, change, save and restore `engine.state`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from tests.crash import process, program
from tests.crash.deletions import delete_the_rest
from tests.crash.deployment import Deployment
from tests.crash.goals import Options, Stop
from tests.crash.monitor import Monitor
from tests.crash.provider import Call, Provider
from tests.crash.refreshing import refresh
from tests.crash.resources import STACK, State, urn_of

Program = Callable[[], object]


@dataclass(frozen=True)
class Result:
    """The result of a run.

    `errors` are the errors that the engine shows, `lines` the output of the providers, and `calls` all calls
    of the engine to the providers, in order. A killed run has no errors.
    """

    errors: list[str]
    killed: bool
    calls: list[Call]
    lines: list[str]

    @property
    def ok(self) -> bool:
        """Whether the run ended without an error."""
        return not self.killed and not self.errors

    @property
    def steps(self) -> list[str]:
        """The calls that change an object: "create Space Sales"."""
        return [str(call) for call in self.calls if call.method in ("create", "update", "delete")]

    def expect_ok(self) -> Self:
        """Fail the test if the run failed."""
        assert self.ok, "killed" if self.killed else "\n".join([*self.lines, *self.errors])
        return self


class Engine:
    """One stack.

    Args:
        folder: the folder for the state and the log of each run; also the working directory of the runs.
        main: the program.
        set_up: called first in the process of each run, for example to set its environment.
        parallel: the number of steps that begin at the same time, see `Options`.
    """

    def __init__(
        self,
        folder: Path,
        main: Program,
        *,
        set_up: Callable[[], None] = lambda: None,
        project: str = "tenantry",
        stack: str = "globex",
        parallel: int = 1,
    ) -> None:
        self.folder, self.main, self.set_up = folder, main, set_up
        self.project, self.stack, self.parallel = project, stack, parallel

    @property
    def file(self) -> Path:
        """The path of the state file."""
        return self.folder / "state.json"

    @property
    def state(self) -> State:
        """The state on disk; assign a state to write it."""
        return State.load(self.file)

    @state.setter
    def state(self, state: State) -> None:
        state.save(self.file)

    def up(
        self,
        *,
        refresh: bool = False,
        targets: Iterable[str] = (),
        target_dependents: bool = False,
        replace: Iterable[str] = (),
    ) -> Result:
        """Run `pulumi up --skip-preview`, with `--refresh` and the options for targets and replacement."""
        options = Options(frozenset(targets), target_dependents, frozenset(replace), self.parallel)
        return self._run(options, refreshes=refresh, main=self.main)

    def refresh(self, *, targets: Iterable[str] = ()) -> Result:
        """Run `pulumi refresh --skip-preview`."""
        return self._run(Options(frozenset(targets), parallel=self.parallel), refreshes=True, deletes=False)

    def destroy(
        self, *, refresh: bool = False, targets: Iterable[str] = (), target_dependents: bool = False
    ) -> Result:
        """Run `pulumi destroy --skip-preview`."""
        options = Options(frozenset(targets), target_dependents, parallel=self.parallel)
        return self._run(options, refreshes=refresh)

    def taint(self, name: str) -> None:
        """Run `pulumi state taint`: the next `up` replaces the resource."""
        self._mark(name, taint=True)

    def unprotect(self, name: str) -> None:
        """Run `pulumi state unprotect`."""
        self._mark(name, protect=False)

    def _mark(self, name: str, **marks: bool) -> None:
        state = self.state
        vars(state[name]).update(marks)
        self.state = state

    def _run(
        self, options: Options, *, refreshes: bool, deletes: bool = True, main: Program | None = None
    ) -> Result:
        log, output_file, errors = (
            self.folder / name for name in ("calls.jsonl", "output.txt", "errors.json")
        )
        for path in (log, output_file, errors):
            path.unlink(missing_ok=True)

        def run_in_child() -> None:
            os.chdir(self.folder)
            with (
                log.open("a", buffering=1) as calls,
                output_file.open("a", buffering=1) as output,
                redirect_stdout(output),
            ):
                self.set_up()
                provider = Provider(lambda call: calls.write(json.dumps(asdict(call)) + "\n"))
                run = Deployment(self.state, provider, options, lambda state: state.save(self.file))
                self._execute(run, refreshes=refreshes, deletes=deletes, main=main)
            errors.write_text(json.dumps(run.errors))

        ended = process.run(run_in_child)
        return Result(
            errors=json.loads(errors.read_text()) if ended else [],
            killed=not ended,
            calls=[Call(**json.loads(line)) for line in _lines(log)],
            lines=_lines(output_file),
        )

    def _execute(self, run: Deployment, *, refreshes: bool, deletes: bool, main: Program | None) -> None:
        try:
            if refreshes:
                run.refuse_unknown(run.options.targets)
                refresh(run)
            if main:
                run.refuse_unknown(run.options.replace)
                self._run_program(run, main)
            if deletes and not run.errors:
                delete_the_rest(run)
                run.refuse_unknown(run.options.targets)
        except Stop as error:
            run.errors.append(str(error))
        run.checkpoint.write()

    def _run_program(self, run: Deployment, main: Program) -> None:
        queue = program.EngineQueue()
        monitor = Monitor(run, queue, project=self.project, stack=self.stack)
        run.errors += program.run(main, monitor, queue, project=self.project, stack=self.stack)
        root = run.registered.get(urn_of(self.stack, self.project, "", STACK, f"{self.project}-{self.stack}"))
        if root:
            # A failed run keeps outputs that it did not reach.
            root.outputs = monitor.stack_outputs if not run.errors else root.outputs | monitor.stack_outputs


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines() if path.exists() else []
