"""The in-process engine makes the same calls as the real one, and has the same state after each command."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.crash.resources import State
from tests.crash.traces import sequences
from tests.crash.traces.comparison import (
    PROGRAM,
    InProcessEngine,
    RealEngine,
    Step,
    compare,
    prepare,
    read_result,
)
from tests.e2e.harness import Stack
from tests.e2e.test_harness import wait_for


@pytest.fixture
def engines(make_stack: Callable[..., Stack], tmp_path: Path) -> tuple[RealEngine, InProcessEngine]:
    """The two engines, each without resources."""
    folder = tmp_path / "in_process"
    folder.mkdir()
    return RealEngine(make_stack(program=PROGRAM)), InProcessEngine(folder)


@pytest.mark.parametrize(
    "sequence",
    [
        sequences.LIFECYCLE,
        sequences.RENAMES,
        sequences.FAILURES,
        sequences.HALF_REPLACED,
        sequences.PROTECTED,
        sequences.TARGETS,
        sequences.PARALLEL,
    ],
    ids=["lifecycle", "renames", "failures", "half replaced", "protected", "targets", "parallel"],
)
def test_both_engines_do_the_same_in_a_sequence_of_commands(
    engines: tuple[RealEngine, InProcessEngine], sequence: list[Step]
) -> None:
    real, in_process = engines
    before = State()
    for number, step in enumerate(sequence):
        print(f"step {number}: {step.command}")
        for engine in engines:
            prepare(engine.folder, step)
        successes = [engine.run(step) for engine in engines]
        assert successes[0] is step.ok
        compare(step, read_result(real, successes[0]), read_result(in_process, successes[1]), before)
        before = real.state()


CHANGED_CHAIN = sequences.changed(sequences.CHAIN, b={"size": 2})
KILLED = [
    (Step("up", sequences.CHAIN, {"create c": "hang"}), "creating", Step("up")),
    (
        Step("up", CHANGED_CHAIN, {"update b": "hang"}),
        "updating",
        Step("up"),
    ),
    (Step("destroy", None, {"delete b": "hang"}), "deleting", Step("destroy")),
]


def test_both_engines_do_the_same_in_killed_runs(engines: tuple[RealEngine, InProcessEngine]) -> None:
    """The state has the finished steps, and the current step as pending. The next run repeats that step."""
    real, in_process = engines
    before = State()
    for killed, operation, after in KILLED:
        for engine in engines:
            prepare(engine.folder, killed)
        kill(real, killed)
        assert not in_process.run(killed)
        compare(killed, read_result(real, ok=False), read_result(in_process, ok=False), before)
        assert operation in [pending for pending, _ in in_process.state().pending]

        before = real.state()
        for engine in engines:
            prepare(engine.folder, after)
        successes = [engine.run(after) for engine in engines]
        assert successes == [True, True]
        compare(after, read_result(real, successes[0]), read_result(in_process, successes[1]), before)
        before = real.state()


def kill(real: RealEngine, step: Step) -> None:
    """Run a command of the real engine until it hangs, and kill it."""
    real.stack.write({})
    running = real.stack.start(step.command, "--skip-preview", "--yes", "--parallel", "1")
    wait_for((real.folder / "begun").exists, seconds=60)
    running.signal(signal.SIGKILL)
    running.wait()
    real.stack.close()
    real.stack.cancel()
