"""`tenantry rename` changes the name of the stack, and nothing else."""

from __future__ import annotations

import subprocess

from tenantry.emulator import Emulator
from tests.e2e.customers import GLOBEX
from tests.e2e.harness import PULUMI, ROOT, Stack
from tests.e2e.operations import bring_up
from tests.world import writes


def test_a_renamed_stack_has_nothing_to_do(stack: Stack, qlik: Emulator) -> None:
    bring_up(stack, qlik, GLOBEX)
    old = stack.name
    before = stack.file.read_text("utf-8")

    def tenantry(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(ROOT / ".venv" / "bin" / "tenantry"), *arguments]
        return subprocess.run(command, cwd=stack.folder, env=stack.env, capture_output=True, text=True)

    sent = len(qlik.control.requests())
    taken = tenantry("rename", old, old)
    assert (taken.returncode, "already" in taken.stderr) == (1, True)
    done = tenantry("rename", old, "hooli")
    assert (done.returncode, f"Stack {old} is now hooli" in done.stdout) == (0, True), done
    assert len(qlik.control.requests()) == sent
    assert not stack.file.exists()
    file = stack.file.with_name("Pulumi.hooli.yaml")
    assert file.read_text("utf-8") == before
    preview = tenantry("preview", "hooli", "--expect-no-changes")
    assert preview.returncode == 0, preview
    plain = subprocess.run(
        [PULUMI, "preview", "--stack", "hooli", "--expect-no-changes", "--non-interactive"],
        cwd=stack.folder,
        env=stack.env,
        capture_output=True,
        text=True,
    )
    assert plain.returncode == 0, plain
    assert writes(qlik.control.requests()[sent:]) == []
    assert tenantry("rename", old, "other").returncode == 2
