"""After one `up`, a stack with secrets needs no engine for the comparison until a secret changes."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenantry.emulator import Emulator
from tenantry.fleet.unchanged.lookup import Verdict, compare
from tests.archives import THEME
from tests.e2e.customers import GLOBEX
from tests.e2e.fleet import Fleet
from tests.e2e.harness import PULUMI, set_secret

STACK = "globex"
PROGRAM = """
pulumi.export("keys", {"sales": pulumi.Config("tenantry").require_secret("secrets_sales")})
"""


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    """A customer with a secret output, and a theme with a folder of files."""
    with Emulator() as qlik:
        fleet = Fleet(tmp_path, qlik)
        program = fleet.project / "__main__.py"
        text = program.read_text("utf-8")
        program.unlink()
        program.write_text(f"{text}\nimport pulumi\n{PROGRAM}", "utf-8")
        fleet.write(STACK, {**GLOBEX, "themes": {"Look": {"path": str(THEME)}}})
        monkeypatch.setenv("TENANTRY_STATE", fleet.env["TENANTRY_STATE"])
        pulumi(fleet, "stack", "init", STACK)
        set_secret(fleet.project, fleet.env, STACK, "sales", "first")
        fleet.run("up", "--all", "--yes", "--skip-preview")
        yield fleet


def pulumi(fleet: Fleet, *args: str) -> str:
    """Run `pulumi` in the project, and return its output."""
    return subprocess.run(
        [PULUMI, *args],
        cwd=fleet.project,
        env=fleet.env,
        text=True,
        check=True,
        capture_output=True,
        timeout=60,
    ).stdout


def verdict(fleet: Fleet, *, preview: bool = True) -> Verdict:
    return compare(fleet.project, STACK, fleet.file(STACK), {**os.environ, **fleet.env}, preview=preview)


def count_updates(fleet: Fleet) -> int:
    """Count the updates of the stack that the engine has recorded."""
    return len(list(fleet.folder.rglob(f"history/**/{STACK}/*.history.json")))


def test_an_unchanged_secret_needs_no_engine(fleet: Fleet) -> None:
    before = count_updates(fleet)
    assert before
    assert verdict(fleet).same
    result = fleet.run("up", "--all", "--yes", "--json")
    assert (result.outcomes[STACK].status, result.outcomes[STACK].same) == ("ok", verdict(fleet).same)
    assert count_updates(fleet) == before


def test_a_new_secret_goes_to_the_engine_until_the_next_up(fleet: Fleet) -> None:
    """No resource uses the secret, so the engine's preview shows no change."""
    set_secret(fleet.project, fleet.env, STACK, "sales", "second")
    fleet.run("preview", "--all")
    assert "no `up` on this machine" in verdict(fleet).reason
    fleet.run("up", "--all", "--yes", "--skip-preview")
    output = pulumi(fleet, "stack", "output", "keys", "--show-secrets", "--stack", STACK)
    assert json.loads(output) == {"sales": "second"}
    assert verdict(fleet).same


def test_a_state_from_another_command_goes_to_the_engine(fleet: Fleet) -> None:
    """Another command encrypts the same secrets again. Tenantry has not compared these ciphertexts yet."""
    pulumi(fleet, "up", "--yes", "--skip-preview", "--stack", STACK)
    assert "no `up` on this machine" in verdict(fleet).reason
    fleet.run("up", "--all", "--yes", "--skip-preview")
    assert verdict(fleet).same


def test_a_state_on_another_machine_goes_to_the_engine(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENANTRY_STATE", str(fleet.folder / "another"))
    assert "no `up` on this machine" in verdict(fleet).reason
