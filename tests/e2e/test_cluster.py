"""Runs over many stacks on a Dask cluster: a real scheduler, real workers, the real engine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tenantry.emulator import Emulator
from tenantry.fleet.outcome import Outcome
from tests.e2e.cluster import Processes
from tests.e2e.fleet import Done, Fleet
from tests.e2e.harness import ROOT

STACKS = ("acme", "globex", "initech", "umbrella")
CUSTOMER = {
    "lifecycle": {"kind": "trial", "ends_on": "2999-12-31", "grace_days": 10},
    "groups": {"Analysts": {}},
}
OTHER_VERSION = """
import importlib.metadata as metadata
metadata.version = lambda name, own=metadata.version: "0.0.1" if name == "tenantry" else own(name)
"""
"""A worker with another version, as far as the worker itself can tell."""


@pytest.fixture
def fleet(scratch: Path, qlik: Emulator) -> Fleet:
    """A project with four customers, none of whom is up."""
    made = Fleet(scratch, qlik)
    program = made.project / "__main__.py"
    program.unlink()
    shutil.copy(ROOT / "__main__.py", program)  # a link that leads out of a repository is not sent
    for name in STACKS:
        made.write(name, {"name": name.title(), **CUSTOMER})
    return made


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[Processes]:
    """A scheduler without workers."""
    with Processes(tmp_path / "dask") as processes:
        yield processes


def outcomes(done: Done) -> list[Outcome]:
    """What became of each stack, however long it took."""
    return [replace(each, seconds=0) for each in done.report.outcomes]


def refusals(done: Done) -> list[str]:
    """Why workers were not used, sorted."""
    said = [line for line in done.stderr.splitlines() if line.startswith("Worker ")]
    return sorted(line.partition(" is not used: ")[2] for line in said)


def test_the_same_as_on_one_machine(fleet: Fleet, dask: Processes, qlik: Emulator, tmp_path: Path) -> None:
    """Previewed, made, failed and previewed again as without a cluster; workers that are unfit are named."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "version.py").write_text(OTHER_VERSION)
    unfit: list[tuple[dict[str, str], tuple[str, ...]]] = [
        (fleet.env | {"PULUMI_BACKEND_URL": f"file://{other}"}, ()),
        (fleet.env, ("--preload", str(other / "version.py"))),
        ({key: value for key, value in fleet.env.items() if not key.startswith("QLIK_CLIENT")}, ()),
    ]
    for _ in range(2):
        dask.work(fleet.env)
    for env, options in unfit:
        dask.work(env, *options)
    dask.wait()
    fleet.commit()
    alone = fleet.run("preview", "--all", "--json")
    on: Any = ("--scheduler", dask.address)
    seen = fleet.run("preview", "--all", "--json", *on)
    assert seen.requests == []
    assert outcomes(seen) == outcomes(alone)
    version, backend = refusals(seen)
    assert (
        backend
        == f"its backend file://{other} is not the folder {fleet.env['PULUMI_BACKEND_URL']} of the run"
    )
    assert version.startswith("Tenantry 0.0.1, not ")
    assert fleet.git("status", "--porcelain") == ""

    qlik.control.add_fault(path="/api/v1/groups", method="POST", nth=2, status=400)
    made = fleet.run("up", "--all", "--yes", "--skip-preview", "--json", *on, expect=1)
    assert refusals(made)[1].startswith("it has no Qlik credentials")
    assert sorted(each.status for each in made.report.outcomes) == ["failed", "ok", "ok", "ok"]
    assert fleet.git("status", "--porcelain").count("M stacks/") == 4, "the salts that Pulumi wrote"
    (failed,) = made.report.failed
    (logs,) = Path(fleet.env["TENANTRY_STATE"]).glob(f"runs/tenantry/*-up/stacks/{failed.stack}")
    assert "HTTP-400" in (logs / "events.json").read_text()
    assert "demo-secret" not in dask.logs()

    again = fleet.run("up", "--all", "--yes", "--resume", "--json", *on)
    assert sorted(each.status for each in again.report.outcomes) == ["ok", "skipped", "skipped", "skipped"]
    fleet.run("preview", "--all", "--expect-no-changes")
    assert not list(Path(fleet.env["PULUMI_BACKEND_URL"].removeprefix("file://")).glob("tenantry-run-*"))
