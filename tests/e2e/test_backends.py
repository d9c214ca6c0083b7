"""Stacks with their state in Postgres or S3 behave like stacks with their state in files."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tenantry.emulator import Emulator
from tenantry.state.backend import Backend, NoSuchStack
from tests.e2e import backends
from tests.e2e.backends import Environment, RemoteStack
from tests.e2e.creations import CREATIONS
from tests.e2e.customers import GLOBEX, settings, with_changes
from tests.e2e.harness import Process
from tests.e2e.operations import tenants
from tests.e2e.test_harness import wait_for
from tests.e2e.test_kills import kill
from tests.world import World

SECONDS_TO_FAIL = 30
CreateCheckout = Callable[..., RemoteStack]
INITECH = with_changes(GLOBEX, ("name", "Initech"), ("alias", "initech"))


@pytest.fixture(params=backends.KINDS)
def backend(request: pytest.FixtureRequest, new_backend: Callable[[str], Environment]) -> Environment:
    """The environment of an empty backend, once for each kind of backend."""
    return new_backend(request.param)


@pytest.fixture
def create_checkout(scratch: Path, qlik: Emulator) -> Iterator[CreateCheckout]:
    """Return a function that creates a checkout for a stack, as on a separate machine."""
    with ExitStack() as exit_stack:

        def create(backend: Environment, name: str = "globex") -> RemoteStack:
            folder = scratch / str(len(list(scratch.iterdir())))
            folder.mkdir()
            stack = RemoteStack(folder, name, backend=backend, qlik=qlik)
            exit_stack.callback(stack.close)
            stack.write(**settings(GLOBEX if name == "globex" else INITECH))
            return stack

        yield create


def start(stack: RemoteStack) -> Process:
    """Start an `up`."""
    return stack.start("up", "--skip-preview", "--yes")


def test_three_machines_create_read_and_destroy_a_customer(
    backend: Environment, create_checkout: CreateCheckout, qlik: Emulator
) -> None:
    """The machines share only the backend."""
    first = create_checkout(backend)
    first.init()
    created = first.up().changes
    assert created.keys() == {"create"}

    second = create_checkout(backend)
    second_up = second.up()
    assert (list(second_up.changes), second_up.requests) == (["same"], [])
    backend_client = Backend(second.folder, second.env)
    (hostname,) = tenants(qlik)
    assert backend_client.outputs("globex")["hostname"] == hostname
    ids = [resource.get("id") for resource in backend_client.state("globex")["deployment"]["resources"]]
    assert World(qlik, hostname).spaces["Sales"]["id"] in ids
    with pytest.raises(NoSuchStack):
        backend_client.state("initech")

    third = create_checkout(backend)
    assert third.destroy().changes == {"delete": created["create"]}
    assert list(tenants(qlik).values()) == ["disabled"]
    assert third.resources() == {}


def test_two_stacks_run_at_the_same_time(
    backend: Environment, create_checkout: CreateCheckout, qlik: Emulator
) -> None:
    """They share a project and a backend. Each has only its own customer."""
    both = [create_checkout(backend, name) for name in ("globex", "initech")]
    for stack in both:
        stack.init()
    assert [run.wait().rc for run in [start(stack) for stack in both]] == [0, 0]
    names = [World(qlik, stack.resources()["Tenant tenant"]["id"]).tenant["name"] for stack in both]
    assert names == ["Globex", "Initech"]
    assert [list(stack.up().changes) for stack in both] == [["same"], ["same"]]
    listed = json.loads(Backend(both[0].folder, both[0].env).run("stack", "ls", "--json"))
    assert [row["name"] for row in listed] == ["globex", "initech"]


def test_a_second_run_of_a_locked_stack_is_refused(
    backend: Environment, create_checkout: CreateCheckout, qlik: Emulator
) -> None:
    """The second run starts on another machine. The first run is not affected."""
    first, second = create_checkout(backend), create_checkout(backend)
    first.init()
    fault = qlik.control.add_fault(hold=True, **CREATIONS["tenant"])
    run = start(first)
    wait_for(lambda: qlik.control.faults[0]["hit"] == 1, seconds=60)
    # The first run's template export must not count as a request of the second run.
    wait_for(
        lambda: any("/temp-contents/" in request["path"] for request in qlik.control.requests()), seconds=60
    )
    refused = second.up(expect=None)
    qlik.control.release(fault)
    assert refused.rc != 0
    assert "the stack is currently locked by 1 lock(s)" in refused.output
    assert refused.requests == []
    assert run.wait().rc == 0
    assert list(tenants(qlik).values()) == ["active"]
    assert list(second.up().changes) == ["same"]


def test_the_proof_is_stored_before_the_tenant_is_requested(
    backend: Environment, create_checkout: CreateCheckout, qlik: Emulator
) -> None:
    """After a kill before the tenant exists, another machine finds the proof and sends no request for one."""
    first, second = create_checkout(backend), create_checkout(backend)
    first.init()
    fault = qlik.control.add_fault(hold=True, **CREATIONS["tenant"])
    run = start(first)
    wait_for(lambda: qlik.control.faults[0]["hit"] == 1, seconds=60)
    kill(first, run)
    qlik.control.release(fault)
    state = second.resources()
    assert "Tenant tenant" not in state
    assert state["TenantProof proof"]["outputs"]["proof"]["id"] == state["TenantProof proof"]["id"]
    refused = second.up(expect=1)
    assert (refused.failed, refused.requests) == (["Tenant tenant"], [])
    assert tenants(qlik) == {}


def test_a_state_moves_to_another_backend(backend: Environment, create_checkout: CreateCheckout) -> None:
    """After an export from the old backend and an import, the next run has nothing to do."""
    old = create_checkout({})
    old.init()
    old.up()
    new = create_checkout(backend)
    new.init()
    file = new.folder / "state.json"
    old.pulumi("stack", "export", "--file", str(file))
    new.pulumi("stack", "import", "--file", str(file))
    second_up = new.up()
    assert (list(second_up.changes), second_up.requests) == (["same"], [])


@pytest.mark.parametrize("kind", backends.KINDS)
def test_an_unreachable_backend_is_reported_at_once(kind: str, create_checkout: CreateCheckout) -> None:
    """The run fails within seconds with a clear message, and sends nothing to Qlik."""
    stack = create_checkout(backends.unreachable(kind))
    started = time.monotonic()
    failed = stack.up(expect=None)
    assert time.monotonic() - started < SECONDS_TO_FAIL
    assert failed.rc > 0
    assert "connection refused" in failed.output
    assert failed.requests == []
