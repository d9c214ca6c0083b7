"""Runs that are killed while Qlik does what they asked: the next `up` finds it, and nothing is made twice.

What may be this customer's tenant is never taken unasked: the run stops, and its line goes into the file.
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
from tests.e2e.creations import CREATIONS, Mute, expect_exactly_one_of_each
from tests.e2e.customers import GLOBEX
from tests.e2e.fleet import TENANTRY
from tests.e2e.harness import Process, Stack
from tests.e2e.operations import HOUR, bring_up, take_back, tenants
from tests.e2e.test_harness import wait_for
from tests.world import calls, writes

HOURS = dict.fromkeys(("TENANTRY_REQUEST_TIMEOUT", "TENANTRY_DEADLINE", "TENANTRY_READY_SECONDS"), "7200")
"""What a provider has left when its run is killed: if it ends before, it does because the engine is gone."""

PATIENCE = 120.0
"""Seconds, for a busy machine: far less than the hours, and nothing waits longer than it has to."""


@pytest.fixture
def mute() -> Mute:
    """Keeps an answer for good."""
    return Mute()


@pytest.fixture
def qlik(mute: Mute) -> Iterator[Emulator]:
    """A fresh local Qlik Cloud whose answers can be kept back."""
    checker = ContractChecker()
    with Emulator(middleware=lambda app: mute.wrap(checker.wrap(app))) as emulator:
        yield emulator
    assert not checker.violations, "\n".join(checker.violations)


def start(stack: Stack) -> Process:
    """Start an `up` whose provider would wait for hours."""
    return stack.start("up", "--skip-preview", "--yes", **HOURS)


def kill(stack: Stack, run: Process) -> None:
    """SIGKILL the CLI; language host and provider end as the engine is gone, and send nothing more.

    What the provider waits for does not come, and it would wait for hours.
    """
    assert stack.processes("pulumi.dynamic")
    assert stack.processes("language")
    run.signal(signal.SIGKILL)
    wait_for(lambda: not stack.processes(), seconds=PATIENCE)
    assert run.wait().rc == -signal.SIGKILL
    sent = calls(stack.requests())
    stack.cancel()
    assert calls(stack.requests()) == sent


def answer(stack: Stack, qlik: Emulator) -> None:
    """The next run asks whether the tenant that was made is this customer's, and does nothing; say yes."""
    asked = stack.up(expect=1)
    assert (asked.failed, writes(asked.requests)) == (["Tenant tenant"], [])
    assert len(tenants(qlik)) == 1
    take_back(stack, GLOBEX, asked)


@pytest.mark.parametrize("made", CREATIONS)
def test_the_cli_is_killed_while_qlik_makes_something(
    stack: Stack, qlik: Emulator, mute: Mute, made: str
) -> None:
    """Done at Qlik, and nobody heard of it: `pulumi cancel`, `pulumi up`, and there is one of each."""
    creations.write(stack)
    mute.next(**CREATIONS[made])
    run = start(stack)
    wait_for(mute.struck.is_set, seconds=60)
    kill(stack, run)
    if made == "tenant":
        answer(stack, qlik)
    assert "pending" in stack.up().output
    expect_exactly_one_of_each(stack, qlik)


@pytest.mark.parametrize("made", ["import", "publish"])
def test_what_the_killed_run_made_is_listed_late(stack: Stack, qlik: Emulator, mute: Mute, made: str) -> None:
    """The catalogue does not show the app yet: the next run knows that it was asked for, and waits."""
    creations.write(stack)
    mute.next(**CREATIONS[made])
    run = start(stack)
    wait_for(mute.struck.is_set, seconds=60)
    kill(stack, run)
    qlik.control.settings(items_lag_ms=3_600_000)
    before = len(stack.requests())
    run = stack.start("up", "--skip-preview", "--yes", TENANTRY_LAG_SECONDS="60")
    wait_for(lambda: calls(stack.requests()[before:]).count("GET /api/v1/items") >= 2, seconds=60)
    qlik.control.settings(items_lag_ms=0)
    assert run.wait().rc == 0
    expect_exactly_one_of_each(stack, qlik)


