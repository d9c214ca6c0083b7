"""The harness itself, with a program that has one dynamic resource with a size."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.harness import PULUMI, Stack

PYTHON = PULUMI.with_name("python")

PROJECT = """\
name: sizes
runtime: {name: python, options: {toolchain: pip}}
"""
PROGRAM = """\
import sys
import pulumi
from things import Thing
config = pulumi.Config()
slow, shape = config.get_float("slow") or 0, config.get("shape")
thing = Thing("one", size=config.require_int("size"), slow=slow, shape=shape)
pulumi.export("size", thing.size)
pulumi.export("pythons", pulumi.Output.all(sys.executable, thing.python))
"""
THINGS = """\
import sys
import time
import pathlib
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource, ResourceProvider, UpdateResult

LIVE = pathlib.Path("live.txt")

class Provider(ResourceProvider):
    def diff(self, id, old, new):
        return DiffResult(replaces=["shape"] if old.get("shape") != new.get("shape") else [])

    def create(self, props):
        pathlib.Path("begun.txt").touch()
        time.sleep(props["slow"])
        if props["size"] < 0:
            raise Exception("a negative size")
        LIVE.write_text(str(int(props["size"])))
        return CreateResult("id-1", {**props, "python": sys.executable})

    def update(self, id, old, new):
        LIVE.write_text(str(int(new["size"])))
        return UpdateResult({**new, "python": sys.executable})

    def read(self, id, props):
        if not LIVE.exists():
            return ReadResult("", {})
        live = {**props, "size": int(LIVE.read_text())}
        return ReadResult(id, live, {key: live[key] for key in ("size", "slow", "shape") if key in live})

class Thing(Resource, module="sizes", name="Thing"):
    size: object
    python: object
    def __init__(self, resource_name, **props):
        super().__init__(Provider(), resource_name, {**props, "python": None})
"""


@pytest.fixture
def sized(make_stack: Callable[..., Stack], tmp_path: Path) -> Stack:
    """A stack of the program above, with size 1."""
    program = tmp_path / "program"
    program.mkdir()
    for name, text in {"Pulumi.yaml": PROJECT, "__main__.py": PROGRAM, "things.py": THINGS}.items():
        (program / name).write_text(text)
    stack = make_stack("small", program=program)
    stack.write({"sizes:size": 1})
    return stack


def test_a_stack_is_created_changed_and_destroyed(sized: Stack) -> None:
    """Each operation reports the changes and their kinds, only for the program's own resources."""
    assert sized.preview().changes == {"create": ["Thing one"]}
    assert sized.resources() == {}
    assert sized.up().changes == {"create": ["Thing one"]}
    assert sized.outputs()["size"] == 1
    assert sized.up("--expect-no-changes").changes == {"same": 1}
    sized.write({"sizes:size": 2})
    preview = sized.preview()
    assert preview.changes == {"update": ["Thing one"]}
    assert preview.diffs == {"Thing one": {"size": "update"}}
    assert sized.up().changes == {"update": ["Thing one"]}
    sized.write({"sizes:size": 2, "sizes:shape": "round"})
    replaced = sized.up()
    assert replaced.changes == {"replace": ["Thing one"]}
    assert [operation for operation, _ in replaced.operations] == [
        "create-replacement",
        "replace",
        "delete-replaced",
    ]
    assert sized.resources()["Thing one"]["id"] == "id-1"
    assert sized.destroy().changes == {"delete": ["Thing one"]}
    assert sized.resources() == {}


def test_program_and_provider_run_in_the_environment_of_the_cli(sized: Stack) -> None:
    """The first `python3` on PATH and the activation of the environment do not matter."""
    foreign = sized.folder / "bin" / "python3"
    foreign.parent.mkdir()
    foreign.write_text("#!/bin/sh\nexit 9\n")
    foreign.chmod(0o755)
    sized.up(PATH=f"{foreign.parent}:/usr/bin:/bin")
    assert sized.outputs()["pythons"] == [str(PYTHON), str(PYTHON)]


def test_a_refresh_reports_what_it_found(sized: Stack) -> None:
    """Drift is an update of the state, a missing object is a deletion, and the rest is the same."""
    sized.up()
    assert sized.refresh().changes == {"same": 1}
    live = sized.folder / "live.txt"
    live.write_text("5")
    drift = sized.refresh()
    assert drift.changes == {"update": ["Thing one"]}
    assert drift.diffs == {"Thing one": {"size": "update"}}
    live.unlink()
    assert sized.refresh().changes == {"delete": ["Thing one"]}


def test_a_failure_shows_the_output(sized: Stack) -> None:
    """An unexpected exit code fails the test with the CLI's output; an expected one returns the result."""
    sized.write({"sizes:size": -1})
    with pytest.raises(AssertionError, match="a negative size"):
        sized.up()
    failed = sized.up(expect=1)
    assert failed.failed == ["Thing one"]
    assert any("a negative size" in error for error in failed.errors)


def test_a_killed_run_leaves_nothing_behind(sized: Stack) -> None:
    """A SIGKILL of the CLI leaves plugins and a lock. `close` ends the plugins, `cancel` removes the lock."""
    sized.write({"sizes:size": 1, "sizes:slow": 30})
    running = sized.start("up", "--skip-preview", "--yes")
    wait_for((sized.folder / "begun.txt").exists)
    assert running.children("pulumi.dynamic")
    running.signal(signal.SIGKILL)
    killed = running.wait()
    assert killed.rc == -signal.SIGKILL
    assert killed.operations == [("create", "Thing one")]
    assert sized.processes("pulumi.dynamic"), "the provider is expected to outlive the CLI"
    sized.close()
    assert sized.processes() == []
    assert "locked" in sized.refresh(expect=1).output
    sized.cancel()
    assert sized.export()["deployment"]["pending_operations"]


def test_the_language_host_ends_with_its_engine(sized: Stack) -> None:
    """It notices a SIGKILL of the CLI within a second, and prints nothing when a signal stops it."""
    sized.write({"sizes:size": 1, "sizes:slow": 30})
    running = sized.start("up", "--skip-preview", "--yes")
    wait_for((sized.folder / "begun.txt").exists)
    hosts = running.children("language")
    assert hosts
    running.signal(signal.SIGKILL)
    running.wait()
    wait_for(lambda: not sized.processes("language"), seconds=5)


def wait_for(true: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until `true()` returns True."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.02)
