"""States that are written after they were read: never over what another run wrote in between.

On the real `pulumi`, since it says whether two states are one.
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
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": '"geheim"'}


def resource(kind: str, name: str, **more: Any) -> State:
    return {"urn": f"{PROGRAM}::{kind}::{name}", "type": kind, "custom": True, **more}


def ours(kind: str, name: str) -> State:
    """A resource with a secret, which each state encrypts."""
    reference = f"{PROVIDER}::p1"
    known = {"inputs": {"a": SECRET}, "outputs": {"a": SECRET, "tenant_id": "T1"}}
    return resource(kind, name, id="x.eu.qlikcloud.com", provider=reference, **known)


SPACE = "pulumi-python:dynamic/qlik:Space"
STATE = [
    resource("pulumi:providers:pulumi-python", "default", id="p1"),
    ours(TENANT, "tenant"),
    ours(SPACE, "Sales"),
]


@pytest.fixture
def backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Backend:
    """A backend with one stack, whose state is from an interrupted run."""
    (tmp_path / "Pulumi.yaml").write_text("name: tenantry\nruntime: python\n")
    environment = private_environment(tmp_path / "pulumi")
    monkeypatch.setenv("TENANTRY_STATE", environment["TENANTRY_STATE"])
    made = Backend(tmp_path, environment)
    made.run("stack", "init", "globex", "--no-select")
    state = made.state("globex")
    state["deployment"]["resources"] = STATE
    made.replace_state("globex", state)
    cut_off(made, "Sales")
    return made


def cut_off(backend: Backend, *names: str) -> None:
    """Simulate a run that was interrupted while it created these spaces. `pulumi` refuses such a state."""
    file = backend.root / "pulumi/state/.pulumi/stacks/tenantry/globex.json"
    whole = json.loads(file.read_text("utf-8"))
    like = next(item for item in whole["checkpoint"]["latest"]["resources"] if item["type"] == SPACE)
    operations = [
        {"resource": {**like, "urn": f"{PROGRAM}::{SPACE}::{name}"}, "type": "creating"} for name in names
    ]
    whole["checkpoint"]["latest"]["pending_operations"] = operations
    file.write_text(json.dumps(whole), "utf-8")


def another_run(backend: Backend) -> None:
    """Create a space, like another run."""
    state = backend.state("globex")
    state["deployment"]["resources"].append(ours(SPACE, "Inventory"))
    backend.replace_state("globex", state)


def meanwhile(monkeypatch: pytest.MonkeyPatch, act: Callable[[Backend], None]) -> list[State]:
    """Simulate another run after the state was read. Returns its state."""
    left: list[State] = []
    read = Backend.state

    def state(self: Backend, stack: str) -> State:
        found = read(self, stack)
        if not left:
            left.append({})
            act(self)
            left[0] = read(self, stack)
        return found

    monkeypatch.setattr(Backend, "state", state)
    return left


def pending(state: State) -> list[str]:
    operations = state["deployment"].get("pending_operations") or []
    return [operation["resource"]["urn"].rpartition("::")[2] for operation in operations]


def kept(backend: Backend) -> list[Path]:
    return list((notes.directory().parent / "forgotten").glob("*"))


def test_a_state_that_was_not_touched_is_the_same_when_it_is_read_again(backend: Backend) -> None:
    """Secrets are compared too. Otherwise nothing would ever be written."""
    seen = backend.state("globex")
    assert "ciphertext" in seen["deployment"]["resources"][1]["inputs"]["a"]
    changed = copy.deepcopy(seen)
    changed["deployment"]["resources"].pop()
    backend.replace_state("globex", changed, seen=seen)
    assert len(resources(backend.state("globex"))) == 2
    with pytest.raises(StateChanged):
        backend.replace_state("globex", changed, seen=seen)


def test_unfinished_operations_are_settled(backend: Backend) -> None:
    """Everything else stays unchanged."""
    before = backend.state("globex")
    assert pending(before) == ["Sales"]
    backend.clear_finished_operations("globex")
    after = backend.state("globex")
    assert pending(after) == []
    assert [item["urn"] for item in resources(after)] == [entry["urn"] for entry in resources(before)]


def test_unfinished_operations_with_unknown_results_stay(backend: Backend) -> None:
    """`pulumi stack import` would remove both operations, even the one with an unknown result."""
    cut_off(backend, "Sales", "Unknown")
    backend.clear_finished_operations("globex")
    assert pending(backend.state("globex")) == ["Sales", "Unknown"]


def test_a_settled_state_is_not_written(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    backend.clear_finished_operations("globex")
    monkeypatch.setattr(Backend, "replace_state", lambda *_, **__: pytest.fail("written"))
    backend.clear_finished_operations("globex")


def test_nothing_is_settled_over_another_run(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    left = meanwhile(monkeypatch, another_run)
    message = (
        r"stack globex: its state has changed in the meantime\. Nothing was written\. Run the command again"
    )
    with pytest.raises(StateChanged, match=message):
        backend.clear_finished_operations("globex")
    assert backend.state("globex") == left[0]
    assert len(resources(left[0])) == len(STATE) + 1
    backend.clear_finished_operations("globex")
    assert pending(backend.state("globex")) == []
    assert len(resources(backend.state("globex"))) == len(STATE) + 1


def test_a_tenant_is_forgotten(backend: Backend) -> None:
    farewell = ForgetReport.look(backend, "globex")
    file = farewell.forget()
    assert resources(backend.state("globex")) == []
    assert kept(backend) == [file]


def test_nothing_is_forgotten_over_another_run(backend: Backend) -> None:
    """A question lies between look and deed. What another run made then would be lost, and its tenant with
    it; notes and the file with the former state would tell of what was not done.
    """
    note = notes.Note("x.eu.qlikcloud.com", "test")
    farewell = ForgetReport.look(backend, "globex")
    another_run(backend)
    note.write(outcome="made")
    left = backend.state("globex")
    with pytest.raises(StateChanged, match="stack globex: its state has changed in the meantime"):
        farewell.forget()
    assert backend.state("globex") == left
    assert (kept(backend), note.path.exists()) == ([], True)
    ForgetReport.look(backend, "globex").forget()
    assert resources(backend.state("globex")) == []


def test_a_state_that_cannot_be_read_again_is_not_written(backend: Backend) -> None:
    farewell = ForgetReport.look(backend, "globex")
    before = backend.state("globex")
    nowhere = {**backend.environment, "PULUMI_BACKEND_URL": f"file://{backend.root / 'nowhere'}"}
    unreachable = replace(farewell, backend=Backend(backend.root, nowhere))
    with pytest.raises(PulumiFailed, match="pulumi stack export"):
        unreachable.forget()
    assert backend.state("globex") == before
