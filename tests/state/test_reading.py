"""States are read from the files of the backend, or with `pulumi`."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tenantry.providers.framework import formats
from tenantry.pulumi_internals import deployment
from tenantry.pulumi_internals.dynamic_resources import PROVIDER_KEY
from tenantry.settings.project import Project
from tenantry.state.backend import Backend, NewerState, NoSuchStack, PulumiFailed
from tenantry.state.reading import LastRun, Reader

WRITTEN = "2026-11-27T19:52:13.5Z"
SECRET = {deployment.SPECIAL: deployment.SECRET, "ciphertext": "v1:abc"}
STACK = {"type": deployment.STACK, "urn": "u", "outputs": {"url": "x", "deep": [{"token": SECRET}]}}
DEPLOYMENT: dict[str, Any] = {"manifest": {"time": WRITTEN}, "resources": [STACK]}


class FakeBackend(Backend):
    """A backend whose `pulumi` returns its address and one state, and counts the commands."""

    commands: list[tuple[str, ...]]

    def run(self, *arguments: str, stdin: str = "") -> str:
        self.commands.append(arguments)
        if arguments[0] == "whoami":
            return json.dumps({"url": f"file://{self.root}"})
        return json.dumps({"version": 3, "deployment": DEPLOYMENT})


@pytest.fixture
def backend(tmp_path: Path) -> FakeBackend:
    fake = FakeBackend(tmp_path)
    object.__setattr__(fake, "commands", [])
    (tmp_path / ".pulumi/stacks/tenantry").mkdir(parents=True)
    (tmp_path / ".pulumi/history/tenantry/acme").mkdir(parents=True)
    (tmp_path / ".pulumi/meta.yaml").write_text("version: 1\n")
    return fake


def reader(backend: FakeBackend) -> Reader:
    return Reader.of(backend, Project("tenantry", backend.root))


def write_state(
    backend: FakeBackend, deployment: Any, stack: str = "acme", version: int = 3, compressed: bool = False
) -> Path:
    checkpoint: dict[str, Any] = {"version": version, "checkpoint": {"stack": stack, "latest": deployment}}
    file = backend.root / ".pulumi/stacks/tenantry" / f"{stack}.json{'.gz' * compressed}"
    content = json.dumps(checkpoint).encode()
    file.write_bytes(gzip.compress(content) if compressed else content)
    return file


def write_run(backend: FakeBackend, end: int, result: str) -> None:
    folder = backend.root / ".pulumi/history/tenantry/acme"
    row = {"kind": "update", "result": result, "startTime": 1, "endTime": end}
    (folder / f"acme-{end}000000000.history.json").write_text(json.dumps(row))
    (folder / f"acme-{end}000000000.history.json.attrs").write_text("{}")
    (folder / f"acme-{end}000000000.checkpoint.json").write_text("{}")


@pytest.mark.parametrize("compressed", [False, True])
def test_a_state_in_a_file_is_read_without_pulumi(backend: FakeBackend, compressed: bool) -> None:
    write_state(backend, DEPLOYMENT, compressed=compressed)
    write_run(backend, 9, "failed")
    write_run(backend, 1795819193, "succeeded")
    states = reader(backend)
    state = states.state("acme")
    assert state == {"version": 3, "deployment": DEPLOYMENT}
    assert states.last_run("acme", state) == LastRun("update", "succeeded", "2026-11-27T22:39:53Z")
    assert states.stacks() == ["acme"]
    assert [command[0] for command in backend.commands] == ["whoami"]


def test_secrets_in_outputs_are_hidden(backend: FakeBackend) -> None:
    write_state(backend, DEPLOYMENT)
    assert deployment.outputs(reader(backend).state("acme")) == {"url": "x", "deep": [{"token": "[secret]"}]}


def test_a_stack_without_a_file_is_not_found(backend: FakeBackend) -> None:
    with pytest.raises(NoSuchStack, match="no stack named 'acme'"):
        reader(backend).state("acme")


@pytest.mark.parametrize("compressed", [False, True])
def test_an_incomplete_file_is_an_error(backend: FakeBackend, compressed: bool) -> None:
    file = write_state(backend, DEPLOYMENT, compressed=compressed)
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(PulumiFailed, match="its file is not complete JSON"):
        reader(backend).state("acme")


def test_a_newer_state_is_refused(backend: FakeBackend) -> None:
    newer = base64.b64encode(b"\x80\x04K" + bytes([formats.FORMAT + 1]) + b".").decode()
    space = {"type": "pulumi-python:dynamic/qlik:Space", "outputs": {PROVIDER_KEY: newer}}
    write_state(backend, {"resources": [space]})
    with pytest.raises(NewerState):
        reader(backend).state("acme")


@pytest.mark.parametrize("case", ["a later version of a state", "a later version of the layout"])
def test_pulumi_reads_states_of_another_format(backend: FakeBackend, case: str) -> None:
    write_state(backend, DEPLOYMENT, version=4 if case.endswith("state") else 3)
    if case.endswith("layout"):
        (backend.root / ".pulumi/meta.yaml").write_text("version: 2\n")
    states = reader(backend)
    state = states.state("acme")
    assert state["deployment"] == DEPLOYMENT
    assert states.last_run("acme", state) == LastRun(at=WRITTEN)
    assert [command[:2] for command in backend.commands[1:]] == [("stack", "export")]


def test_an_unreachable_backend_gets_only_one_command(
    backend: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Backend, *arguments: str) -> str:
        commands.append(arguments[0])
        raise PulumiFailed("pulumi whoami", "connection refused", 255)

    commands: list[str] = []
    monkeypatch.setattr(FakeBackend, "run", refuse)
    states = reader(backend)
    for stack in ("acme", "globex"):
        with pytest.raises(PulumiFailed, match="connection refused"):
            states.state(stack)
    assert commands == ["whoami"]
