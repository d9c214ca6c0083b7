"""The package as users install it: copies of its source, and the wheel."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LINKS = ("components", "providers")
"""The folders of the checkout to which links in `tenantry` point."""

VERSION = re.compile(r'^version = "[^"]*"$', re.MULTILINE)

BACKEND = "import sys; from setuptools import build_meta; getattr(build_meta, sys.argv[1])(sys.argv[2])"


def copy(folder: Path) -> Path:
    """Copy the files of the package, and keep the links."""
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in ("tenantry", *LINKS):
        shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    return folder


def run(folder: Path, *command: str, code: int = 0) -> str:
    """Run a command in a folder and return its output."""
    process = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=200)
    assert process.returncode == code, process.stdout + process.stderr
    return process.stdout + process.stderr


def build(folder: Path, version: str = "") -> Path:
    """Build a wheel from the source archive, as for a package index, in `folder`; return its path.

    `version` replaces the version of this checkout.
    """
    source, archives = copy(folder / "source"), folder / "archives"
    if version:
        project = source / "pyproject.toml"
        text, count = VERSION.subn(f'version = "{version}"', project.read_text("utf-8"))
        assert count == 1
        project.write_text(text, "utf-8")
    archives.mkdir()
    run(source, sys.executable, "-c", BACKEND, "build_sdist", str(archives))
    [archive] = archives.glob("*.tar.gz")
    with tarfile.open(archive) as archive_file:
        archive_file.extractall(folder, filter="data")
    [unpacked] = folder.glob("tenantry-*")
    run(unpacked, sys.executable, "-c", BACKEND, "build_wheel", str(archives))
    [wheel] = archives.glob("*.whl")
    return wheel
