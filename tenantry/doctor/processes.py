"""Which Python and which Tenantry `pulumi` runs, in the program and in the provider process.

Both processes record it in a preview of a scratch project, which has the interpreter settings of the real
project and its own backend.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import tenantry
from tenantry.checks.findings import Finding
from tenantry.doctor.software import with_advice
from tenantry.fleet import troubles
from tenantry.pulumi_internals.backend_files import add_stack
from tenantry.pulumi_internals.environment import NO_BACKUPS, NO_LEGACY_WARNING
from tenantry.settings.project import Project

PREVIEW_TIMEOUT_SECONDS = 120.0
PROJECT = "tenantry-doctor"
STACK = "probe"
ABOUT = "processes"

INSTALL = "Install Tenantry and the packages of the project in that environment."


def findings(pulumi: str, project: Project | None) -> Iterator[Finding]:
    """Yield for each process of `pulumi` whether it runs the same Tenantry as this command.

    The interpreter settings come from `project`.
    """
    with tempfile.TemporaryDirectory(prefix="tenantry-doctor-") as name:
        folder = Path(name).resolve()
        output = _preview(pulumi, project, folder)
        found = {process: _read(folder / f"{process}.json") for process in ("program", "provider")}
    if missing := [process for process, values in found.items() if not values]:
        trouble = troubles.from_command(STACK, output, 1)
        yield Finding(
            "error",
            ABOUT,
            f"`pulumi` cannot run the {missing[0]} process: {with_advice(trouble)}",
        )
        return
    for process, values in found.items():
        yield _compared(process, values)


def _compared(process: str, found: dict[str, Any]) -> Finding:
    """Check that a process imports the same Tenantry as this one."""
    if "missing" in found:
        return Finding(
            "error", ABOUT, f"the {process} process runs {found['python']}, which has no Tenantry. {INSTALL}"
        )
    ours = str(Path(str(tenantry.__file__)).resolve().parent)
    if (found["tenantry"], found["version"]) != (ours, version("tenantry")):
        return Finding(
            "error",
            ABOUT,
            f"the {process} process imports Tenantry {found['version']} from {found['tenantry']}, but "
            f"this command is Tenantry {version('tenantry')} from {ours}. Run the `tenantry` in the "
            "environment that `virtualenv` in Pulumi.yaml names.",
        )
    what = f"Tenantry {found['version']}, Pulumi SDK {found['pulumi']}, {found['python']}"
    return Finding("ok", ABOUT, f"{process}: {what}")


def _preview(pulumi: str, project: Project | None, folder: Path) -> str:
    """Run the preview in a folder and return its error output."""
    options = dict(project.runtime_options if project else {"toolchain": "pip"})
    if project and project.environment:
        options["virtualenv"] = str(project.environment)
    settings = {"name": PROJECT, "runtime": {"name": "python", "options": options}}
    (folder / "Pulumi.yaml").write_text(json.dumps(settings), "utf-8")
    (folder / "__main__.py").write_text((files(__package__) / "probe.py").read_text("utf-8"), "utf-8")
    add_stack(folder / "state", PROJECT, STACK)
    env = os.environ | {
        "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        **NO_LEGACY_WARNING,
        **NO_BACKUPS,
    }
    env.pop("PULUMI_CONFIG_PASSPHRASE_FILE", None)
    command = (pulumi, "preview", "--stack", STACK, "--non-interactive", "--color", "never")
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=PREVIEW_TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return _diagnostics(done.stdout) or done.stderr.strip() or done.stdout.strip()


def _diagnostics(output: str) -> str:
    """Return the first three lines of the first message in the diagnostics of a preview."""
    _, _, diagnostics = output.partition("Diagnostics:")
    lines = [line.strip() for line in diagnostics.splitlines() if line.strip()]
    return " ".join(re.sub(r"^error:\s*", "", line) for line in lines[1:4])


def _read(file: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def own_interpreter(project: Project | None) -> Finding:
    """Return whether this command runs in the same environment as the program of the project."""
    python = f"Python {sys.version.split()[0]} at {sys.executable}"
    problem = project.interpreter_problem() if project else ""
    return Finding("error", "python", f"{python}. {problem}") if problem else Finding("ok", "python", python)
