"""Set-up of the virtual environment: its creation, the locked packages and the project (editable)."""

from __future__ import annotations

import sys
from pathlib import Path

from tenantry.pulumi_cli.golang import NETWORK_ADVICE, VENV_ADVICE, pip_install
from tenantry.pulumi_cli.stamps import Stamps
from tenantry.pulumi_cli.steps import run, step


def ensure(root: Path, venv: Path) -> Stamps:
    """Bring the environment `venv` of the checkout `root` up to date and return its stamps.

    Raises SetupError if Python has no venv module or a package cannot be downloaded.
    """
    python = venv / "bin" / "python"
    if not usable(python):
        with step(f"virtual environment with Python {sys.version_info.major}.{sys.version_info.minor}"):
            run([sys.executable, "-m", "venv", "--clear", venv], advice=VENV_ADVICE)
    stamps = Stamps(venv)
    lock = root / "requirements.lock"
    if not stamps.fresh("packages", digest := stamps.digest(lock)):
        with step("Python packages of requirements.lock"):
            run(
                [*pip_install(python), "--require-hashes", "--requirement", lock],
                advice=NETWORK_ADVICE,
            )
        stamps.put("packages", digest)
    project = root / "pyproject.toml"
    if not stamps.fresh("project", digest := stamps.digest(project)):
        with step("the project itself"):
            run(
                [*pip_install(python), "--no-index", "--no-deps", "--no-build-isolation", "--editable", root],
                advice="pyproject.toml or a file that it names is invalid. See the output above.",
            )
        stamps.put("project", digest)
    return stamps


def usable(python: Path) -> bool:
    """Tell whether `python` and its pip exist. An interrupted creation leaves one without the other."""
    return python.exists() and any((python.parent.parent / "lib").glob("python3*/site-packages/pip"))
