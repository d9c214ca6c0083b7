"""Runs that end early because of Ctrl-C, a signal from a CI runner, or a timeout."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tenantry.cli.app import app
from tenantry.emulator import Emulator
from tenantry.fleet import process as commands
from tenantry.fleet.outcome import Report
from tests.e2e.fleet import Fleet, wait_for_word, wait_until

TIMEOUT_SECONDS = 240
"""Timeout in seconds, longer than any wait on a slow machine."""

STACKS = ("acme", "globex", "initech", "umbrella")
CUSTOMER = {
    "lifecycle": {"kind": "trial", "ends_on": "2999-12-31", "grace_days": 10},
    "groups": {"Analysts": {}},
    "spaces": {"Sales": {"type": "managed", "access": {"Analysts": ["consumer"]}}},
}


@pytest.fixture
def fleet(scratch: Path, qlik: Emulator) -> Fleet:
    """A project with four customers that have no tenant yet."""
    fleet = Fleet(scratch, qlik)
    for name in STACKS:
        fleet.write(name, {"name": name.title(), **CUSTOMER})
    return fleet


def keep_one_customer(fleet: Fleet) -> None:
    """Delete the stack files of all customers except the first."""
    for name in STACKS[1:]:
        fleet.file(name).unlink()


def wait_for_held_requests(qlik: Emulator, times: int) -> None:
    """Wait until this number of requests is held back."""
    wait_until(lambda: qlik.control.faults[0]["hit"] >= times, "a held request", TIMEOUT_SECONDS)


def output_of(fleet: Fleet, stack: str) -> str:
    """Return the output of `pulumi` for a stack in the newest run."""
    run = max((Path(fleet.env["TENANTRY_STATE"]) / "runs").glob("*/*"))
    return (run / "stacks" / stack / "output.txt").read_text()


def wait_for_cancelling(fleet: Fleet, stack: str) -> None:
    """Wait until `pulumi` has noticed a signal, so that it starts no further step."""
    wait_until(lambda: "cancelling" in output_of(fleet, stack), "the reaction to a signal", TIMEOUT_SECONDS)


def drop_running_requests(fleet: Fleet, process: subprocess.Popen[str]) -> None:
    """Press Ctrl-C until `pulumi` terminates, because it misses a signal while it handles another one."""
    wait_for_cancelling(fleet, "acme")
    for _ in range(TIMEOUT_SECONDS // 10):
        process.send_signal(signal.SIGINT)
        wait_for_word(process, "Aborting now")
        with suppress(AssertionError):
            wait_until(lambda: "terminating" in output_of(fleet, "acme"), "the reaction to a signal", 10)
            return


def test_ctrl_c_lets_running_stacks_finish_and_the_run_can_be_resumed(fleet: Fleet, qlik: Emulator) -> None:
    qlik.control.add_fault(method="POST", path="/api/v1/groups", hold=True)
    reports = str(fleet.folder / "reports")
    run = ("up", "--all", "--yes", "--skip-preview", "--jobs", "2", "--json", "--reports", reports)
    with fleet.start(*run) as process:
        wait_for_held_requests(qlik, 2)
        process.send_signal(signal.SIGINT)
        wait_for_word(process, "Stopping")
        qlik.control.clear_faults()
        result = fleet.wait(process, run)
    assert result.code == 130
    statuses = [outcome.status for outcome in result.report.outcomes]
    assert statuses == ["ok", "ok", "not run", "not run"]
    assert result.report.stopped == "interrupted by SIGINT"
    assert Report.from_json((fleet.folder / "reports" / "report.json").read_bytes()) == result.report

    resumed = fleet.run("up", "--all", "--yes", "--resume", "--json")
    assert [outcome.status for outcome in resumed.report.outcomes] == ["skipped", "skipped", "ok", "ok"]
    created = [tenant for tenant in qlik.control.dump()["cloud"]["tenant"] if tenant.get("_created")]
    assert len(created) == len(STACKS), "there must be no duplicates"
    fleet.run("up", "--all", "--yes", "--skip-preview", "--json")
    assert fleet.run("preview", "--all", "--expect-no-changes").code == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_stacks_lose_nothing(fleet: Fleet, qlik: Emulator, number: signal.Signals) -> None:
    """After a second Ctrl-C or a CI runner's signal, each stack ends after its current step."""
    keep_one_customer(fleet)
    qlik.control.add_fault(method="POST", path="/api/v1/groups", hold=True)
    run = ("up", "--all", "--yes", "--skip-preview", "--json")
    with fleet.start(*run) as process:
        wait_for_held_requests(qlik, 1)
        if number == signal.SIGINT:
            process.send_signal(number)
            wait_for_word(process, "Stopping")
        process.send_signal(number)
        wait_for_word(process, "Interrupting 1")
        wait_for_cancelling(fleet, "acme")
        qlik.control.clear_faults()
        result = fleet.wait(process, run)
    assert result.code == 130
    assert result.outcomes["acme"].status == "interrupted"
    second_run = fleet.run("up", "--all", "--yes", "--skip-preview", "--json")
    assert second_run.outcomes["acme"].status == "ok"
    fleet.run("preview", "--all", "--expect-no-changes")