def test_the_cli_is_killed_before_qlik_has_the_request(stack: Stack, qlik: Emulator) -> None:
    """It never arrived: nothing is asked for again before it is certain that nothing can come of it."""
    creations.write(stack)
    fault = qlik.control.add_fault(hold=True, **CREATIONS["tenant"])
    run = start(stack)
    wait_for(lambda: qlik.control.faults[0]["hit"] == 1, seconds=60)
    kill(stack, run)
    qlik.control.release(fault)
    shutil.rmtree(stack.env["TENANTRY_STATE"])  # nothing depends on the notes
    early = stack.up(expect=1)
    assert any("Qlik may still create it" in error for error in early.errors)
    assert writes(early.requests) == []
    qlik.control.advance(HOUR)
    up = [str(TENANTRY), "up", stack.name, "--yes", "--skip-preview"]
    subprocess.run(up, cwd=stack.folder, env=stack.env, stdin=subprocess.DEVNULL, timeout=240, check=True)
    answered = [
        request["status"] for request in stack.requests() if calls([request]) == ["POST /api/v1/tenants"]
    ]
    assert answered == [201], "the one that was held went with its run"
    expect_exactly_one_of_each(stack, qlik)


def test_a_destroy_is_killed_right_after_the_deactivation(stack: Stack, qlik: Emulator, mute: Mute) -> None:
    """The state has all but what says that the tenant is in use, so the plan shows that it will be again."""
    stack.env |= creations.ENVIRONMENT
    bring_up(stack, qlik, GLOBEX)
    mute.next("POST", "/api/v1/tenants/*/actions/deactivate")
    run = stack.start("destroy", "--skip-preview", "--yes")
    wait_for(mute.struck.is_set, seconds=60)
    kill(stack, run)
    assert list(tenants(qlik).values()) == ["disabled"]
    assert stack.preview().changes == {"create": ["TenantActivation activation"], "same": 11}
    back = stack.up()
    assert any("it is active again" in message for message in back.messages)
    assert [call.rpartition("/")[2] for call in writes(back.requests)] == ["reactivate"]
    expect_exactly_one_of_each(stack, qlik)


@pytest.mark.parametrize("made", ["tenant", "space", "import"])
def test_the_provider_alone_is_killed(stack: Stack, qlik: Emulator, mute: Mute, made: str) -> None:
    """The run fails and leaves nothing pending; the next one goes on with what is there."""
    creations.write(stack)
    mute.next(**CREATIONS[made])
    run = start(stack)
    wait_for(mute.struck.is_set, seconds=60)
    for process in stack.processes("pulumi.dynamic"):
        process.kill()
    failed = run.wait()
    assert failed.rc == 1
    assert failed.failed
    assert not stack.deployment().get("pending_operations")
    if made == "tenant":
        answer(stack, qlik)
    stack.up()
    expect_exactly_one_of_each(stack, qlik)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_asked_to_stop_finishes_what_it_began(
    stack: Stack, qlik: Emulator, number: signal.Signals
) -> None:
    """What is on its way is awaited and recorded; the next `up` makes the rest and takes nothing over."""
    creations.write(stack)
    qlik.control.add_fault(delay_ms=1500, **CREATIONS["space"])
    run = start(stack)
    wait_for(lambda: qlik.control.faults[0]["hit"] == 2, seconds=60)
    run.signal(number)
    assert run.wait().rc != 0
    wait_for(lambda: not stack.processes(), seconds=PATIENCE)
    assert {"Space Staging", "Space Sales"} <= stack.resources().keys()
    assert "TenantLifecycle lifecycle" not in stack.resources()
    assert not stack.deployment().get("pending_operations")
    qlik.control.clear_faults()
    assert "taken over" not in stack.up().output
    expect_exactly_one_of_each(stack, qlik)


def test_the_cli_is_killed_while_it_waits_for_a_publication(stack: Stack, qlik: Emulator) -> None:
    """Published, noted, not recorded, not listed yet and not to be opened yet: it is waited for again."""
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
