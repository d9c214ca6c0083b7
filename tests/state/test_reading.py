"""Tests of reading states from the files of the backend, or with `pulumi`."""

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


class Site(Backend):
    """A backend whose `pulumi` returns its address and one state, and counts the commands."""

    asked: list[tuple[str, ...]]

    def run(self, *arguments: str, given: str = "") -> str:
        self.asked.append(arguments)
        if arguments[0] == "whoami":
            return json.dumps({"url": f"file://{self.root}"})
        return json.dumps({"version": 3, "deployment": DEPLOYMENT})


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path)
    object.__setattr__(made, "asked", [])
    (tmp_path / ".pulumi/stacks/tenantry").mkdir(parents=True)
    (tmp_path / ".pulumi/history/tenantry/acme").mkdir(parents=True)
    (tmp_path / ".pulumi/meta.yaml").write_text("version: 1\n")
    return made


def reader(site: Site) -> Reader:
    return Reader.of(site, Project("tenantry", site.root))


def keep(site: Site, deployment: Any, stack: str = "acme", version: int = 3, packed: bool = False) -> Path:
    checkpoint: dict[str, Any] = {"version": version, "checkpoint": {"stack": stack, "latest": deployment}}
    file = site.root / ".pulumi/stacks/tenantry" / f"{stack}.json{'.gz' * packed}"
    content = json.dumps(checkpoint).encode()
    file.write_bytes(gzip.compress(content) if packed else content)
    return file


def ran(site: Site, at: int, result: str) -> None:
    folder = site.root / ".pulumi/history/tenantry/acme"
    row = {"kind": "update", "result": result, "startTime": 1, "endTime": at}
    (folder / f"acme-{at}000000000.history.json").write_text(json.dumps(row))
    (folder / f"acme-{at}000000000.history.json.attrs").write_text("{}")
    (folder / f"acme-{at}000000000.checkpoint.json").write_text("{}")


@pytest.mark.parametrize("packed", [False, True])
def test_a_state_in_a_file_takes_no_pulumi(site: Site, packed: bool) -> None:
    keep(site, DEPLOYMENT, packed=packed)
    ran(site, 9, "failed")
    ran(site, 1795819193, "succeeded")
    found = reader(site)
    state = found.state("acme")
    assert state == {"version": 3, "deployment": DEPLOYMENT}
    assert found.last_run("acme", state) == LastRun("update", "succeeded", "2026-11-27T22:39:53Z")
    assert found.stacks() == ["acme"]
    assert [item[0] for item in site.asked] == ["whoami"]


def test_secrets_in_outputs_are_hidden(site: Site) -> None:
    keep(site, DEPLOYMENT)
    assert deployment.outputs(reader(site).state("acme")) == {"url": "x", "deep": [{"token": "[secret]"}]}


def test_a_stack_without_a_file_is_not_found(site: Site) -> None:
    with pytest.raises(NoSuchStack, match="no stack named 'acme'"):
        reader(site).state("acme")


@pytest.mark.parametrize("packed", [False, True])
def test_an_incomplete_file_is_an_error(site: Site, packed: bool) -> None:
    file = keep(site, DEPLOYMENT, packed=packed)
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(PulumiFailed, match="its file is not complete JSON"):
        reader(site).state("acme")


def test_a_newer_state_is_refused(site: Site) -> None:
    newer = base64.b64encode(b"\x80\x04K" + bytes([formats.FORMAT + 1]) + b".").decode()
    space = {"type": "pulumi-python:dynamic/qlik:Space", "outputs": {PROVIDER_KEY: newer}}
    keep(site, {"resources": [space]})
    with pytest.raises(NewerState):
        reader(site).state("acme")


@pytest.mark.parametrize("case", ["a later version of a state", "a later version of the layout"])
def test_pulumi_reads_states_of_another_format(site: Site, case: str) -> None:
    keep(site, DEPLOYMENT, version=4 if case.endswith("state") else 3)
    if case.endswith("layout"):
        (site.root / ".pulumi/meta.yaml").write_text("version: 2\n")
    found = reader(site)
    state = found.state("acme")
    assert state["deployment"] == DEPLOYMENT
    assert found.last_run("acme", state) == LastRun(at=WRITTEN)
    assert [item[:2] for item in site.asked[1:]] == [("stack", "export")]


def test_a_backend_that_does_not_answer_is_asked_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Backend, *arguments: str) -> str:
        asked.append(arguments[0])
        raise PulumiFailed("pulumi whoami", "connection refused", 255)

    asked: list[str] = []
    monkeypatch.setattr(Site, "run", refuse)
    found = reader(site)
    for stack in ("acme", "globex"):
        with pytest.raises(PulumiFailed, match="connection refused"):
            found.state(stack)
    assert asked == ["whoami"]
