"""The virtual environment: created once, then the locked packages and the project itself, editable."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

from tools.steps import SetupError, run, step, write

VENV_ADVICE = "On Debian and Ubuntu Python's venv is a package of its own: apt-get install python3-venv"
LINK_ADVICE = (
    "Here it is none: a tool that does not know links has unpacked it as text.\n"
    "Clone with git (on Windows with `git config core.symlinks true`), or unpack the archive with tar."
)
NETWORK_ADVICE = (
    "Is a package registry reachable? pip uses the one from `pip config list` and the PIP_* variables.\n"
    "When it is, run the same command again: what is already there is kept."
)


class Stamps:
    """What the set-up has finished in a virtual environment, so that a second run has nothing to do.

    A stamp is a digest of everything a step was made from. It is written after the step, and it goes with the
    environment, so a killed run or a moved checkout is made good by simply running the set-up again.
    """

    def __init__(self, venv: Path) -> None:
        self._file = venv / "tenantry-setup.json"
        self._venv = venv
        try:
            self._stamps: dict[str, str] = json.loads(self._file.read_text("utf-8"))
        except (OSError, ValueError):
            self._stamps = {}

    def digest(self, *files: Path) -> str:
        """The digest of the content of `files` for this environment at this place."""
        total = hashlib.sha256(str(self._venv).encode())
        for file in files:
            total.update(file.read_bytes())
        return total.hexdigest()

    def fresh(self, name: str, digest: str) -> bool:
        """Whether the step `name` was finished with exactly this digest."""
        return self._stamps.get(name) == digest

    def put(self, name: str, digest: str) -> None:
        """Note that the step `name` is finished."""
        self._stamps[name] = digest
        write(self._file, json.dumps(self._stamps, indent=2) + "\n")


def ensure(root: Path, venv: Path) -> Stamps:
    """Bring the environment `venv` of the checkout `root` up to date and return its stamps.

    Raises SetupError when a link of the checkout is none, Python has no venv module or a package cannot be
    fetched.
    """
    for name in ("components", "providers"):
        if (root / "tenantry" / name).is_file():
            raise SetupError(
                f"{root / 'tenantry' / name} is a link to ../{name} in the repository. {LINK_ADVICE}"
            )
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
                advice="pyproject.toml or a file that it names does not fit: see the output above.",
            )
        stamps.put("project", digest)
    return stamps


def pip_install(python: Path) -> list[str | Path]:
    """The pip command of an environment, up to what it shall install."""
    return [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]


def usable(python: Path) -> bool:
    """Whether `python` is there with its pip: an interrupted creation leaves one without the other."""
    return python.exists() and any((python.parent.parent / "lib").glob("python3*/site-packages/pip"))
