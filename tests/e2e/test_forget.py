"""`tenantry forget` with the real engine: a stack forgets its tenant and can import it again."""

from __future__ import annotations

import json
import re
import stat
import subprocess
from pathlib import Path

import yaml

from tenantry.emulator import Emulator
from tests.e2e.customers import GLOBEX, settings, with_changes
from tests.e2e.harness import ROOT, Stack
from tests.e2e.operations import bring_up, content, tenants
from tests.world import writes

TENANTRY = ROOT / ".venv" / "bin" / "tenantry"
PRODUCTION = with_changes(GLOBEX, ("lifecycle", {"kind": "production"}))


def forget(
    stack: Stack, *arguments: str, name: str = "", answer: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run `tenantry forget` for a stack, in its folder and environment."""
    return subprocess.run(
        [TENANTRY, "forget", name or stack.name, *arguments],
        cwd=stack.folder,
        env=stack.env,
        input=answer,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def notes(stack: Stack) -> list[Path]:
    """Return the note files of runs. Each stack has its own folder."""
    return list(Path(stack.env["TENANTRY_STATE"]).glob("notes/*/*.json"))


def test_a_forgotten_tenant_can_be_imported_again(stack: Stack, qlik: Emulator) -> None:
    """The command sends no request and empties the state. Its `revive` line restores everything.

    A protected customer needs an extra option. The command always needs a confirmation.
    """
    world = bring_up(stack, qlik, PRODUCTION)
    before, outputs, state = content(world), stack.outputs(), stack.export()
    assert notes(stack)
    other = Path(stack.env["TENANTRY_STATE"]) / "notes" / "another-stack" / "other.json"
    other.parent.mkdir()
    other.write_text("{}")
    request_count = len(stack.requests())

    refused = forget(stack, "--yes")
    assert (refused.returncode, "add --protected" in refused.stderr) == (1, True)
    declined = forget(stack, "--protected", answer="n\n")
    assert (declined.returncode, "Qlik receives no request" in declined.stdout) == (1, True)
    assert stack.export()["deployment"]["resources"] == state["deployment"]["resources"]

    completed = forget(stack, "--protected", "--yes")
    assert completed.returncode == 0, completed.stderr
    assert stack.resources() == {}
    assert stack.outputs() == {}
    assert (len(stack.requests()), tenants(qlik)) == (request_count, {world.hostname: "active"})
    assert notes(stack) == [other]
    [state_file] = re.findall(r"former state is in (\S+);", completed.stdout)
    assert (
        json.loads(Path(state_file).read_text())["deployment"]["resources"]
        == state["deployment"]["resources"]
    )
    assert stat.S_IMODE(Path(state_file).stat().st_mode) == 0o600

    [line] = re.findall(r"^  (revive: .*)$", completed.stdout, re.MULTILINE)
    stack.write(**settings({**PRODUCTION, **yaml.safe_load(line)}))
    restored = stack.up()
    assert (content(world), stack.outputs()) == (before, outputs)
    assert tenants(qlik) == {world.hostname: "active"}
    # The run looks up objects without a unique key. It tries to create the others, which Qlik refuses.
    assert {call.rpartition("/")[2] for call in writes(restored.requests)} <= {
        "groups",
        "spaces",
        "assignments",
    }
    assert stack.up("--expect-no-changes").requests == []


def test_the_saved_state_restores_the_stack(stack: Stack, qlik: Emulator) -> None:
    bring_up(stack, qlik, GLOBEX)
    completed = forget(stack, "--yes")
    [state_file] = re.findall(r"former state is in (\S+);", completed.stdout)
    stack.pulumi("stack", "import", "--file", state_file)
    assert stack.up("--expect-no-changes").requests == []


def test_a_stack_without_a_tenant_is_refused(stack: Stack) -> None:
    """One stack had no `up` yet, and the other one is not in the backend."""
    without_up = forget(stack, "--yes")
    assert (without_up.returncode, "has no tenant to forget" in without_up.stderr) == (1, True)
    unknown = forget(stack, "--yes", name="nobody")
    assert (unknown.returncode, "no stack named 'nobody'" in unknown.stderr) == (1, True)