def test_dropped_requests_are_reported_once(fleet: Fleet, qlik: Emulator) -> None:
    """A third Ctrl-C drops the current requests. The next run reports this, and the run after it does not."""
    keep_one_customer(fleet)
    qlik.control.add_fault(method="POST", path="/api/v1/groups", hold=True)
    run = ("up", "--all", "--yes", "--skip-preview", "--json")
    with fleet.start(*run) as process:
        wait_for_held_requests(qlik, 1)
        for word in ("Stopping", "Interrupting 1"):
            process.send_signal(signal.SIGINT)
            wait_for_word(process, word)
        drop_running_requests(fleet, process)
        result = fleet.wait(process, run)
        qlik.control.clear_faults()
    assert (result.code, result.outcomes["acme"].status) == (130, "interrupted")
    assert fleet.run("status", "--all", "--json").json["stacks"][0]["unfinished"] > 0
    second_run = fleet.run("up", "--all", "--yes", "--json").outcomes["acme"]
    assert second_run.status == "ok"
    assert "an earlier run was cut off while creating Group Analysts" in second_run.remarks
    assert "AWS" not in repr(second_run)
    assert fleet.run("status", "--all", "--json").json["stacks"][0]["unfinished"] == 0
    assert fleet.run("up", "--all", "--yes", "--json").outcomes["acme"].remarks == ()
    fleet.run("preview", "--all", "--refresh", "--expect-no-changes")


def test_a_stack_that_takes_too_long_is_interrupted(
    fleet: Fleet, qlik: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other stack finishes. The test lets the timeout pass when both stacks wait for Qlik."""
    wait, limit = subprocess.Popen.wait, 8
    qlik.control.add_fault(method="POST", path="/api/v1/groups", hold=True)

    def wait_for_both(self: subprocess.Popen[Any], timeout: float | None = None) -> int:
        if timeout == limit and "acme" in self.args:  # type: ignore[operator]  # the test passes a list
            wait_until(
                lambda: self.poll() is not None or qlik.control.faults[0]["hit"] == 2, "both", TIMEOUT_SECONDS
            )
            if self.returncode is None:
                raise subprocess.TimeoutExpired(self.args, timeout)
        if timeout == commands.SHUTDOWN_SECONDS:
            wait_for_cancelling(fleet, "acme")
            qlik.control.clear_faults()
        return wait(self)

    monkeypatch.setattr(subprocess.Popen, "wait", wait_for_both)
    for name in os.environ.keys() - fleet.env.keys():
        monkeypatch.delenv(name)
    for name, value in fleet.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(fleet.project)
    arguments = f"up acme globex --yes --skip-preview --jobs 2 --timeout {limit} --json"
    result = CliRunner().invoke(app, arguments.split(), catch_exceptions=False)
    acme, globex = Report.from_json(result.stdout).outcomes
    assert (result.exit_code, acme.stack, acme.status, globex.status) == (1, "acme", "failed", "ok")
    assert acme.troubles[0].text == "it was interrupted because it took longer than 8 s"
