"""Writing a state never overwrites a change that another run made after the state was read.

The real `pulumi` runs these tests, because it decides whether two states are equal.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tenantry.demo.environment import private_environment
from tenantry.providers.framework import notes
from tenantry.pulumi_internals.deployment import resources
from tenantry.state.backend import Backend, PulumiFailed, StateChanged
from tenantry.state.entries import TENANT
from tenantry.state.forget import ForgetReport

State = dict[str, Any]

PROGRAM = "urn:pulumi:globex::tenantry"
PROVIDER = f"{PROGRAM}::pulumi:providers:pulumi-python::default"
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": '"hunter2"'}


def resource(type_: str, name: str, **properties: Any) -> State:
    return {"urn": f"{PROGRAM}::{type_}::{name}", "type": type_, "custom": True, **properties}


def resource_with_secret(type_: str, name: str) -> State:
    """Return a resource with a secret, which each state encrypts."""
    reference = f"{PROVIDER}::p1"
    values = {"inputs": {"a": SECRET}, "outputs": {"a": SECRET, "tenant_id": "T1"}}
    return resource(type_, name, id="x.eu.qlikcloud.com", provider=reference, **values)


SPACE = "pulumi-python:dynamic/qlik:Space"
STATE = [
    resource("pulumi:providers:pulumi-python", "default", id="p1"),
    resource_with_secret(TENANT, "tenant"),
    resource_with_secret(SPACE, "Sales"),
]


@pytest.fixture
def backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Backend:
    """A backend with one stack. Its state comes from an interrupted run."""
    (tmp_path / "Pulumi.yaml").write_text("name: tenantry\nruntime: python\n")
    environment = private_environment(tmp_path / "pulumi")
    monkeypatch.setenv("TENANTRY_STATE", environment["TENANTRY_STATE"])
    backend = Backend(tmp_path, environment)
    backend.run("stack", "init", "globex", "--no-select")
    state = backend.state("globex")
    state["deployment"]["resources"] = STATE
    backend.replace_state("globex", state)
    add_pending_operations(backend, "Sales")
    return backend


def add_pending_operations(backend: Backend, *names: str) -> None:
    """Simulate a run that was interrupted while it created these spaces.

    It changes the file, because `pulumi` refuses such a state.
    """
    file = backend.root / "pulumi/state/.pulumi/stacks/tenantry/globex.json"
    content = json.loads(file.read_text("utf-8"))
    space = next(
        resource for resource in content["checkpoint"]["latest"]["resources"] if resource["type"] == SPACE
    )
    operations = [
        {"resource": {**space, "urn": f"{PROGRAM}::{SPACE}::{name}"}, "type": "creating"} for name in names
    ]
    content["checkpoint"]["latest"]["pending_operations"] = operations
    file.write_text(json.dumps(content), "utf-8")


def another_run(backend: Backend) -> None:
    """Add a space to the state, like another run."""
    state = backend.state("globex")
    state["deployment"]["resources"].append(resource_with_secret(SPACE, "Inventory"))
    backend.replace_state("globex", state)


def run_after_first_read(monkeypatch: pytest.MonkeyPatch, act: Callable[[Backend], None]) -> list[State]:
    """Simulate another run after the state was first read; return a list that gets the state of that run."""
    other_run_states: list[State] = []
    read = Backend.state

    def state(self: Backend, stack: str) -> State:
        result = read(self, stack)
        if not other_run_states:
            other_run_states.append({})
            act(self)
            other_run_states[0] = read(self, stack)
        return result

    monkeypatch.setattr(Backend, "state", state)
    return other_run_states


def pending(state: State) -> list[str]:
    operations = state["deployment"].get("pending_operations") or []
    return [operation["resource"]["urn"].rpartition("::")[2] for operation in operations]


def backups(backend: Backend) -> list[Path]:
    return list((notes.directory().parent / "forgotten").glob("*"))


def test_an_unchanged_state_is_equal_when_it_is_read_again(backend: Backend) -> None:
    """The comparison handles encrypted secrets. Otherwise, no state could be written."""
    state = backend.state("globex")
    assert "ciphertext" in state["deployment"]["resources"][1]["inputs"]["a"]
    changed = copy.deepcopy(state)
    changed["deployment"]["resources"].pop()
    backend.replace_state("globex", changed, seen=state)
    assert len(resources(backend.state("globex"))) == 2
    with pytest.raises(StateChanged):
        backend.replace_state("globex", changed, seen=state)


def test_unfinished_operations_with_known_results_are_cleared(backend: Backend) -> None:
    """The resources stay unchanged."""
    before = backend.state("globex")
    assert pending(before) == ["Sales"]
    backend.clear_finished_operations("globex")
    after = backend.state("globex")
    assert pending(after) == []
    assert [entry["urn"] for entry in resources(after)] == [entry["urn"] for entry in resources(before)]


def test_unfinished_operations_with_unknown_results_stay(backend: Backend) -> None:
    """`pulumi stack import` would remove both operations, even the one with an unknown result."""
    add_pending_operations(backend, "Sales", "Unknown")
    backend.clear_finished_operations("globex")
    assert pending(backend.state("globex")) == ["Sales", "Unknown"]


def test_a_state_without_unfinished_operations_is_not_written(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend.clear_finished_operations("globex")
    monkeypatch.setattr(Backend, "replace_state", lambda *_, **__: pytest.fail("written"))
    backend.clear_finished_operations("globex")


def test_a_change_by_another_run_stops_the_clearing_of_operations(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    other_run_states = run_after_first_read(monkeypatch, another_run)
    message = (
        r"stack globex: its state has changed in the meantime\. Nothing was written\. Run the command again"
    )
    with pytest.raises(StateChanged, match=message):
        backend.clear_finished_operations("globex")
    assert backend.state("globex") == other_run_states[0]
    assert len(resources(other_run_states[0])) == len(STATE) + 1
    backend.clear_finished_operations("globex")
    assert pending(backend.state("globex")) == []
    assert len(resources(backend.state("globex"))) == len(STATE) + 1


def test_a_tenant_is_forgotten(backend: Backend) -> None:
    report = ForgetReport.look(backend, "globex")
    file = report.forget()
    assert resources(backend.state("globex")) == []
    assert backups(backend) == [file]


def test_a_change_by_another_run_stops_a_forget(backend: Backend) -> None:
    """The user confirms between `look` and `forget`, and another run can create a tenant in that time.

    Its state must not be lost. The notes and the backup must not show a removal that did not happen.
    """
    note = notes.Note("x.eu.qlikcloud.com", "test")
    report = ForgetReport.look(backend, "globex")
    another_run(backend)
    note.write(outcome="created")
    state_of_other_run = backend.state("globex")
    with pytest.raises(StateChanged, match="stack globex: its state has changed in the meantime"):
        report.forget()
    assert backend.state("globex") == state_of_other_run
    assert (backups(backend), note.path.exists()) == ([], True)
    ForgetReport.look(backend, "globex").forget()
    assert resources(backend.state("globex")) == []


def test_a_state_that_cannot_be_read_again_is_not_written(backend: Backend) -> None:
    report = ForgetReport.look(backend, "globex")
    before = backend.state("globex")
    wrong_backend = {**backend.environment, "PULUMI_BACKEND_URL": f"file://{backend.root / 'nowhere'}"}
    unreachable = replace(report, backend=Backend(backend.root, wrong_backend))
    with pytest.raises(PulumiFailed, match="pulumi stack export"):
        unreachable.forget()
    assert backend.state("globex") == before
