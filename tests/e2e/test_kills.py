"""Runs are killed while Qlik carries out their requests. The next `up` finds the objects, without duplicates.

A run never takes over a candidate tenant by itself: it stops, and the operator adds a line to the file.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterator

import pytest

from tenantry.emulator import Emulator
from tests.contract import ContractChecker
from tests.e2e import creations
from tests.e2e.creations import CREATIONS, ResponseBlocker, expect_exactly_one_of_each
from tests.e2e.customers import GLOBEX
from tests.e2e.fleet import TENANTRY
from tests.e2e.harness import Process, Stack
from tests.e2e.operations import HOUR, add_revive_line, bring_up, tenants
from tests.e2e.test_harness import wait_for
from tests.world import calls, writes

WAIT_FOR_HOURS = dict.fromkeys(
    ("TENANTRY_REQUEST_TIMEOUT", "TENANTRY_DEADLINE", "TENANTRY_READY_SECONDS"), "7200"
)
"""Timeouts of two hours: a provider that ends earlier has noticed the end of the engine."""

TIMEOUT_SECONDS = 120.0
"""Timeout in seconds for a busy machine, much shorter than the hours of waiting."""


@pytest.fixture
def blocker() -> ResponseBlocker:
    """The wrapper that holds back responses of `qlik`."""
    return ResponseBlocker()


@pytest.fixture
def qlik(blocker: ResponseBlocker) -> Iterator[Emulator]:
    """A fresh emulator that can hold back responses."""
    checker = ContractChecker()
    with Emulator(middleware=lambda app: blocker.wrap(checker.wrap(app))) as emulator:
        yield emulator
    assert not checker.violations, "\n".join(checker.violations)


def start(stack: Stack) -> Process:
    """Start an `up` whose provider waits for hours."""
    return stack.start("up", "--skip-preview", "--yes", **WAIT_FOR_HOURS)


def kill(stack: Stack, run: Process) -> None:
    """Kill the CLI. Check that the language host and the provider end, and that they send no further request.

    A provider that does not notice the kill waits for hours for a response that never comes.
    """
    assert stack.processes("pulumi.dynamic")
    assert stack.processes("language")
    run.signal(signal.SIGKILL)
    wait_for(lambda: not stack.processes(), seconds=TIMEOUT_SECONDS)
    assert run.wait().rc == -signal.SIGKILL
    requests = calls(stack.requests())
    stack.cancel()
    assert calls(stack.requests()) == requests


def confirm_candidate(stack: Stack, qlik: Emulator) -> None:
    """Check that the next run stops at the candidate tenant and changes nothing. Confirm the tenant."""
    stopped = stack.up(expect=1)
    assert (stopped.failed, writes(stopped.requests)) == (["Tenant tenant"], [])
    assert len(tenants(qlik)) == 1
    add_revive_line(stack, GLOBEX, stopped)


@pytest.mark.parametrize("object_name", CREATIONS)
def test_a_kill_during_a_creation_creates_no_duplicate(
    stack: Stack, qlik: Emulator, blocker: ResponseBlocker, object_name: str
) -> None:
    """The killed run never gets Qlik's response. After `cancel` and `up`, each object exists exactly once."""
    creations.write(stack)
    blocker.hold_next_response(**CREATIONS[object_name])
    run = start(stack)
    wait_for(blocker.triggered.is_set, seconds=60)
    kill(stack, run)
    if object_name == "tenant":
        confirm_candidate(stack, qlik)
    assert "pending" in stack.up().output
    expect_exactly_one_of_each(stack, qlik)


@pytest.mark.parametrize("object_name", ["import", "publish"])
def test_the_run_after_a_kill_waits_for_the_catalogue(
    stack: Stack, qlik: Emulator, blocker: ResponseBlocker, object_name: str
) -> None:
    """Qlik's catalogue does not list the app yet. The next run waits for it."""
    creations.write(stack)
    blocker.hold_next_response(**CREATIONS[object_name])
    run = start(stack)
    wait_for(blocker.triggered.is_set, seconds=60)
    kill(stack, run)
    qlik.control.settings(items_lag_ms=3_600_000)
    before = len(stack.requests())
    run = stack.start("up", "--skip-preview", "--yes", TENANTRY_LAG_SECONDS="60")
    wait_for(lambda: calls(stack.requests()[before:]).count("GET /api/v1/items") >= 2, seconds=60)
    qlik.control.settings(items_lag_ms=0)
    assert run.wait().rc == 0
    expect_exactly_one_of_each(stack, qlik)


