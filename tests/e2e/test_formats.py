"""An older Tenantry refuses the state of a newer one, and does not change it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tenantry.emulator import Emulator
from tests.e2e.customers import GLOBEX, settings, with_changes
from tests.e2e.harness import ROOT, Stack
from tests.e2e.operations import bring_up
from tests.packages import copy
from tests.world import writes

REFUSED = "This state was written by a newer Tenantry: it has format 2, and Tenantry"


@pytest.fixture
def newer(tmp_path: Path) -> str:
    """The `PYTHONPATH` of a Tenantry that differs only by a newer format."""
    folder = tmp_path / "newer"
    folder.mkdir()
    file = copy(folder) / "providers" / "framework" / "formats.py"
    text = file.read_text("utf-8")
    assert text.count("\nFORMAT = 1\n") == 1
    file.write_text(text.replace("\nFORMAT = 1\n", "\nFORMAT = 2\n"), "utf-8")
    return str(folder)


def state_of(stack: Stack) -> list[tuple[object, ...]]:
    """Return the content of the state for each resource, in order."""
    return [
        tuple(resource.get(key) for key in ("urn", "id", "inputs", "outputs"))
        for resource in stack.resources().values()
    ]


def test_a_newer_state_is_refused_and_unchanged(
    make_stack: Callable[..., Stack], qlik: Emulator, newer: str
) -> None:
    """Every command fails with one clear line, sends no request and keeps the state."""
    stack = make_stack(qlik=qlik)
    bring_up(stack, qlik, GLOBEX)
    [component] = [
        resource for name, resource in stack.resources().items() if name.startswith("QlikCustomerTenant")
    ]
    assert component["outputs"]["format"] == 1
    assert "format" not in stack.outputs()

    upgraded = stack.up(PYTHONPATH=newer)
    assert upgraded.changes.keys() == {"same", "update"}
    assert len(upgraded.changes["update"]) == len(stack.resources()) - 1  # type: ignore[arg-type]
    assert writes(upgraded.requests) == []
    assert stack.up("--expect-no-changes", PYTHONPATH=newer).requests == []

    before = state_of(stack)
    for command in ("up", "preview", "refresh", "destroy"):
        options = () if command == "preview" else ("--skip-preview", "--yes")
        refused = stack.pulumi(command, *options, expect=None)
        assert refused.rc != 0
        assert REFUSED in refused.stdout + refused.stderr
        assert "Traceback" not in refused.stdout + refused.stderr
        assert refused.requests == []
    assert state_of(stack) == before

    for arguments in (["status", stack.name], ["forget", stack.name, "--yes"]):
        completed = subprocess.run(
            [ROOT / ".venv" / "bin" / "tenantry", *arguments],
            cwd=stack.folder,
            env={**stack.env, "PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert completed.returncode != 0, completed.stdout
        assert REFUSED in " ".join((completed.stdout + completed.stderr).split())
    assert state_of(stack) == before


def test_properties_of_a_later_version_are_accepted(stack: Stack, qlik: Emulator) -> None:
    """After a downgrade, the state may contain an output and a property of a later version."""
    bring_up(stack, qlik, GLOBEX)
    state = stack.export()
    for resource in state["deployment"]["resources"]:
        if "dynamic/qlik:" in resource["type"]:
            resource["outputs"]["added"] = "by a later version"
        if resource["type"].endswith(":Group"):
            resource["inputs"]["setting"] = resource["outputs"]["setting"] = "of a later version"
    file = stack.folder / "state.json"
    file.write_text(json.dumps(state), "utf-8")
    stack.pulumi("stack", "import", "--file", str(file))

    stack.refresh()
    with_added_output = {
        name for name, resource in stack.resources().items() if "added" in resource["outputs"]
    }
    assert with_added_output == {
        name for name in stack.resources() if not name.startswith("QlikCustomerTenant")
    }
    stack.write(**settings(with_changes(GLOBEX, ("groups/Partners/description", "Who resells"))))
    updated = stack.up()
    assert "Group Partners" in updated.changes["update"]  # type: ignore[operator]
    assert stack.up("--expect-no-changes").requests == []
    assert writes(stack.destroy().requests)[-1].endswith("/actions/deactivate")


def test_an_interrupted_run_of_a_newer_version_is_refused(
    make_stack: Callable[..., Stack], qlik: Emulator, newer: str
) -> None:
    """A run writes the proof first, so the state has the new format before any other change."""
    stack = make_stack(qlik=qlik)
    bring_up(stack, qlik, GLOBEX)
    proof = next(
        resource["urn"] for name, resource in stack.resources().items() if name.startswith("TenantProof")
    )
    stack.up("--target", proof, PYTHONPATH=newer)
    stack.write(**settings(with_changes(GLOBEX, ("groups/Clerks", {}))))
    refused = stack.up(expect=1)
    assert refused.requests == []
    [error] = refused.errors
    assert REFUSED in error
