"""A stack forgets its tenant and imports it again, with the real engine and the real command."""

from __future__ import annotations

import json
import re
import stat
import subprocess
from pathlib import Path

import yaml

from tenantry.emulator import Emulator
from tests.e2e.customers import GLOBEX, changed, settings
from tests.e2e.harness import ROOT, Stack
from tests.e2e.operations import bring_up, content, tenants
from tests.world import writes

TENANTRY = ROOT / ".venv" / "bin" / "tenantry"
PRODUCTION = changed(GLOBEX, ("lifecycle", {"kind": "production"}))


def forget(
    stack: Stack, *arguments: str, name: str = "", given: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run `tenantry forget` for a stack, in its folder and environment."""
    return subprocess.run(
        [TENANTRY, "forget", name or stack.name, *arguments],
        cwd=stack.folder,
        env=stack.env,
        input=given,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def notes(stack: Stack) -> list[Path]:
    """Return the notes of runs, each in the folder of its stack."""
    return list(Path(stack.env["TENANTRY_STATE"]).glob("notes/*/*.json"))


def test_a_forgotten_tenant_can_be_imported_again(stack: Stack, qlik: Emulator) -> None:
    """It sends no request, and the state is empty. The printed line restores everything without duplicates.

    A protected customer needs an extra option, and the command always needs a yes.
    """
    world = bring_up(stack, qlik, PRODUCTION)
    before, outputs, state = content(world), stack.outputs(), stack.export()
    assert notes(stack)
    other = Path(stack.env["TENANTRY_STATE"]) / "notes" / "another-stack" / "other.json"
    other.parent.mkdir()
    other.write_text("{}")
    asked = len(stack.requests())

    refused = forget(stack, "--yes")
    assert (refused.returncode, "add --protected" in refused.stderr) == (1, True)
    declined = forget(stack, "--protected", given="n\n")
    assert (declined.returncode, "Qlik receives no request" in declined.stdout) == (1, True)
    assert stack.export()["deployment"]["resources"] == state["deployment"]["resources"]

    done = forget(stack, "--protected", "--yes")
    assert done.returncode == 0, done.stderr
    assert stack.resources() == {}
    assert stack.outputs() == {}
    assert (len(stack.requests()), tenants(qlik)) == (asked, {world.hostname: "active"})
    assert notes(stack) == [other]
    [kept] = re.findall(r"former state is in (\S+);", done.stdout)
    assert json.loads(Path(kept).read_text())["deployment"]["resources"] == state["deployment"]["resources"]
    assert stat.S_IMODE(Path(kept).stat().st_mode) == 0o600

    [line] = re.findall(r"^  (revive: .*)$", done.stdout, re.MULTILINE)
    stack.write(**settings({**PRODUCTION, **yaml.safe_load(line)}))
    back = stack.up()
    assert (content(world), stack.outputs()) == (before, outputs)
    assert tenants(qlik) == {world.hostname: "active"}
    # The run looks up objects without a unique key, and Qlik refuses duplicates of the others.
    assert {call.rpartition("/")[2] for call in writes(back.requests)} <= {"groups", "spaces", "assignments"}
    assert stack.up("--expect-no-changes").requests == []


def test_the_saved_state_restores_the_stack(stack: Stack, qlik: Emulator) -> None:
    bring_up(stack, qlik, GLOBEX)
    done = forget(stack, "--yes")
    [kept] = re.findall(r"former state is in (\S+);", done.stdout)
    stack.pulumi("stack", "import", "--file", kept)
    assert stack.up("--expect-no-changes").requests == []


def test_a_stack_without_a_tenant_is_an_error(stack: Stack) -> None:
    """A stack without a first `up`, and a stack that is not in the backend."""
    never = forget(stack, "--yes")
    assert (never.returncode, "has no tenant to forget" in never.stderr) == (1, True)
    unknown = forget(stack, "--yes", name="nobody")
    assert (unknown.returncode, "no stack named 'nobody'" in unknown.stderr) == (1, True)
