"""The commands that docs/operating.md shows, run as they stand there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

from emulator import Emulator
from tests.e2e.harness import ROOT, Stack
from tests.world import writes

PAGE = (ROOT / "docs" / "operating.md").read_text("utf-8")
BLOCK = re.compile(r"^## (?P<heading>.+?)$|^```bash\n(?P<commands>.*?)^```$", re.MULTILINE | re.DOTALL)
ROUTINE = ("A new customer", "Before a run", "A killed run", "Taking a customer down, and bringing it back")


def commands() -> dict[str, str]:
    """The commands under each heading of the page."""
    found: dict[str, str] = {}
    heading = ""
    for match in BLOCK.finditer(PAGE):
        heading = match["heading"] or heading
        if match["commands"]:
            found[heading] = found.get(heading, "") + match["commands"]
    return found


def run(stack: Stack, script: str) -> str:
    """Run a script in the folder of the stack, and return what it prints."""
    env = stack.env | {"PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    env["PULUMI_SKIP_CONFIRMATIONS"] = "true"
    bash = ["bash", "-euo", "pipefail", "-c", script]
    done = subprocess.run(bash, cwd=stack.folder, env=env, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_a_customer_by_the_book(stack: Stack, qlik: Emulator) -> None:
    """Made, looked at, gone on with after a kill, and taken down, as the page says."""
    shutil.copy(ROOT / "stacks" / stack.file.name, stack.file)
    shown = commands()
    assert shown.keys() >= set(ROUTINE)
    printed = {heading: run(stack, shown[heading]) for heading in ROUTINE}
    assert '"tenant_id"' in printed["A new customer"]
    assert "Pulumi.initech.yaml" in printed["Before a run"]
    assert "unchanged" in printed["A killed run"]
    assert "revive: {hostname: " in printed["Taking a customer down, and bringing it back"]
    assert writes(stack.requests())[-1].endswith("/actions/deactivate")
