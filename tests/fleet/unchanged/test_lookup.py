"""The source of the state in a comparison, and the reasons to leave a stack to the engine."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tenantry.fleet.unchanged import lookup, program
from tenantry.fleet.unchanged.doubt import Doubt
from tenantry.fleet.unchanged.lookup import Verdict
from tenantry.fleet.warm import forks
from tenantry.fleet.warm.forks import CallFailed
from tenantry.pulumi_internals.backend_files import FOLDER, ORGANISATION, add_stack
from tenantry.state.backend import Backend
from tests.fleet.unchanged.states import state
from tests.fleet.unchanged.test_files import FILE, PROJECT

CLI = (3, 259, 0)


class Server:
    """A replacement for the fork server that records the state of each call."""

    def __init__(self) -> None:
        self.states: list[Any] = []

    def call(self, function: Callable[..., Any], *arguments: Any, **_: Any) -> Any:
        self.states.append(arguments[1])
        return Verdict(5)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    fork_server = Server()
    monkeypatch.setattr(forks, "server", lambda: fork_server)
    monkeypatch.setattr(forks, "shadowed", lambda _: ())
    monkeypatch.setattr(lookup, "check_passphrase", lambda *_: None)
    monkeypatch.setattr(lookup, "_cli_version", lambda _: CLI)
    return fork_server


def compare(root: Path, preview: bool = True, /, **environment: str) -> Verdict:
    return lookup.compare(root, "acme", root / "Pulumi.acme.yaml", environment, preview=preview)


def test_a_folder_backend_is_read_in_the_fork(tmp_path: Path, server: Server) -> None:
    add_stack(tmp_path, "tenantry", "acme")
    assert compare(tmp_path, PULUMI_BACKEND_URL=f"file://{tmp_path}") == Verdict(5)
    assert server.states == [tmp_path / FOLDER]


def test_other_backends_export_the_state_for_previews_only(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Backend, "state", lambda _self, stack: {"stack": stack})
    assert compare(tmp_path, PULUMI_BACKEND_URL="s3://bucket") == Verdict(5)
    assert server.states == [{"stack": "acme"}]
    assert "locked" in compare(tmp_path, False, PULUMI_BACKEND_URL="s3://bucket").reason


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({"PULUMI_OPTION_REFRESH": "true"}, "PULUMI_OPTION_REFRESH"),
        ({"PULUMI_PYTHON_CMD": "python3"}, "PULUMI_PYTHON_CMD"),
        ({"PULUMI_BACKEND_URL": "https://api.pulumi.com"}, "Pulumi Cloud"),
        ({"PULUMI_BACKEND_URL": "file:///nowhere"}, "layout"),
    ],
)
def test_stacks_in_doubt_are_left_to_the_engine(
    tmp_path: Path, server: Server, environment: dict[str, str], reason: str
) -> None:
    verdict = compare(tmp_path, **environment)
    assert verdict.same is None
    assert reason in verdict.reason
    assert server.states == []


def test_a_failed_process_leaves_the_stack_to_the_engine(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise CallFailed("gone")

    monkeypatch.setattr(server, "call", fail)
    add_stack(tmp_path, "tenantry", "acme")
    assert compare(tmp_path, PULUMI_BACKEND_URL=f"file://{tmp_path}") == Verdict(None, "gone")


def test_the_files_of_a_folder_are_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "unchanged", lambda *_, **__: 7)
    (tmp_path / "Pulumi.yaml").write_text(PROJECT)
    file = tmp_path / "Pulumi.acme.yaml"
    file.write_text(FILE)
    add_stack(tmp_path, "tenantry", "acme")
    folder = tmp_path / FOLDER
    checkpoint = {"version": 3, "checkpoint": {"latest": state()["deployment"]}}
    (folder / "stacks" / "tenantry" / "acme.json").write_text(json.dumps(checkpoint))

    def number_of_unchanged(*, preview: bool) -> int:
        return lookup._same(tmp_path, folder, "acme", file, CLI, preview)[0]

    assert (number_of_unchanged(preview=True), number_of_unchanged(preview=False)) == (7, 7)
    lock = folder / "locks" / ORGANISATION / "tenantry" / "acme" / "half.tmp"
    lock.parent.mkdir(parents=True)
    lock.touch()
    assert number_of_unchanged(preview=True) == 7
    with pytest.raises(Doubt, match="locked"):
        number_of_unchanged(preview=False)
