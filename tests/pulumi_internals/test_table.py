"""Tests of the table of `tenantry.pulumi_internals`, and of its import time."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import tenantry.pulumi_internals
from tests.pulumi_internals.conftest import ROOT

FOLDER = ROOT / "tenantry" / "pulumi_internals"
PULUMI_CLI = ROOT / "tenantry" / "pulumi_cli"
"""The package that starts the CLI and replaces a part of it. It has many private names, and its own tests."""

MODULES = sorted(file.stem for file in FOLDER.glob("*.py") if file.stem != "__init__")
ROW = re.compile(
    r"^(?P<coupling>\S.*?) {2,}(?P<module>\w+) {2,}(?P<what>\S.*?) {2,}(?P<file>SDK|CLI) (?P<test>\w+)$"
)
FILES = {"SDK": "test_sdk.py", "CLI": "test_engine.py"}


def test_each_module_is_in_the_table_with_an_existing_canary() -> None:
    rows = [
        found for line in (tenantry.pulumi_internals.__doc__ or "").splitlines() if (found := ROW.match(line))
    ]
    assert sorted(row["module"] for row in rows) == MODULES
    for row in rows:
        text = (Path(__file__).parent / FILES[row["file"]]).read_text("utf-8")
        assert len(re.findall(rf"^def test_{row['test']}\w*\(", text, re.MULTILINE)) == 1, row["test"]


@pytest.mark.parametrize("module", MODULES)
def test_each_module_states_what_it_relies_on_and_what_happens_when_it_breaks(module: str) -> None:
    text = ast.get_docstring(ast.parse((FOLDER / f"{module}.py").read_text("utf-8"))) or ""
    for part in ("Relies on:", "Verified with:", "When it breaks:"):
        assert f"\n{part}" in text, part


def test_no_private_name_of_pulumi_is_used_elsewhere() -> None:
    """Tests and tools may use such names, because they replace the engine."""
    private = re.compile(
        r"pulumi\.runtime\.|from pulumi\.runtime|_pb2|sys\._getframe|pulumi\.output|pulumi\.dynamic\.__main__"
        r'|"__provider"|"pending_operations"|"PULUMI_(?:DEBUG|EXPERIMENTAL|SKIP_CHECKPOINTS|DIY|PYTHON)'
    )
    found = {
        f"{file.relative_to(ROOT)}: {line.strip()}"
        for folder in ("tenantry", "providers", "components")
        for file in (ROOT / folder).rglob("*.py")
        if not {FOLDER, PULUMI_CLI}.intersection(file.parents)
        for line in file.read_text("utf-8").splitlines()
        if private.search(line)
    }
    assert found == set(), f"move it to {FOLDER.relative_to(ROOT)} and add a canary"


def test_the_program_and_the_provider_import_only_what_they_need() -> None:
    program = (
        "import sys, tenantry.components, tenantry.providers.framework.adapter\n"
        "from tenantry.providers import resource_types; resource_types()\n"
        "import tenantry.settings.current\n"
        "print(*(name.rpartition('.')[2] for name in sys.modules if name.startswith('tenantry.pulumi_int')))"
    )
    process = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not {*process.stdout.split()} & {
        "attaching",
        "language_hosts",
        "backend_files",
        "event_log",
        "import_files",
        "lock_messages",
    }
    assert "calls" in process.stdout.split()
