"""Runs over many stacks on a Dask cluster, with a real scheduler, real workers and the real engine."""

from __future__ import annotations

import getpass
import shutil
import signal
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tenantry.emulator import Emulator
from tenantry.fleet.outcome import Outcome
from tests.e2e.cluster import Processes
from tests.e2e.fleet import CommandResult, Fleet, wait_for_word, wait_until
from tests.e2e.harness import ROOT

TIMEOUT_SECONDS = 240
"""Timeout in seconds, longer than any wait on a slow machine."""

STACKS = ("acme", "globex", "initech")
CUSTOMER = {
    "lifecycle": {"kind": "trial", "ends_on": "2999-12-31", "grace_days": 10},
    "groups": {"Analysts": {}},
}
OTHER_VERSION = """
import importlib.metadata as metadata
metadata.version = lambda name, own=metadata.version: "0.0.1" if name == "tenantry" else own(name)
"""
"""A preload script for a worker that reports another version."""

WITHOUT_PULUMI = """
from tenantry.fleet.cluster import fitness
fitness.find_pulumi = lambda: None
"""
"""A preload script for a worker that finds no `pulumi`."""


@pytest.fixture
def fleet(scratch: Path, qlik: Emulator) -> Fleet:
    """A project with three customers that have no tenant yet."""
    fleet = Fleet(scratch, qlik)
    program = fleet.project / "__main__.py"
    program.unlink()
    shutil.copy(ROOT / "__main__.py", program)  # Tenantry does not send a link that leaves the repository
    for name in STACKS:
        fleet.write(name, {"name": name.title(), **CUSTOMER})
    return fleet


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[Processes]:
    """A scheduler without workers."""
    with Processes(tmp_path / "dask") as processes:
        yield processes


def outcomes(result: CommandResult) -> list[Outcome]:
    """Return the outcome of each stack, without its duration."""
    return [replace(outcome, seconds=0) for outcome in result.report.outcomes]


def refusals(result: CommandResult) -> list[str]:
    """Return the reasons for unused workers, sorted."""
    warnings = [line for line in result.stderr.splitlines() if line.startswith("Worker ")]
    return sorted(line.partition(" is not used: ")[2] for line in warnings)


