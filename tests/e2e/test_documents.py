"""The commands that the guides show, run as they stand there."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tenantry.demo.example import stack_file
from tenantry.emulator import Emulator
from tests.e2e.fleet import Fleet
from tests.e2e.harness import ROOT, Stack
from tests.world import writes

BLOCK = re.compile(r"^## (?P<heading>.+?)$|^```bash\n(?P<commands>.*?)^```$", re.MULTILINE | re.DOTALL)
ROUTINE = ("A new customer", "Before a run", "A killed run", "Taking a customer down, and bringing it back")


def commands(page: str) -> dict[str, str]:
    """The commands under each heading of a page."""
    found: dict[str, str] = {}
    heading = ""
    for match in BLOCK.finditer((ROOT / page).read_text("utf-8")):
        heading = match["heading"] or heading
        if match["commands"]:
            found[heading] = found.get(heading, "") + match["commands"]
    return found


def run(folder: Path, environment: Mapping[str, str], script: str) -> str:
    """Run a script in a folder, and return what it prints."""
    env = {**environment} | {"PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    env["PULUMI_SKIP_CONFIRMATIONS"] = "true"
    bash = ["bash", "-euo", "pipefail", "-c", script]
    done = subprocess.run(bash, cwd=folder, env=env, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_a_customer_by_the_book(stack: Stack, qlik: Emulator) -> None:
    """Made, looked at, gone on with after a kill, and taken down, as the page says."""
    stack.file.write_text(stack_file(), "utf-8")
    shown = commands("docs/operating.md")
    assert shown.keys() >= set(ROUTINE)
    printed = {heading: run(stack.folder, stack.env, shown[heading]) for heading in ROUTINE}
    assert '"tenant_id"' in printed["A new customer"]
    assert "Pulumi.initech.yaml" in printed["Before a run"]
    assert "unchanged" in printed["A killed run"]
    assert "revive: {hostname: " in printed["Taking a customer down, and bringing it back"]
    assert writes(stack.requests())[-1].endswith("/actions/deactivate")


def test_many_customers_by_the_book(scratch: Path, qlik: Emulator) -> None:
    """Selected, previewed, rolled out, taken down and listed, as the page says."""
    fleet = Fleet(scratch, qlik)
    lifecycle = {"kind": "trial", "ends_on": "2999-12-31"}
    trial = {"lifecycle": lifecycle, "groups": {"Analysts": {}}}
    fleet.write_plan("standard", trial)
    for name in ("acme", "globex"):
        fleet.write(name, {"name": name.title(), "plan": "standard", "ring": "pilot"})
    fleet.commit()
    fleet.run("up", "--all", "--yes", "--skip-preview")
    fleet.write_plan("standard", trial | {"groups": {"Analysts": {"roles": ["AnalyticsAdmin"]}}})
    shown = commands("docs/many-customers.md")
    printed = {}
    for heading, script in shown.items():
        if heading == "Trials":
            over = {**lifecycle, "ends_on": "2000-01-01"}
            fleet.write("globex", {"name": "Globex", "plan": "standard", "lifecycle": over})
        printed[heading] = run(fleet.project, fleet.env, script)
    assert (fleet.project / "reports" / "report.html").is_file()
    assert "2 stacks: 2 to change" in printed["What a change does, and to whom"]
    assert "2 stacks: 2 changed" in printed["A change for everybody, in waves"]
    assert "  globex: until 2" in printed["Trials"]
    assert printed["What there is"].count("acme,Acme,") == 3


def test_the_commands_of_the_readme(scratch: Path, qlik: Emulator) -> None:
    """A customer, and then a change of the plan for everybody on it, as the first page says."""
    fleet = Fleet(scratch, qlik)
    plan = {"lifecycle": {"kind": "production"}, "groups": {"Analysts": {}}}
    fleet.write_plan("standard", plan)
    fleet.write("initech", {"name": "Initech", "plan": "standard", "ring": "pilot"})
    fleet.write("globex", {"name": "Globex", "plan": "standard"})
    fleet.commit()
    fleet.run("up", "globex", "--yes", "--skip-preview")
    fleet.commit()
    lines = commands("README.md")["Use it"].splitlines()
    given = [line for line in lines if line.startswith("export ")]
    assert [name for name in ("QLIK_CLIENT_ID=", "PULUMI_BACKEND_URL=") if name not in " ".join(given)] == []
    lines = [line for line in lines if line not in given and not line.startswith("mkdir ")]
    (many,) = [number for number, line in enumerate(lines) if line.startswith("tenantry preview")]
    printed = run(fleet.project, fleet.env, "\n".join(lines[:many]))
    assert "ok       settings      valid" in printed
    fleet.write_plan("standard", plan | {"spaces": {"Sales": {"type": "managed"}}})
    printed = run(fleet.project, fleet.env, "\n".join(lines[many:]))
    assert "2 stacks: 2 to change" in printed
    assert "2 stacks: 2 changed" in printed
