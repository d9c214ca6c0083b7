"""The wheel, in a repository of an operator's that has folders of the names that are in our checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tenantry.demo.environment import client_environment, private_environment
from tenantry.emulator import Emulator
from tests.e2e.harness import ROOT
from tests.packages import build, run

THEIRS = ("providers", "components", "fleet", "cli", "emulator", "importing")


@pytest.fixture(scope="module")
def bin_(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel and without the checkout; its libraries are those of this one."""
    folder = tmp_path_factory.mktemp("installed")
    wheel = build(folder)
    run(folder, sys.executable, "-m", "venv", "--without-pip", "venv")
    python = folder / "venv" / "bin" / "python"
    [site] = (folder / "venv" / "lib").glob("python3*/site-packages")
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python))
    run(folder, *pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel))
    for name in ("pulumi", "pulumi-language-python", "pulumi-language-python-exec"):
        if (ROOT / ".venv" / "bin" / name).exists():
            (folder / "venv" / "bin" / name).symlink_to(ROOT / ".venv" / "bin" / name)
    return folder / "venv" / "bin"


class Operator:
    """Somebody at a terminal, in an environment of their own."""

    def __init__(self, folder: Path, bin_: Path, qlik: Emulator) -> None:
        self.folder = folder
        self.env = private_environment(folder / "private") | client_environment(qlik.url)
        self.env["PATH"] = f"{bin_}{os.pathsep}{self.env['PATH']}"
        self.repository = folder / "customers"

    def __call__(self, command: str, *, code: int = 0) -> str:
        """Run a command, in the repository once there is one."""
        where = self.repository if self.repository.exists() else self.folder
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=where,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
            timeout=250,
        )
        assert done.returncode == code, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr


def test_a_repository_of_ones_own(bin_: Path, qlik: Emulator, scratch: Path) -> None:
    """From nothing to a customer and back, and nothing of what is the operator's is imported."""
    operator = Operator(scratch, bin_, qlik)
    operator("tenantry init customers --region eu --source-tenant templates.eu.qlikcloud.com --ci github")
    assert "tenantry-0.1.0-py3-none-any.whl" in operator("cat pyproject.toml")
    for name in THEIRS:
        (operator.repository / name).mkdir()
        (operator.repository / name / "__init__.py").write_text("raise SystemExit('this is the operator's')")
    (operator.repository / ".venv").symlink_to(bin_.parent)
    where = operator("python -c 'import tenantry; print(tenantry.__file__)'")
    assert Path(where.strip()).is_relative_to(bin_.parent)

    operator("tenantry new acme --name 'Acme Corp'")
    assert "Acme Corp" in operator("tenantry settings acme")
    operator("tenantry check acme")
    operator("pulumi stack init acme --no-select")
    operator("pulumi up --stack acme --yes --skip-preview")
    assert "Space::Reports" in operator("pulumi stack export --stack acme")
    assert "up to date" in operator("tenantry preview --all")
    assert "acme" in operator("tenantry status --all")
    operator("tenantry new trial --trial-until 2999-12-31")
    operator("pulumi stack init trial --no-select")
    operator("tenantry up --all --yes")
    refused = operator("pulumi destroy --stack acme --yes --skip-preview", code=1)
    assert "protected" in refused
    operator("pulumi destroy --stack trial --yes --skip-preview")