def test_a_cluster_gives_the_same_results_as_one_machine(
    fleet: Fleet, dask: Processes, qlik: Emulator, tmp_path: Path
) -> None:
    """Previews, creations and failures are the same. The run names the workers that it cannot use."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "version.py").write_text(OTHER_VERSION)
    (other / "pulumi.py").write_text(WITHOUT_PULUMI)
    unfit: list[tuple[dict[str, str], tuple[str, ...]]] = [
        (fleet.env | {"PULUMI_BACKEND_URL": f"file://{other}"}, ()),
        (fleet.env, ("--preload", str(other / "version.py"))),
        (fleet.env, ("--preload", str(other / "pulumi.py"))),
        ({key: value for key, value in fleet.env.items() if not key.startswith("QLIK_CLIENT")}, ()),
    ]
    shared = fleet.env | {"TENANTRY_RATE_SHARE": "0.9"}
    for _ in range(2):
        dask.work(shared)
    for env, options in unfit:
        dask.work(env, *options)
    dask.wait()
    fleet.commit()
    preview_without_cluster = fleet.run("preview", "--all", "--json")
    scheduler: Any = ("--scheduler", dask.address)
    preview = fleet.run("preview", "--all", "--json", *scheduler)
    assert preview.requests == []
    assert outcomes(preview) == outcomes(preview_without_cluster)
    version, pulumi, backend = refusals(preview)
    assert pulumi.startswith("`pulumi` is not on its PATH")
    assert backend == f"its backend file://{other} is not the run's folder {fleet.env['PULUMI_BACKEND_URL']}"
    assert version.startswith("Tenantry 0.0.1, not ")
    assert fleet.git("status", "--porcelain") == ""

    qlik.control.add_fault(path="/api/v1/groups", method="POST", nth=2, status=400)
    up = fleet.run("up", "--all", "--yes", "--skip-preview", "--json", *scheduler, expect=1)
    assert refusals(up)[2].startswith("it has no Qlik credentials")
    assert sorted(outcome.status for outcome in up.report.outcomes) == ["failed", "ok", "ok"]
    assert fleet.git("status", "--porcelain").count("M stacks/") == 3, "the salts that Pulumi wrote"
    (failed,) = up.report.failed
    (logs,) = Path(fleet.env["TENANTRY_STATE"]).glob(f"runs/tenantry/*-up/stacks/{failed.stack}")
    assert "HTTP-400" in (logs / "events.json").read_text()
    assert "demo-secret" not in dask.logs()
    rates = {file.name for file in (dask.folder / "state" / "rates").iterdir()}
    assert "register.eu.qlikcloud.com tier 2" in rates, "the scheduler must keep the budget"
    assert not (Path(fleet.env["TENANTRY_STATE"]) / "rates").exists()

    resumed = fleet.run("up", "--all", "--yes", "--resume", "--json", *scheduler)
    assert sorted(outcome.status for outcome in resumed.report.outcomes) == ["ok", "skipped", "skipped"]
    fleet.run("preview", "--all", "--expect-no-changes")
    assert not list(Path(fleet.env["PULUMI_BACKEND_URL"].removeprefix("file://")).glob("tenantry-run-*"))


def wait_for_held_requests(qlik: Emulator, times: int) -> None:
    """Wait until this number of requests is held back."""
    wait_until(lambda: qlik.control.faults[0]["hit"] >= times, "a held request", TIMEOUT_SECONDS)


def wait_for_unlock(fleet: Fleet, stack: str) -> None:
    """Wait until the `pulumi` process of a lost worker has released its lock."""
    locks = Path(fleet.env["PULUMI_BACKEND_URL"].removeprefix("file://")) / ".pulumi" / "locks"
    wait_until(
        lambda: not list(locks.glob(f"organization/tenantry/{stack}/*")),
        "the release of the lock",
        TIMEOUT_SECONDS,
    )


def tenants(qlik: Emulator) -> int:
    """Count the created tenants."""
    return sum(bool(tenant.get("_created")) for tenant in qlik.control.dump()["cloud"]["tenant"])


def test_only_the_stack_of_a_killed_worker_fails(fleet: Fleet, dask: Processes, qlik: Emulator) -> None:
    """The error says how to unlock the stack. The other workers run the remaining stacks."""
    for _ in range(2):
        dask.work(fleet.env)
    dask.wait()
    qlik.control.add_fault(path="/api/v1/groups", method="POST", hold=True)
    run = ("up", "--all", "--yes", "--skip-preview", "--json", "--scheduler", dask.address)
    with fleet.start(*run) as process:
        wait_for_held_requests(qlik, 2)
        dask.kill(dask.workers[0])
        wait_for_word(process, "was lost")
        qlik.control.clear_faults()
        result = fleet.wait(process, run)
    assert result.code == 1
    (failed,) = result.report.failed
    assert sorted(outcome.status for outcome in result.report.outcomes) == ["failed", "ok", "ok"]
    (trouble,) = failed.troubles
    assert trouble.text.startswith("worker tcp://127.0.0.1:")
    assert trouble.text.endswith("was lost while it worked on this stack")
    assert f"it is locked by {getpass.getuser()}@{socket.gethostname()} (pid " in trouble.advice
    assert f"`tenantry unlock {failed.stack}`" in trouble.advice

    wait_for_unlock(fleet, failed.stack)
    resumed = fleet.run("up", "--all", "--yes", "--resume", "--json", "--scheduler", dask.address)
    assert resumed.outcomes[failed.stack].status == "ok"
    assert [outcome.status for outcome in resumed.report.outcomes].count("skipped") == 2
    assert tenants(qlik) == len(STACKS)


def test_a_run_without_its_scheduler_ends(fleet: Fleet, dask: Processes, qlik: Emulator) -> None:
    """It reports the known result of each stack. It does not use a new scheduler at the same address."""
    dask.work(fleet.env)
    dask.wait()
    qlik.control.add_fault(path="/api/v1/groups", method="POST", nth=2, hold=True)
    run = ("up", "--all", "--yes", "--skip-preview", "--json", "--scheduler", dask.address)
    with fleet.start(*run) as process:
        wait_for_held_requests(qlik, 1)
        dask.kill(dask.scheduler)
        dask.start(dask.port)
        wait_for_word(process, "globex: failed")
        qlik.control.clear_faults()
        result = fleet.wait(process, run)
    assert result.code == 3
    assert result.report.stopped == f"the scheduler {dask.address} was lost"
    first, second, third = result.report.outcomes
    assert [first.status, second.status, third.status] == ["ok", "failed", "not run"]
    assert third.remarks == (result.report.stopped,)
    (trouble,) = second.troubles
    assert trouble.text.startswith("it was on worker tcp://127.0.0.1:")
    assert f"when the scheduler {dask.address} was lost" in trouble.text

    wait_for_unlock(fleet, second.stack)
    dask.workers.clear()
    dask.work(fleet.env)
    dask.wait()
    resumed = fleet.run("up", "--all", "--yes", "--resume", "--json", "--scheduler", dask.address)
    assert [outcome.status for outcome in resumed.report.outcomes] == ["skipped", "ok", "ok"]
    assert tenants(qlik) == len(STACKS)


def test_ctrl_c_twice_interrupts_the_stacks_on_the_workers(
    fleet: Fleet, dask: Processes, qlik: Emulator
) -> None:
    dask.work(fleet.env)
    dask.wait()
    qlik.control.add_fault(path="/api/v1/groups", method="POST", hold=True)
    run = ("up", "--all", "--yes", "--skip-preview", "--json", "--jobs", "2", "--scheduler", dask.address)
    with fleet.start(*run) as process:
        wait_for_held_requests(qlik, 1)
        process.send_signal(signal.SIGINT)
        wait_for_word(process, "Stopping")
        process.send_signal(signal.SIGINT)
        wait_for_word(process, "Interrupting 1")
        outputs = [file for file in dask.folder.rglob("output.txt") if "jobs" in file.parts]
        wait_until(
            lambda: any("cancelling" in file.read_text() for file in outputs), "a signal", TIMEOUT_SECONDS
        )
        qlik.control.clear_faults()
        result = fleet.wait(process, run)
    assert result.code == 130
    assert sorted(outcome.status for outcome in result.report.outcomes) == ["interrupted", *2 * ["not run"]]
    resumed = fleet.run("up", "--all", "--yes", "--json", "--scheduler", dask.address)
    assert {outcome.status for outcome in resumed.report.outcomes} == {"ok"}
