"""`tenantry unlock` with the real engine: it checks the holder of a lock before it clears the lock."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tenantry.emulator import Emulator
from tenantry.state.entries import TENANT
from tests.e2e import backends
from tests.e2e.backends import Environment, RemoteStack
from tests.e2e.creations import CREATIONS
from tests.e2e.customers import GLOBEX, Customer, settings, with_changes
from tests.e2e.harness import ROOT, Process, Stack
from tests.e2e.test_harness import wait_for

TENANTRY = ROOT / ".venv" / "bin" / "tenantry"


def unlock(stack: Stack, *arguments: str, name: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    """Run `tenantry unlock` for a stack, in its folder and environment."""
    return subprocess.run(
        [TENANTRY, "unlock", name or stack.name, *arguments],
        cwd=stack.folder,
        env={**stack.env, **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def start_held_run(
    stack: Stack, qlik: Emulator, creation: str, customer: Customer = GLOBEX
) -> tuple[Process, str]:
    """Start an `up` that waits for Qlik's response. Return the run and the id of the fault that holds it."""
    stack.write(**settings(customer))
    fault = qlik.control.add_fault(hold=True, **CREATIONS[creation])
    run = stack.start("up", "--skip-preview", "--yes")
    wait_for(lambda: qlik.control.faults[0]["hit"] >= 1, seconds=60)
    return run, fault


def kill(stack: Stack, run: Process) -> None:
    """Kill the CLI, and wait for its child processes."""
    run.signal(signal.SIGKILL)
    run.wait()
    wait_for(lambda: not stack.processes(), seconds=30)


def lock(stack: Stack, *, host: str = "ci", age: float = 0, name: str = "somebody") -> Path:
    """Write the lock of a run on another machine into the stack's file backend."""
    file = stack.folder / f"pulumi/state/.pulumi/locks/organization/{stack.project}/{stack.name}/{name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    since = (datetime.now(UTC) - timedelta(minutes=age)).isoformat()
    file.write_text(json.dumps({"pid": 1, "username": "ada", "hostname": host, "timestamp": since}))
    return file


def interrupt_without_proof(stack: Stack) -> None:
    """Write the state of a run that created no proof and was killed while it created the tenant.

    This writes directly into the state file, because `pulumi stack import` drops pending operations.
    """
    stack.write(**settings(GLOBEX))
    stack.up()
    file = stack.folder / f"pulumi/state/.pulumi/stacks/{stack.project}/{stack.name}.json"
    document = json.loads(file.read_text())
    latest = document["checkpoint"]["latest"]
    [tenant] = [resource for resource in latest["resources"] if resource["type"] == TENANT]
    latest["resources"] = [
        resource for resource in latest["resources"] if "dynamic/qlik:" not in resource["type"]
    ]
    creating = {key: value for key, value in tenant.items() if key not in ("id", "outputs")}
    latest["pending_operations"] = [{"resource": creating, "type": "creating"}]
    file.write_text(json.dumps(document))


def pending(stack: Stack) -> list[dict[str, Any]]:
    """Return the pending operations in the state."""
    return stack.export()["deployment"].get("pending_operations") or []


def test_a_running_run_keeps_its_lock_until_it_is_killed(stack: Stack, qlik: Emulator) -> None:
    """The error names the process id and the start of the run. After a kill, the command clears the lock."""
    run, fault = start_held_run(stack, qlik, "space")
    for arguments in ((), ("--yes",), ("--yes", "--older-than", "0")):
        refused = unlock(stack, *arguments)
        assert refused.returncode == 1
        assert f"(pid {run.pid}) since {datetime.now(UTC).year}" in refused.stderr
        assert f"process {run.pid} runs on this machine" in refused.stderr
        assert "Nothing was cleared" in refused.stderr
    assert "currently locked" in stack.up(expect=None).output

    kill(stack, run)
    qlik.control.release(fault)
    assert "currently locked" in stack.up(expect=None).output
    operations = pending(stack)
    assert operations
    too_young = unlock(stack, "--yes", "--older-than", "1000000")
    assert (too_young.returncode, "must be older than" in too_young.stderr) == (1, True)
    without_yes = unlock(stack)
    assert (without_yes.returncode, "Add --yes" in without_yes.stderr) == (2, True)
    assert "currently locked" in stack.up(expect=None).output

    cleared = unlock(stack, "--yes")
    assert cleared.returncode == 0, cleared.stderr
    assert f"this machine has no `pulumi` process {run.pid} any more" in cleared.stdout
    assert "Stack globex is not locked any more." in cleared.stdout
    assert "A run was interrupted while creating Space" in cleared.stdout
    assert pending(stack) == operations, "the next run needs the pending operations"
    stack.up()
    second_unlock = unlock(stack, "--yes")
    assert (second_unlock.returncode, second_unlock.stdout.splitlines()[0]) == (
        0,
        "Stack globex is not locked.",
    )


