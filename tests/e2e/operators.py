"""An operator who has installed Tenantry from a wheel, in an environment without the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

from tenantry.demo.environment import client_environment, private_environment
from tenantry.emulator import Emulator
from tenantry.pulumi_cli.installation import target_of
from tests.e2e.harness import ROOT
from tests.packages import run

PYTHON3_SHIM = """\
#!/bin/sh
# New environments get the libraries of the tests instead of their own, so nothing is downloaded.
"{python}" "$@" || exit
for site in .venv/lib/python3*/site-packages; do
    rm -rf "$site"/setuptools "$site"/setuptools-*
    echo "{libraries}" > "$site/libraries.pth"
done
"""


def environment(folder: Path, wheel: Path) -> Path:
    """Create an environment in a folder, with a wheel and without the checkout. Return its `bin` folder.

    It uses the libraries of the current environment.
    """
    run(folder, sys.executable, "-m", "venv", "--without-pip", "venv")
    python = folder / "venv" / "bin" / "python"
    [site] = (folder / "venv" / "lib").glob("python3*/site-packages")
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python))
    run(folder, *pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel))
    return folder / "venv" / "bin"


class Operator:
    """A person at a terminal, with an environment that has `tenantry`, and this checkout's Pulumi CLI.

    That CLI was set up with the Python of this checkout. Tenantry must work anyway.
    """

    def __init__(self, folder: Path, bin_: Path, qlik: Emulator) -> None:
        self.folder = folder
        self.bin = bin_
        self.repository = folder / "customers"
        shims = folder / "shims"
        shims.mkdir()
        python = PYTHON3_SHIM.format(python=sys.executable, libraries=sysconfig.get_path("purelib"))
        (shims / "python3").write_text(python)
        (shims / "python3").chmod(0o755)
        cli = target_of(ROOT / ".venv" / "bin" / "pulumi").parent
        self.env = private_environment(folder / "private") | client_environment(qlik.url)
        # pip inverts the second variable: "0" turns build isolation off, so that pip downloads nothing.
        self.env |= {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0"}
        path = (self.repository / ".venv" / "bin", shims, bin_, cli, "/usr/bin", "/bin")
        self.env["PATH"] = os.pathsep.join(map(str, path))
        self.env["PULUMI_PYTHON_CMD"] = sys.executable

    def __call__(self, command: str, *, code: int = 0) -> str:
        """Run a command, in the repository if it exists."""
        folder = self.repository if self.repository.exists() else self.folder
        completed = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=folder,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
            timeout=250,
        )
        assert completed.returncode == code, f"{command}\n{completed.stdout}{completed.stderr}"
        return completed.stdout + completed.stderr
