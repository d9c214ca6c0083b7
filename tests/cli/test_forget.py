"""Tests of `tenantry forget` while another run changes the stack. tests/e2e uses the engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tenantry.cli.app import app
from tenantry.state.backend import Backend
from tenantry.state.entries import TENANT
from tests.cli.conftest import Folder


class FakePulumi:
    """A fake `pulumi`. Each export returns the next state. The last state is returned again and again."""

    def __init__(self, *states: dict[str, Any]) -> None:
        self.states = list(states)
        self.imported: list[Any] = []

    def run(self, *arguments: str, stdin: str = "") -> str:
        match arguments:
            case ("stack", "export", "--stack", "globex"):
                return json.dumps(self.states.pop(0) if len(self.states) > 1 else self.states[0])
            case ("stack", "import", "--stack", "globex"):
                self.imported.append(json.loads(stdin))
                return ""
        raise AssertionError(f"unexpected command: {arguments}")


def state(*names: str) -> dict[str, Any]:
    """Return a state with a tenant and spaces of these names."""
    urn = "urn:pulumi:globex::tenantry::"
    tenant = {"urn": f"{urn}{TENANT}::tenant", "type": TENANT, "id": "x.eu.qlikcloud.com"}
    kind = "pulumi-python:dynamic/qlik:Space"
    spaces = [{"urn": f"{urn}{kind}::{name}", "type": kind, "id": name} for name in names]
    return {"version": 3, "deployment": {"resources": [tenant, *spaces]}}


@pytest.mark.parametrize("arguments", [["--yes"], []], ids=["--yes", "confirmed"])
@pytest.mark.parametrize("changed", [False, True], ids=["unchanged", "changed meanwhile"])
def test_only_the_shown_tenant_is_forgotten(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], changed: bool
) -> None:
    pulumi = FakePulumi(state("Sales"), state("Sales", "Inventory") if changed else state("Sales"))
    monkeypatch.setattr(Backend, "run", lambda _, *arguments, **options: pulumi.run(*arguments, **options))
    monkeypatch.setenv("TENANTRY_STATE", str(tmp_path / "state"))
    result = CliRunner().invoke(app, ["forget", "globex", *arguments], input="y\n", catch_exceptions=False)
    backups = list((tmp_path / "state" / "forgotten").glob("*"))
    if changed:
        assert result.exit_code == 1
        assert (
            "stack globex: its state has changed in the meantime. Nothing was written. Run the command again"
            in result.stderr
        )
        assert "Done." not in result.output
        assert (pulumi.imported, backups) == ([], [])
    else:
        assert result.exit_code == 0
        assert [state["deployment"]["resources"] for state in pulumi.imported] == [[]]
        assert [json.loads(entry.read_text()) for entry in backups] == [state("Sales")]
