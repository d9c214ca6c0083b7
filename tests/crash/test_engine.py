"""The behaviour of the in-process engine as a test tool, which the traces do not cover."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pulumi
import pytest

from tests.crash import process
from tests.crash.engine import Engine
from tests.crash.traces.both import PROGRAM

Things = Callable[..., Any]


@pytest.fixture
def make(tmp_path: Path) -> Callable[[Callable[[Things], object]], Engine]:
    """Return a function that creates an engine for a program, which gets the type `Thing` of the traces."""

    def before() -> None:
        os.environ["ALONE"] = "1"
        sys.path.insert(0, str(PROGRAM))

    def engine(main: Callable[[Things], object]) -> Engine:
        def program() -> object:
            from things import Thing  # type: ignore[import-not-found]

            def thing(name: str, options: pulumi.ResourceOptions | None = None, **inputs: Any) -> Any:
                return Thing(name, inputs, options or pulumi.ResourceOptions())

            return main(thing)

        return Engine(tmp_path, program, before=before)

    return engine


def test_resources_are_made_in_the_order_of_the_program(make: Callable[..., Engine]) -> None:
    """Resources without dependencies come first, then the others, always in the same order."""

    def program(thing: Things) -> None:
        late = thing("late", of=thing("first").id)
        for name in ("second", "third"):
            thing(name)
        thing("last", of=late.id)

    engine = make(program)
    expected = ["first", "second", "third", "late", "last"]
    assert engine.up().expect_ok().steps == [f"create Thing {name}" for name in expected]
    assert engine.state.names == [f"Thing {name}" for name in expected]
    assert engine.destroy().expect_ok().steps[-1] == "delete Thing first"


def test_an_error_of_the_program_ends_the_run_before_any_deletion(make: Callable[..., Engine]) -> None:
    """The registered resources are created."""
    fails = False

    def program(thing: Things) -> None:
        thing("first")
        if fails:
            raise ValueError("a typo")
        thing("second")

    engine = make(program)
    engine.up().expect_ok()
    fails = True
    run = engine.up()
    assert run.errors == ["ValueError: a typo"]
    assert engine.state.names == ["Thing first", "Thing second"]


def test_unknown_options_are_refused(make: Callable[..., Engine]) -> None:
    """An option without effect would let a test pass for the wrong reason."""
    engine = make(lambda thing: thing("one", pulumi.ResourceOptions(ignore_changes=["size"]), size=1))
    (error,) = engine.up().errors
    assert "ignoreChanges" in error


def test_a_state_is_kept_and_put_back(make: Callable[..., Engine]) -> None:
    """A copy of the state stays unchanged."""
    engine = make(lambda thing: thing("one", size=1))
    engine.up().expect_ok()
    kept = engine.state
    engine.taint("Thing one")
    assert engine.state["Thing one"].taint
    assert engine.up().expect_ok().steps == ["create Thing one", "delete Thing one"]
    assert engine.state["Thing one"].id == "one-2"
    engine.state = kept
    assert engine.state.as_json() == kept.as_json()
    assert engine.state["Thing one"].id == "one-1"


def test_a_program_that_hangs_is_ended(tmp_path: Path) -> None:
    """The test fails."""
    begun = tmp_path / "begun"

    def hang() -> None:
        begun.write_text(str(os.getpid()))
        time.sleep(600)

    with pytest.raises(AssertionError, match="no end after"):
        process.run(hang, seconds=0.5)
    if begun.exists():
        assert not psutil.pid_exists(int(begun.read_text()))


def test_an_error_in_a_process_fails_the_test(capfd: pytest.CaptureFixture[str]) -> None:
    """Its traceback is shown, and the process does nothing after it."""
    with pytest.raises(AssertionError, match="exit code 70"):
        process.run(lambda: [][0])
    assert "IndexError" in capfd.readouterr().err


def test_a_process_that_dies_runs_nothing_more(tmp_path: Path) -> None:
    """No `finally` runs, as with SIGKILL."""
    done = tmp_path / "done"

    def die() -> None:
        try:
            process.die()
        finally:
            done.touch()

    assert not process.run(die)
    assert not done.exists()
    assert process.run(done.touch)
    assert done.exists()
