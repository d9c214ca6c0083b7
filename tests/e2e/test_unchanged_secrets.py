"""After one `up`, stacks with secrets are compared without the engine, until a secret changes."""

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
from tests.e2e.harness import PULUMI

STACK = "globex"
PROGRAM = """
pulumi.export("keys", {"sales": pulumi.Config("tenantry").require_secret("secrets_sales")})
"""


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    """A customer with a secret output, and a theme with a folder of files."""
    with Emulator() as qlik:
        made = Fleet(tmp_path, qlik)
        program = made.project / "__main__.py"
        text = program.read_text("utf-8")
        program.unlink()
        program.write_text(f"{text}\nimport pulumi\n{PROGRAM}", "utf-8")
        made.write(STACK, {**GLOBEX, "themes": {"Look": {"path": str(THEME)}}})
        monkeypatch.setenv("TENANTRY_STATE", made.env["TENANTRY_STATE"])
        set_secret(made, "first")
        made.run("up", "--all", "--yes", "--skip-preview")
        yield made


def set_secret(fleet: Fleet, value: str) -> None:
    """Set the secret as users do, without the value as an argument of the command."""
    if not list(fleet.folder.rglob(f"{STACK}.json")):
        pulumi(fleet, "stack", "init", STACK)
    pulumi(fleet, "config", "set", "--secret", "tenantry:secrets_sales", "--stack", STACK, text=value)


def pulumi(fleet: Fleet, *args: str, text: str | None = None) -> str:
    return subprocess.run(
        [PULUMI, *args],
        cwd=fleet.project,
        env=fleet.env,
        input=text,
        text=True,
        check=True,
        capture_output=True,
        timeout=60,
    ).stdout


def verdict(fleet: Fleet, *, preview: bool = True) -> Verdict:
    return compare(fleet.project, STACK, fleet.file(STACK), {**os.environ, **fleet.env}, preview=preview)


def updates(fleet: Fleet) -> int:
    """Count the updates of the stack that the engine has recorded."""
    return len(list(fleet.folder.rglob(f"history/**/{STACK}/*.history.json")))


def test_a_secret_that_has_not_changed_needs_no_engine(fleet: Fleet) -> None:
    before = updates(fleet)
    assert before
    assert verdict(fleet).same
    done = fleet.run("up", "--all", "--yes", "--json")
    assert (done.outcomes[STACK].status, done.outcomes[STACK].same) == ("ok", verdict(fleet).same)
    assert updates(fleet) == before


def test_a_new_secret_goes_to_the_engine_until_the_next_up(fleet: Fleet) -> None:
    """This also holds if no resource uses the secret, so that the engine's preview shows no change."""
    set_secret(fleet, "second")
    fleet.run("preview", "--all")
    assert "no `up` on this machine" in verdict(fleet).reason
    fleet.run("up", "--all", "--yes", "--skip-preview")
    shown = pulumi(fleet, "stack", "output", "keys", "--show-secrets", "--stack", STACK)
    assert json.loads(shown) == {"sales": "second"}
    assert verdict(fleet).same


def test_a_state_from_another_command_goes_to_the_engine(fleet: Fleet) -> None:
    """It has new ciphertexts of the same secrets, which were not compared yet."""
    pulumi(fleet, "up", "--yes", "--skip-preview", "--stack", STACK)
    assert "no `up` on this machine" in verdict(fleet).reason
    fleet.run("up", "--all", "--yes", "--skip-preview")
    assert verdict(fleet).same


def test_another_machine_goes_to_the_engine(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENANTRY_STATE", str(fleet.folder / "another"))
    assert "no `up` on this machine" in verdict(fleet).reason
