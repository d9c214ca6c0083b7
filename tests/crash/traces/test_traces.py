"""The in-process engine behaves like the real one: the same calls, and the same state after each command."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.crash.resources import State
from tests.crash.traces import sequences
from tests.crash.traces.both import PROGRAM, InProcess, Real, Step, compare, prepare, seen
from tests.e2e.harness import Stack
from tests.e2e.test_harness import wait_for


@pytest.fixture
def both(make_stack: Callable[..., Stack], tmp_path: Path) -> tuple[Real, InProcess]:
    """The two engines, each without resources."""
    ours = tmp_path / "ours"
    ours.mkdir()
    return Real(make_stack(program=PROGRAM)), InProcess(ours)


@pytest.mark.parametrize(
    "sequence",
    [
        sequences.LIFE,
        sequences.NAMES,
        sequences.FAILURES,
        sequences.HALF_REPLACED,
        sequences.PROTECTED,
        sequences.CHOICES,
        sequences.AT_ONCE,
    ],
    ids=["life", "names", "failures", "half replaced", "protected", "choices", "at once"],
)
def test_a_sequence_of_commands(both: tuple[Real, InProcess], sequence: list[Step]) -> None:
    """After each command, both engines have sent the same calls and have the same state."""
    real, ours = both
    before = State()
    for number, step in enumerate(sequence):
        print(f"step {number}: {step.command}")
        for engine in both:
            prepare(engine.folder, step)
        ended = [engine.take(step) for engine in both]
        assert ended[0] is step.ok
        compare(step, seen(real, ended[0]), seen(ours, ended[1]), before)
        before = real.state()


GROWN = sequences.changed(sequences.CHAIN, b={"size": 2})
KILLED = [
    (Step("up", sequences.CHAIN, {"create c": "hang"}), "creating", Step("up")),
    (
        Step("up", GROWN, {"update b": "hang"}),
        "updating",
        Step("up"),
    ),
    (Step("destroy", None, {"delete b": "hang"}), "deleting", Step("destroy")),
]


def test_killed_runs(both: tuple[Real, InProcess]) -> None:
    """Finished steps are in the state, and the current step is pending there. The next run repeats it."""
    real, ours = both
    before = State()
    for killed, doing, after in KILLED:
        for engine in both:
            prepare(engine.folder, killed)
        kill(real, killed)
        assert not ours.take(killed)
        compare(killed, seen(real, ok=False), seen(ours, ok=False), before)
        assert doing in [operation for operation, _ in ours.state().pending]

        before = real.state()
        for engine in both:
            prepare(engine.folder, after)
        ended = [engine.take(after) for engine in both]
        assert ended == [True, True]
        compare(after, seen(real, ended[0]), seen(ours, ended[1]), before)
        before = real.state()


def kill(real: Real, step: Step) -> None:
    """Run a command of the real engine until it hangs, and kill it."""
    real.stack.write({})
    running = real.stack.start(step.command, "--skip-preview", "--yes", "--parallel", "1")
    wait_for((real.folder / "begun").exists, seconds=60)
    running.signal(signal.SIGKILL)
    running.wait()
    real.stack.close()
    real.stack.cancel()