def test_the_lock_of_another_machine_is_cleared_by_age(stack: Stack) -> None:
    """By default, it must be about 75 minutes old. If one lock is too young, all locks stay."""
    file = lock(stack, age=60)
    too_young = unlock(stack, "--yes")
    assert too_young.returncode == 1
    assert re.search(r"ada@ci \(pid 1\) since \S+: another machine took it", too_young.stderr)
    assert re.search(r"is 6\d min old, but must be older than 7\d min", too_young.stderr)
    lock(stack, age=90, name="older")
    assert unlock(stack, "--yes").returncode == 1
    assert file.exists()
    cleared_by_age = unlock(stack, "--yes", "--older-than", "30")
    assert (cleared_by_age.returncode, file.exists(), list(file.parent.glob("*.json"))) == (0, False, [])

    lock(stack, age=90)
    assert unlock(stack, PULUMI_SKIP_CONFIRMATIONS="true").returncode == 0
    assert not list(file.parent.glob("*.json"))


def test_an_interrupted_tenant_without_a_proof_is_reported_as_uncertain(stack: Stack) -> None:
    """Nobody knows whether Qlik created the tenant, so the command names `tenantry orphans`."""
    interrupt_without_proof(stack)
    operations = pending(stack)
    lock(stack, age=90)
    completed = unlock(stack, "--yes")
    assert completed.returncode == 0, completed.stderr
    assert "A run was interrupted while creating Tenant tenant." in completed.stdout
    assert "no proof" in completed.stdout
    assert "tenantry orphans" in completed.stdout
    assert pending(stack) == operations
    assert [operation["type"] for operation in operations] == ["creating"]


def test_an_interrupted_tenant_with_a_proof_is_left_to_the_next_run(stack: Stack, qlik: Emulator) -> None:
    """The proof keeps the next run from creating a second tenant."""
    run, fault = start_held_run(stack, qlik, "tenant")
    kill(stack, run)
    qlik.control.release(fault)
    operations = pending(stack)
    completed = unlock(stack, "--yes")
    assert completed.returncode == 0, completed.stderr
    assert "A run was interrupted while creating Tenant tenant." in completed.stdout
    assert "no run creates a second one" in completed.stdout
    assert "tenantry orphans" not in completed.stdout
    assert pending(stack) == operations != []


def test_an_unknown_stack_is_refused(stack: Stack) -> None:
    completed = unlock(stack, "--yes", name="nobody")
    assert (completed.returncode, "no stack named 'nobody'" in completed.stderr) == (1, True)


@pytest.fixture
def remote(
    request: pytest.FixtureRequest, new_backend: Callable[[str], Environment], scratch: Path, qlik: Emulator
) -> Iterator[Stack]:
    """A stack with its state on a server."""
    with ExitStack() as exit_stack:
        stack = RemoteStack(scratch, "globex", backend=new_backend(request.param), qlik=qlik)
        exit_stack.enter_context(stack)
        stack.write(**settings(GLOBEX))
        stack.init()
        yield stack


@pytest.mark.parametrize("remote", backends.KINDS, indirect=True)
def test_locks_on_a_server_are_read_through_pulumi(remote: Stack, qlik: Emulator) -> None:
    """A server has no lock files to read. The check changes neither the state nor the stack file."""
    remote.up()
    state, stack_file = remote.export(), remote.file.read_text()
    unlocked = unlock(remote, "--yes")
    assert (unlocked.returncode, unlocked.stdout) == (0, "Stack globex is not locked.\n")
    assert (remote.export(), remote.file.read_text()) == (state, stack_file)
    assert remote.up("--expect-no-changes").requests == [], "the check must leave no lock"

    run, fault = start_held_run(remote, qlik, "group", with_changes(GLOBEX, ("groups/Sellers", {})))
    refused = unlock(remote, "--yes")
    assert refused.returncode == 1
    assert f"process {run.pid} runs on this machine" in refused.stderr
    kill(remote, run)
    qlik.control.release(fault)
    state = remote.export()
    cleared = unlock(remote, "--yes")
    assert cleared.returncode == 0, cleared.stderr
    assert "Stack globex is not locked any more." in cleared.stdout
    assert remote.export() == state
    remote.up()
