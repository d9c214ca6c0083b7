"""Stacks that keep their state in Postgres or S3 behave like stacks that keep it in files."""

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
from tests.e2e.customers import GLOBEX, changed, settings
from tests.e2e.harness import Process
from tests.e2e.operations import tenants
from tests.e2e.test_harness import wait_for
from tests.e2e.test_kills import kill
from tests.world import World

SECONDS_TO_FAIL = 30
Machine = Callable[..., RemoteStack]
INITECH = changed(GLOBEX, ("name", "Initech"), ("alias", "initech"))


@pytest.fixture(params=backends.KINDS)
def backend(request: pytest.FixtureRequest, new_backend: Callable[[str], Environment]) -> Environment:
    """An empty backend of each kind."""
    return new_backend(request.param)


@pytest.fixture
def machine(scratch: Path, qlik: Emulator) -> Iterator[Machine]:
    """Return a function that creates a checkout, as on a separate machine, for a stack of a backend."""
    with ExitStack() as ends:

        def make(backend: Environment, name: str = "globex") -> RemoteStack:
            folder = scratch / str(len(list(scratch.iterdir())))
            folder.mkdir()
            stack = RemoteStack(folder, name, backend=backend, qlik=qlik)
            ends.callback(stack.close)
            stack.write(**settings(GLOBEX if name == "globex" else INITECH))
            return stack

        yield make


def start(stack: RemoteStack) -> Process:
    """Start an `up`."""
    return stack.start("up", "--skip-preview", "--yes")


def test_a_customer_lives_in_each_backend(backend: Environment, machine: Machine, qlik: Emulator) -> None:
    """Created on one machine, read on a second, destroyed on a third: they share only the backend."""
    first = machine(backend)
    first.init()
    made = first.up().changes
    assert made.keys() == {"create"}

    second = machine(backend)
    again = second.up()
    assert (list(again.changes), again.requests) == (["same"], [])
    there = Backend(second.folder, second.env)
    (hostname,) = tenants(qlik)
    assert there.outputs("globex")["hostname"] == hostname
    ids = [resource.get("id") for resource in there.state("globex")["deployment"]["resources"]]
    assert World(qlik, hostname).spaces["Sales"]["id"] in ids
    with pytest.raises(NoSuchStack):
        there.state("initech")

    third = machine(backend)
    assert third.destroy().changes == {"delete": made["create"]}
    assert list(tenants(qlik).values()) == ["disabled"]
    assert third.resources() == {}


def test_two_stacks_run_at_the_same_time(backend: Environment, machine: Machine, qlik: Emulator) -> None:
    """They share a project and a backend, and nothing else: each has only its own customer."""
    both = [machine(backend, name) for name in ("globex", "initech")]
    for stack in both:
        stack.init()
    assert [run.wait().rc for run in [start(stack) for stack in both]] == [0, 0]
    names = [World(qlik, stack.resources()["Tenant tenant"]["id"]).tenant["name"] for stack in both]
    assert names == ["Globex", "Initech"]
    assert [list(stack.up().changes) for stack in both] == [["same"], ["same"]]
    listed = json.loads(Backend(both[0].folder, both[0].env).run("stack", "ls", "--json"))
    assert [row["name"] for row in listed] == ["globex", "initech"]


def test_a_stack_has_one_run_at_a_time(backend: Environment, machine: Machine, qlik: Emulator) -> None:
    """A second run, from another machine, fails because of the lock. The first is not affected."""
    first, second = machine(backend), machine(backend)
    first.init()
    fault = qlik.control.add_fault(hold=True, **CREATIONS["tenant"])
    run = start(first)
    wait_for(lambda: qlik.control.faults[0]["hit"] == 1, seconds=60)
    # Also wait for the first run's template export. Otherwise it would count as a request of the second run.
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


def test_the_proof_is_saved_before_the_request(
    backend: Environment, machine: Machine, qlik: Emulator
) -> None:
    """After a kill during the creation of a tenant, another machine finds the proof and requests no other."""
    first, second = machine(backend), machine(backend)
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


def test_a_state_moves_to_another_backend(backend: Environment, machine: Machine) -> None:
    """After an export and an import, the next run has nothing to do."""
    old = machine({})
    old.init()
    old.up()
    new = machine(backend)
    new.init()
    file = new.folder / "state.json"
    old.pulumi("stack", "export", "--file", str(file))
    new.pulumi("stack", "import", "--file", str(file))
    again = new.up()
    assert (list(again.changes), again.requests) == (["same"], [])


@pytest.mark.parametrize("kind", backends.KINDS)
def test_an_unavailable_backend_is_a_clear_error(kind: str, machine: Machine) -> None:
    """The run fails within seconds with a clear message, and sends nothing to Qlik."""
    stack = machine(backends.unreachable(kind))
    began = time.monotonic()
    failed = stack.up(expect=None)
    assert time.monotonic() - began < SECONDS_TO_FAIL
    assert failed.rc > 0
    assert "connection refused" in failed.output
    assert failed.requests == []
