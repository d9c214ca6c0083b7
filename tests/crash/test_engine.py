"""The behaviour of the in-process engine that the traces do not cover."""

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
from tests.crash.traces.comparison import PROGRAM

Things = Callable[..., Any]


@pytest.fixture
def create_engine(tmp_path: Path) -> Callable[[Callable[[Things], object]], Engine]:
    """Return a function that creates an engine for a program, which gets the type `Thing` of the traces."""

    def set_up() -> None:
        os.environ["ALONE"] = "1"
        sys.path.insert(0, str(PROGRAM))

    def engine(main: Callable[[Things], object]) -> Engine:
        def program() -> object:
            from things import Thing  # type: ignore[import-not-found]

            def thing(name: str, options: pulumi.ResourceOptions | None = None, **inputs: Any) -> Any:
                return Thing(name, inputs, options or pulumi.ResourceOptions())

            return main(thing)

        return Engine(tmp_path, program, set_up=set_up)

    return engine


def test_resources_are_created_in_the_order_of_the_program(create_engine: Callable[..., Engine]) -> None:
    """Resources without dependencies come first, then the others, always in the same order."""

    def program(thing: Things) -> None:
        late = thing("late", of=thing("first").id)
        for name in ("second", "third"):
            thing(name)
        thing("last", of=late.id)

    engine = create_engine(program)
    expected = ["first", "second", "third", "late", "last"]
    assert engine.up().expect_ok().steps == [f"create Thing {name}" for name in expected]
    assert engine.state.names == [f"Thing {name}" for name in expected]
    assert engine.destroy().expect_ok().steps[-1] == "delete Thing first"


def test_an_error_of_the_program_ends_the_run_before_any_deletion(
    create_engine: Callable[..., Engine],
) -> None:
    """The run creates the registered resources, and deletes none."""
    fails = False

    def program(thing: Things) -> None:
        thing("first")
        if fails:
            raise ValueError("a typo")
        thing("second")

    engine = create_engine(program)
    engine.up().expect_ok()
    fails = True
    run = engine.up()
    assert run.errors == ["ValueError: a typo"]
    assert engine.state.names == ["Thing first", "Thing second"]


def test_unknown_options_are_refused(create_engine: Callable[..., Engine]) -> None:
    """If the engine ignored an option, a test could pass for the wrong reason."""
    engine = create_engine(
        lambda thing: thing("one", pulumi.ResourceOptions(ignore_changes=["size"]), size=1)
    )
    (error,) = engine.up().errors
    assert "ignoreChanges" in error


def test_a_state_can_be_saved_and_restored(create_engine: Callable[..., Engine]) -> None:
    """Later runs do not change the saved state."""
    engine = create_engine(lambda thing: thing("one", size=1))
    engine.up().expect_ok()
    saved = engine.state
    engine.taint("Thing one")
    assert engine.state["Thing one"].taint
    assert engine.up().expect_ok().steps == ["create Thing one", "delete Thing one"]
    assert engine.state["Thing one"].id == "one-2"
    engine.state = saved
    assert engine.state.as_json() == saved.as_json()
    assert engine.state["Thing one"].id == "one-1"


def test_a_program_that_hangs_is_killed_and_fails_the_test(tmp_path: Path) -> None:
    begun = tmp_path / "begun"

    def hang() -> None:
        begun.write_text(str(os.getpid()))
        time.sleep(600)

    with pytest.raises(AssertionError, match="the run has not ended after"):
        process.run(hang, seconds=0.5)
    if begun.exists():
        assert not psutil.pid_exists(int(begun.read_text()))


def test_an_error_in_a_process_fails_the_test(capfd: pytest.CaptureFixture[str]) -> None:
    """The output has its traceback."""
    with pytest.raises(AssertionError, match="exit code 70"):
        process.run(lambda: [][0])
    assert "IndexError" in capfd.readouterr().err


def test_a_process_that_dies_runs_no_finally_block(tmp_path: Path) -> None:
    """A kill with SIGKILL has the same effect."""
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
