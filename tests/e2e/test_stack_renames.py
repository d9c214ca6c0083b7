"""`tenantry rename` changes only the name of the stack."""

from __future__ import annotations

import subprocess

from tenantry.emulator import Emulator
from tests.e2e.customers import GLOBEX
from tests.e2e.harness import PULUMI, ROOT, Stack
from tests.e2e.operations import bring_up
from tests.world import writes


def test_a_renamed_stack_has_no_changes(stack: Stack, qlik: Emulator) -> None:
    bring_up(stack, qlik, GLOBEX)
    old = stack.name
    before = stack.file.read_text("utf-8")

    def tenantry(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(ROOT / ".venv" / "bin" / "tenantry"), *arguments]
        return subprocess.run(command, cwd=stack.folder, env=stack.env, capture_output=True, text=True)

    requests_before = len(qlik.control.requests())
    refused = tenantry("rename", old, old)
    assert (refused.returncode, "already" in refused.stderr) == (1, True)
    completed = tenantry("rename", old, "hooli")
    assert (completed.returncode, f"Stack {old} is now hooli" in completed.stdout) == (0, True), completed
    assert len(qlik.control.requests()) == requests_before
    assert not stack.file.exists()
    file = stack.file.with_name("Pulumi.hooli.yaml")
    assert file.read_text("utf-8") == before
    preview = tenantry("preview", "hooli", "--expect-no-changes")
    assert preview.returncode == 0, preview
    pulumi_preview = subprocess.run(
        [PULUMI, "preview", "--stack", "hooli", "--expect-no-changes", "--non-interactive"],
        cwd=stack.folder,
        env=stack.env,
        capture_output=True,
        text=True,
    )
    assert pulumi_preview.returncode == 0, pulumi_preview
    assert writes(qlik.control.requests()[requests_before:]) == []
    assert tenantry("rename", old, "other").returncode == 2
