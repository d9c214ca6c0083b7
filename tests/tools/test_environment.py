"""Tests of the setup of the virtual environment: its steps, and the reasons to repeat them."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

from tenantry.pulumi_cli.golang import LOCK
from tenantry.pulumi_cli.stamps import Stamps
from tenantry.pulumi_cli.steps import SetupError
from tools import environment

ROOT = Path(__file__).resolve().parents[2]


class Commands:
    """A replacement for `run` that records each command, and creates the files of `python -m venv`."""

    def __init__(self) -> None:
        self.new: list[str] = []
        self.failing = ""

    def __call__(self, command: list[str | Path], *, advice: str) -> str:
        words = [str(word) for word in command]
        kind = next(word for word in ("venv", "--require-hashes", "--editable") if word in words)
        if kind == self.failing:
            raise SetupError("no", advice=advice)
        self.new.append(kind)
        if kind == "venv":
            venv = Path(words[-1])
            (venv / "lib" / "python3.11" / "site-packages" / "pip").mkdir(parents=True)
            (venv / "bin").mkdir()
            (venv / "bin" / "python").touch()
        return ""

    def take_new(self) -> list[str]:
        """Return the commands since the last call."""
        new, self.new = self.new, []
        return new


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> Commands:
    """Replace all commands of the setup."""
    fake = Commands()
    monkeypatch.setattr(environment, "run", fake)
    return fake


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a checkout with the files that the setup reads."""
    (tmp_path / "requirements.lock").write_text("one==1")
    (tmp_path / "pyproject.toml").write_text("[project]")
    return tmp_path


def test_every_step_runs_once(root: Path, commands: Commands, capsys: pytest.CaptureFixture[str]) -> None:
    environment.ensure(root, root / ".venv")
    assert commands.take_new() == ["venv", "--require-hashes", "--editable"]
    assert len(capsys.readouterr().out.splitlines()) == 3
    environment.ensure(root, root / ".venv")
    assert commands.take_new() == []
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("file", "step"), [("requirements.lock", "--require-hashes"), ("pyproject.toml", "--editable")]
)
def test_a_step_runs_again_after_a_change_of_its_file(
    root: Path, commands: Commands, file: str, step: str
) -> None:
    environment.ensure(root, root / ".venv")
    commands.take_new()
    (root / file).write_text("changed")
    environment.ensure(root, root / ".venv")
    assert commands.take_new() == [step]


def test_only_a_failed_step_runs_again(root: Path, commands: Commands) -> None:
    commands.failing = "--require-hashes"
    with pytest.raises(SetupError, match="package registry"):
        environment.ensure(root, root / ".venv")
    commands.failing = ""
    environment.ensure(root, root / ".venv")
    assert commands.take_new() == ["venv", "--require-hashes", "--editable"]


def test_a_moved_checkout_is_installed_again(root: Path, commands: Commands) -> None:
    environment.ensure(root, root / ".venv")
    commands.take_new()
    moved = root / "moved"
    moved.mkdir()
    for name in (".venv", "requirements.lock", "pyproject.toml"):
        (root / name).rename(moved / name)
    environment.ensure(moved, moved / ".venv")
    assert commands.take_new() == ["--require-hashes", "--editable"]


def test_an_incomplete_environment_is_created_again(root: Path, commands: Commands) -> None:
    python = root / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    assert not environment.usable(python)
    python.unlink()
    assert not environment.usable(python)
    assert environment.usable(Path(sys.prefix) / "bin" / "python")


def test_damaged_stamps_are_ignored(root: Path) -> None:
    (root / "tenantry-setup.json").write_text("{")
    assert not Stamps(root).fresh("packages", "")


def test_an_older_python_is_refused_with_the_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    with pytest.raises(SystemExit, match=r"needs Python 3\.11 or newer.*\n.*make PYTHON=python3\.12"):
        runpy.run_path(str(ROOT / "tools" / "setup.py"))


def test_an_older_python_can_run_the_version_check() -> None:
    """The lines before it have no annotations, walrus operator, f-string or `__future__`."""
    head, check, _ = (ROOT / "tools" / "setup.py").read_text().partition("import signal")
    assert check
    assert not [word for word in ('f"', "f'", ":=", "->", "__future__", "import annotations") if word in head]


def test_the_lock_file_names_no_registry() -> None:
    """Users install from the registry of their pip configuration. A hash pins every file."""
    for lock in (ROOT / "requirements.lock", LOCK):
        text = lock.read_text()
        assert "://" not in text
        assert "--index" not in text
        assert "--find-links" not in text
        pins = [line for line in text.splitlines() if "==" in line]
        assert pins
        assert all(line.endswith("\\") for line in pins), "every pin needs a hash"
