"""Many customers with their state in Postgres or in S3, run from two machines."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tenantry.emulator import Emulator
from tenantry.fleet.unchanged.lookup import compare
from tests.e2e import backends
from tests.e2e.backends import Environment
from tests.e2e.fleet import Fleet
from tests.world import writes

CUSTOMER = {"lifecycle": {"kind": "trial", "ends_on": "2999-12-31"}, "groups": {"Analysts": {}}}
STACKS = ("acme", "globex", "hooli")


@pytest.mark.parametrize("kind", backends.KINDS)
def test_many_customers_in_shards(
    kind: str, new_backend: Callable[[str], Environment], scratch: Path, qlik: Emulator
) -> None:
    """Two runners create their shards at the same time. A third runner sees all stacks, and destroys them."""
    shared = new_backend(kind)
    runners = []
    for number in range(3):
        folder = scratch / f"runner-{number}"
        folder.mkdir()
        runner = Fleet(folder, qlik)
        runner.env |= shared
        for name in STACKS:
            runner.write(name, {"name": name.title(), **CUSTOMER})
        runners.append(runner)
    *workers, third = runners
    commands = [
        ("up", "--all", "--yes", "--skip-preview", "--shard", f"{number}/2", "--json") for number in (1, 2)
    ]
    processes = [worker.start(*command) for worker, command in zip(workers, commands, strict=True)]
    done = [worker.wait(process) for worker, process in zip(workers, processes, strict=True)]
    assert [run.code for run in done] == [0, 0]
    assert [list(run.outcomes) for run in done] == [["acme", "hooli"], ["globex"]]

    status = third.run("status", "--all", "--json").json["stacks"]
    # Results are in the history, which is readable only in a file backend.
    assert [(row["stack"], row["result"], row["resources"]) for row in status] == [
        (name, "", 5) for name in STACKS
    ]
    for worker, made in zip(workers, done, strict=True):
        for name in made.outcomes:  # as after a commit
            third.file(name).write_text(worker.file(name).read_text("utf-8"), "utf-8")
    looked = {**os.environ, **third.env}
    found = [compare(third.project, name, third.file(name), looked, preview=True) for name in STACKS]
    assert [comparison.same for comparison in found] == [5, 5, 5], found
    assert compare(third.project, "acme", third.file("acme"), looked, preview=False).same is None

    third.write("initech", {"name": "Initech", **CUSTOMER})
    preview = third.run("preview", "--all", "--json")
    assert preview.requests == []
    assert {name: (outcome.new, len(outcome.changes)) for name, outcome in preview.outcomes.items()} == {
        **dict.fromkeys(STACKS, (False, 0)),
        "initech": (True, 5),
    }
    assert third.run("up", *STACKS, "--yes").requests == []
    gone = third.run("destroy", *STACKS, "--yes")
    assert [call.rpartition("/")[2] for call in writes(gone.requests)] == ["deactivate"] * 3


@pytest.mark.parametrize("kind", backends.KINDS)
def test_an_unavailable_backend_is_one_line_per_stack(kind: str, scratch: Path, qlik: Emulator) -> None:
    """One line per stack, no request to Qlik, and an error exit code."""
    fleet = Fleet(scratch, qlik)
    for name in STACKS[:2]:
        fleet.write(name, {"name": name.title(), **CUSTOMER})
    done = fleet.run("up", "--all", "--yes", "--json", expect=1, **backends.unreachable(kind))
    assert done.requests == []
    assert [outcome.troubles[0].text.partition(":")[0] for outcome in done.report.outcomes] == [
        "the backend cannot be reached"
    ] * 2
