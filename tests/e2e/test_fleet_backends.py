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
def test_two_runners_create_their_shards_at_the_same_time(
    kind: str, new_backend: Callable[[str], Environment], scratch: Path, qlik: Emulator
) -> None:
    """A third runner, which shares only the backend, reads all stacks and destroys them."""
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
    results = [worker.wait(process) for worker, process in zip(workers, processes, strict=True)]
    assert [run.code for run in results] == [0, 0]
    assert [list(run.outcomes) for run in results] == [["acme", "hooli"], ["globex"]]

    status = third.run("status", "--all", "--json").json["stacks"]
    # `result` is empty because Tenantry reads the history only from a file backend.
    assert [(row["stack"], row["result"], row["resources"]) for row in status] == [
        (name, "", 5) for name in STACKS
    ]
    for worker, result in zip(workers, results, strict=True):
        for name in result.outcomes:  # as a commit and a pull would do
            third.file(name).write_text(worker.file(name).read_text("utf-8"), "utf-8")
    environment = {**os.environ, **third.env}
    comparisons = [
        compare(third.project, name, third.file(name), environment, preview=True) for name in STACKS
    ]
    assert [comparison.same for comparison in comparisons] == [5, 5, 5], comparisons
    assert compare(third.project, "acme", third.file("acme"), environment, preview=False).same is None

    third.write("initech", {"name": "Initech", **CUSTOMER})
    preview = third.run("preview", "--all", "--json")
    assert preview.requests == []
    assert {name: (outcome.new, len(outcome.changes)) for name, outcome in preview.outcomes.items()} == {
        **dict.fromkeys(STACKS, (False, 0)),
        "initech": (True, 5),
    }
    assert third.run("up", *STACKS, "--yes").requests == []
    destroyed = third.run("destroy", *STACKS, "--yes")
    assert [call.rpartition("/")[2] for call in writes(destroyed.requests)] == ["deactivate"] * 3


@pytest.mark.parametrize("kind", backends.KINDS)
def test_an_unreachable_backend_is_reported_for_each_stack(kind: str, scratch: Path, qlik: Emulator) -> None:
    """The run sends no request to Qlik and ends with exit code 1."""
    fleet = Fleet(scratch, qlik)
    for name in STACKS[:2]:
        fleet.write(name, {"name": name.title(), **CUSTOMER})
    result = fleet.run("up", "--all", "--yes", "--json", expect=1, **backends.unreachable(kind))
    assert result.requests == []
    assert [outcome.troubles[0].text.partition(":")[0] for outcome in result.report.outcomes] == [
        "the backend cannot be reached"
    ] * 2
