"""The real and the in-process engine, which run the same steps, and a comparison of the results."""

from __future__ import annotations

import json
import os
import runpy
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

from tests.crash.engine import Engine
from tests.crash.resources import Resource, State
from tests.e2e.harness import Stack

PROGRAM = Path(__file__).parent / "program"
Doc = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """One command, and what to change before it.

    `program` are the resources (None: as in the step before), and `faults` the errors. `live` changes the
    real objects without the engine. `ok` is the expected success. `targets` and `replace` are names of
    things. `tainted` is a thing to taint. `unprotected` removes all protection.
    """

    command: str
    program: list[Doc] | None = None
    faults: dict[str, str] = field(default_factory=dict)
    live: Callable[[Doc], object] = lambda _: None
    ok: bool = True
    refresh: bool = False
    targets: tuple[str, ...] = ()
    target_dependents: bool = False
    replace: tuple[str, ...] = ()
    tainted: str = ""
    unprotected: bool = False
    parallel: int = 1


@dataclass(frozen=True)
class StepResult:
    """The result of a step with one engine: the calls in order, the real objects, and the state."""

    ok: bool
    calls: list[Doc]
    live: Doc
    state: State

    def comparable_state(self) -> Doc:
        """Return the state without the order of its resources, which is random."""
        entries = {
            f"{resource.urn} {resource.id} {resource.delete}": _sorted(resource)
            for resource in self.state.resources
        }
        return {"resources": entries, "pending": sorted(self.state.pending)}

    def calls_of(self, *names: str, without: str = "") -> list[Doc]:
        """Return the calls for some things, in order, without the calls of one method."""
        return [call for call in self.calls if call["name"] in names and call["method"] != without]


class RealEngine:
    """The real engine in the folder of a stack."""

    def __init__(self, stack: Stack) -> None:
        self.stack, self.folder = stack, stack.folder

    def run(self, step: Step) -> bool:
        """Run the command."""
        if step.tainted:
            self.stack.pulumi("state", "taint", self._urn(step.tainted), "--yes")
        if step.unprotected:
            self.stack.pulumi("state", "unprotect", "--all", "--yes")
        args = ["--parallel", str(step.parallel), *(["--refresh"] if step.refresh else [])]
        for option in ("target", "replace"):
            for name in getattr(step, option if option == "replace" else "targets"):
                args += [f"--{option}", self._urn(name)]
        args += ["--target-dependents"] if step.target_dependents else []
        self.stack.write({})
        return bool(getattr(self.stack, step.command)(*args, expect=None).rc == 0)

    def state(self) -> State:
        """Return the state on disk."""
        path = self.folder / "pulumi" / "state" / ".pulumi" / "stacks" / self.stack.project
        found = json.loads((path / f"{self.stack.name}.json").read_text("utf-8"))
        return State.from_json(found["checkpoint"].get("latest") or {})

    def _urn(self, name: str) -> str:
        known = {entry.urn.rpartition("::")[2]: entry.urn for entry in self.state() if not entry.delete}
        new = "urn:pulumi:globex::things::pulumi-python:dynamic/things:Thing::"
        return known.get(name, f"{new}{name}")


class InProcessEngine:
    """The in-process engine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.engine = Engine(
            folder, self._main, set_up=self._set_up_process, project="things", stack="globex"
        )

    def run(self, step: Step) -> bool:
        """Run the command."""
        if step.tainted:
            self.engine.taint(f"Thing {step.tainted}")
        for name in self.state().names if step.unprotected else ():
            self.engine.unprotect(name)
        self.engine.parallel = step.parallel
        options: Doc = {}
        if step.targets:
            options["targets"] = [f"Thing {name}" for name in step.targets]
        if step.replace:
            options["replace"] = [f"Thing {name}" for name in step.replace]
        if step.target_dependents:
            options["target_dependents"] = True
        if step.refresh:
            options["refresh"] = True
        result = getattr(self.engine, step.command)(**options)
        print(step.command, result)
        assert [(call.method, call.fresh) for call in result.calls] == [
            (call["method"], call.get("fresh", False)) for call in read_log(self.folder)
        ], "the engine's log differs from the provider's log"
        return bool(result.ok)

    def state(self) -> State:
        """Return the state on disk."""
        return self.engine.state

    def _set_up_process(self) -> None:
        os.environ["ALONE"] = "1"
        sys.path.insert(0, str(PROGRAM))

    def _main(self) -> None:
        runpy.run_path(str(PROGRAM / "__main__.py"), run_name="__main__")


def prepare(folder: Path, step: Step) -> None:
    """Write the program and the faults of a step, and change the real objects."""
    for name in ("log.jsonl", "failed", "begun", *(path.name for path in folder.glob("begun *"))):
        (folder / name).unlink(missing_ok=True)
    if step.program is not None:
        (folder / "program.json").write_text(json.dumps(step.program))
    (folder / "faults.json").write_text(json.dumps(step.faults))
    path = folder / "live.json"
    live = json.loads(path.read_text()) if path.exists() else {}
    step.live(live)
    path.write_text(json.dumps(live))


def read_result(engine: RealEngine | InProcessEngine, ok: bool) -> StepResult:
    """Return the result of the step."""
    live = json.loads((engine.folder / "live.json").read_text())
    return StepResult(ok, read_log(engine.folder), live, engine.state())


def read_log(folder: Path) -> list[Doc]:
    """Return the calls of the last step."""
    path = folder / "log.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def compare(step: Step, real: StepResult, in_process: StepResult, before: State) -> None:
    """Check that both results agree. The order matters for each thing, and between dependent things.

    With targets, the engine checks in random order which dependents must be deleted too.
    """
    unordered = "diff" if step.targets else ""
    assert in_process.ok == real.ok
    names = {call["name"] for call in real.calls} | {call["name"] for call in in_process.calls}
    for name in sorted(names):
        assert in_process.calls_of(name) == real.calls_of(name)
    for pair in sorted(_related(before, real.state, names)):
        assert in_process.calls_of(*pair, without=unordered) == real.calls_of(*pair, without=unordered)
    assert in_process.live == real.live
    assert not out_of_order(in_process.state)
    assert in_process.comparable_state() == real.comparable_state()


def out_of_order(state: State) -> list[str]:
    """Return the entries that come before one of their dependencies, which Pulumi refuses."""
    known, too_early = {""}, []
    for resource in state.resources:
        too_early += [resource.urn] if (resource.needs() | {resource.parent}) - known else []
        known.add(resource.urn)
    return too_early


def _related(before: State, after: State, names: set[str]) -> set[tuple[str, str]]:
    """Return the pairs of things with a dependency, before or after."""
    found = set()
    for state in (before, after):
        needs = {
            _name(resource.urn): {_name(urn) for urn in (*resource.needs(), resource.parent)}
            for resource in state
        }
        found |= {
            (first, second)
            for first, second in combinations(sorted(names), 2)
            if second in needs.get(first, ()) or first in needs.get(second, ())
        }
    return found


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]


def _sorted(entry: Resource) -> Doc:
    document = entry.as_json()
    document["dependencies"] = sorted(entry.dependencies)
    document["propertyDependencies"] = {
        name: sorted(urns) for name, urns in entry.propertyDependencies.items() if urns
    }
    return document
