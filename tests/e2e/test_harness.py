"""Tests of the harness, with a program that has one dynamic resource with a size."""

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
def sized_stack(make_stack: Callable[..., Stack], tmp_path: Path) -> Stack:
    """A stack of the program above, with size 1."""
    program = tmp_path / "program"
    program.mkdir()
    for name, text in {"Pulumi.yaml": PROJECT, "__main__.py": PROGRAM, "things.py": THINGS}.items():
        (program / name).write_text(text)
    stack = make_stack("small", program=program)
    stack.write({"sizes:size": 1})
    return stack


def test_each_operation_reports_its_changes(sized_stack: Stack) -> None:
    """The changes include only the resources of the program, and not those that the engine adds."""
    assert sized_stack.preview().changes == {"create": ["Thing one"]}
    assert sized_stack.resources() == {}
    assert sized_stack.up().changes == {"create": ["Thing one"]}
    assert sized_stack.outputs()["size"] == 1
    assert sized_stack.up("--expect-no-changes").changes == {"same": 1}
    sized_stack.write({"sizes:size": 2})
    preview = sized_stack.preview()
    assert preview.changes == {"update": ["Thing one"]}
    assert preview.diffs == {"Thing one": {"size": "update"}}
    assert sized_stack.up().changes == {"update": ["Thing one"]}
    sized_stack.write({"sizes:size": 2, "sizes:shape": "round"})
    replaced = sized_stack.up()
    assert replaced.changes == {"replace": ["Thing one"]}
    assert [operation for operation, _ in replaced.operations] == [
        "create-replacement",
        "replace",
        "delete-replaced",
    ]
    assert sized_stack.resources()["Thing one"]["id"] == "id-1"
    assert sized_stack.destroy().changes == {"delete": ["Thing one"]}
    assert sized_stack.resources() == {}


def test_program_and_provider_run_in_the_environment_of_the_cli(sized_stack: Stack) -> None:
    """Neither another `python3` on PATH nor a missing activation of the environment matters."""
    other_python = sized_stack.folder / "bin" / "python3"
    other_python.parent.mkdir()
    other_python.write_text("#!/bin/sh\nexit 9\n")
    other_python.chmod(0o755)
    sized_stack.up(PATH=f"{other_python.parent}:/usr/bin:/bin")
    assert sized_stack.outputs()["pythons"] == [str(PYTHON), str(PYTHON)]


def test_a_refresh_reports_its_findings(sized_stack: Stack) -> None:
    """Drift is an update of the state, a missing object is a deletion, and the rest is the same."""
    sized_stack.up()
    assert sized_stack.refresh().changes == {"same": 1}
    live = sized_stack.folder / "live.txt"
    live.write_text("5")
    drift = sized_stack.refresh()
    assert drift.changes == {"update": ["Thing one"]}
    assert drift.diffs == {"Thing one": {"size": "update"}}
    live.unlink()
    assert sized_stack.refresh().changes == {"delete": ["Thing one"]}


def test_a_failure_shows_the_output(sized_stack: Stack) -> None:
    """An unexpected exit code fails the test with the CLI's output. An expected one returns the result."""
    sized_stack.write({"sizes:size": -1})
    with pytest.raises(AssertionError, match="a negative size"):
        sized_stack.up()
    failed = sized_stack.up(expect=1)
    assert failed.failed == ["Thing one"]
    assert any("a negative size" in error for error in failed.errors)


def test_close_and_cancel_clean_up_after_a_killed_run(sized_stack: Stack) -> None:
    """A SIGKILL of the CLI leaves plugins and a lock. `close` ends the plugins, `cancel` removes the lock."""
    sized_stack.write({"sizes:size": 1, "sizes:slow": 30})
    running = sized_stack.start("up", "--skip-preview", "--yes")
    wait_for((sized_stack.folder / "begun.txt").exists)
    assert running.children("pulumi.dynamic")
    running.signal(signal.SIGKILL)
    killed = running.wait()
    assert killed.rc == -signal.SIGKILL
    assert killed.operations == [("create", "Thing one")]
    assert sized_stack.processes("pulumi.dynamic"), "the provider must outlive the CLI"
    sized_stack.close()
    assert sized_stack.processes() == []
    assert "locked" in sized_stack.refresh(expect=1).output
    sized_stack.cancel()
    assert sized_stack.export()["deployment"]["pending_operations"]


def test_the_language_host_ends_with_its_engine(sized_stack: Stack) -> None:
    """The language host notices a SIGKILL of the CLI."""
    sized_stack.write({"sizes:size": 1, "sizes:slow": 30})
    running = sized_stack.start("up", "--skip-preview", "--yes")
    wait_for((sized_stack.folder / "begun.txt").exists)
    hosts = running.children("language")
    assert hosts
    running.signal(signal.SIGKILL)
    running.wait()
    wait_for(lambda: not sized_stack.processes("language"), seconds=5)


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until `condition()` returns True."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.02)
