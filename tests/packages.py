"""The package as others get it: copies of its source, and the wheel."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LINKS = ("components", "providers")
"""The folders of the checkout that links in `tenantry` lead to."""

BACKEND = "import sys; from setuptools import build_meta; getattr(build_meta, sys.argv[1])(sys.argv[2])"


def copy(folder: Path) -> Path:
    """Copy what belongs to the package, links as links."""
    skipped = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in ("tenantry", *LINKS):
        shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=skipped)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    return folder


def run(folder: Path, *command: str, code: int = 0) -> str:
    """Run a command in a folder and return what it says."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def build(folder: Path) -> Path:
    """Return a wheel that was made of the source archive, as one from an index is; all in `folder`."""
    source, archives = copy(folder / "source"), folder / "archives"
    archives.mkdir()
    run(source, sys.executable, "-c", BACKEND, "build_sdist", str(archives))
    [archive] = archives.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    [unpacked] = folder.glob("tenantry-*")
    run(unpacked, sys.executable, "-c", BACKEND, "build_wheel", str(archives))
    [wheel] = archives.glob("*.whl")
    return wheel