def test_a_lost_request_is_repeated_only_when_it_is_safe(stack: Stack, qlik: Emulator) -> None:
    """The request never arrives. The next run repeats it only when it certainly had no effect."""
    creations.write(stack)
    fault = qlik.control.add_fault(hold=True, **CREATIONS["tenant"])
    run = start(stack)
    wait_for(lambda: qlik.control.faults[0]["hit"] == 1, seconds=60)
    kill(stack, run)
    qlik.control.release(fault)
    shutil.rmtree(stack.env["TENANTRY_STATE"])  # the result must not depend on the notes
    early = stack.up(expect=1)
    assert any("Qlik may still create it" in error for error in early.errors)
    assert writes(early.requests) == []
    qlik.control.advance(HOUR)
    up = [str(TENANTRY), "up", stack.name, "--yes", "--skip-preview"]
    subprocess.run(up, cwd=stack.folder, env=stack.env, stdin=subprocess.DEVNULL, timeout=240, check=True)
    statuses = [
        request["status"] for request in stack.requests() if calls([request]) == ["POST /api/v1/tenants"]
    ]
    assert statuses == [201], "the held request must end with its run"
    expect_exactly_one_of_each(stack, qlik)


def test_an_up_after_a_killed_destroy_reactivates_the_tenant(
    stack: Stack, qlik: Emulator, blocker: ResponseBlocker
) -> None:
    """The state has everything except the activation, which the preview shows as a creation."""
    stack.env |= creations.ENVIRONMENT
    bring_up(stack, qlik, GLOBEX)
    blocker.hold_next_response("POST", "/api/v1/tenants/*/actions/deactivate")
    run = stack.start("destroy", "--skip-preview", "--yes")
    wait_for(blocker.triggered.is_set, seconds=60)
    kill(stack, run)
    assert list(tenants(qlik).values()) == ["disabled"]
    assert stack.preview().changes == {"create": ["TenantActivation activation"], "same": 11}
    reactivated = stack.up()
    assert any("it is active again" in message for message in reactivated.messages)
    assert [call.rpartition("/")[2] for call in writes(reactivated.requests)] == ["reactivate"]
    expect_exactly_one_of_each(stack, qlik)


@pytest.mark.parametrize("object_name", ["tenant", "space", "import"])
def test_a_killed_provider_leaves_no_duplicate(
    stack: Stack, qlik: Emulator, blocker: ResponseBlocker, object_name: str
) -> None:
    """The run fails without pending operations. The next run continues with the existing objects."""
    creations.write(stack)
    blocker.hold_next_response(**CREATIONS[object_name])
    run = start(stack)
    wait_for(blocker.triggered.is_set, seconds=60)
    for process in stack.processes("pulumi.dynamic"):
        process.kill()
    failed = run.wait()
    assert failed.rc == 1
    assert failed.failed
    assert not stack.deployment().get("pending_operations")
    if object_name == "tenant":
        confirm_candidate(stack, qlik)
    stack.up()
    expect_exactly_one_of_each(stack, qlik)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_finishes_its_steps(stack: Stack, qlik: Emulator, number: signal.Signals) -> None:
    """The run waits for its requests and records them. The next `up` creates the rest without takeovers."""
    creations.write(stack)
    qlik.control.add_fault(delay_ms=1500, **CREATIONS["space"])
    run = start(stack)
    wait_for(lambda: qlik.control.faults[0]["hit"] == 2, seconds=60)
    run.signal(number)
    assert run.wait().rc != 0
    wait_for(lambda: not stack.processes(), seconds=TIMEOUT_SECONDS)
    assert {"Space Staging", "Space Sales"} <= stack.resources().keys()
    assert "TenantLifecycle lifecycle" not in stack.resources()
    assert not stack.deployment().get("pending_operations")
    qlik.control.clear_faults()
    assert "taken over" not in stack.up().output
    expect_exactly_one_of_each(stack, qlik)


def test_the_run_after_a_kill_waits_for_the_same_publication(stack: Stack, qlik: Emulator) -> None:
    """The app is published and in the note, but not in the state or the catalogue, and not ready."""
    creations.write(stack)
    qlik.control.settings(publish_ready_ms=3_600_000)
    run = start(stack)
    wait_for(lambda: any(request["status"] == 403 for request in stack.requests()), seconds=60)
    kill(stack, run)
    qlik.control.settings(items_lag_ms=3_600_000)
    before = len(stack.requests())
    run = start(stack)
    wait_for(lambda: [request["status"] for request in stack.requests()[before:]].count(403) >= 2, seconds=60)
    qlik.control.advance(3600)
    assert run.wait().rc == 0
    expect_exactly_one_of_each(stack, qlik)
