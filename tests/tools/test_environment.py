"""The virtual environment: the steps that run once, and the reasons to repeat them."""

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
    """A replacement for `run`: records each command, and creates the files of `python -m venv`."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.fails = ""

    def __call__(self, command: list[str | Path], *, advice: str) -> str:
        words = [str(word) for word in command]
        kind = next(word for word in ("venv", "--require-hashes", "--editable") if word in words)
        if kind == self.fails:
            raise SetupError("no", advice=advice)
        self.seen.append(kind)
        if kind == "venv":
            venv = Path(words[-1])
            (venv / "lib" / "python3.11" / "site-packages" / "pip").mkdir(parents=True)
            (venv / "bin").mkdir()
            (venv / "bin" / "python").touch()
        return ""

    def since(self) -> list[str]:
        """Return the commands since the last call."""
        seen, self.seen = self.seen, []
        return seen


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> Commands:
    fake = Commands()
    monkeypatch.setattr(environment, "run", fake)
    return fake


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "requirements.lock").write_text("one==1")
    (tmp_path / "pyproject.toml").write_text("[project]")
    return tmp_path


def test_every_step_runs_once(root: Path, commands: Commands, capsys: pytest.CaptureFixture[str]) -> None:
    environment.ensure(root, root / ".venv")
    assert commands.since() == ["venv", "--require-hashes", "--editable"]
    assert len(capsys.readouterr().out.splitlines()) == 3
    environment.ensure(root, root / ".venv")
    assert commands.since() == []
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("file", "again"), [("requirements.lock", "--require-hashes"), ("pyproject.toml", "--editable")]
)
def test_changed_steps_run_again(root: Path, commands: Commands, file: str, again: str) -> None:
    environment.ensure(root, root / ".venv")
    commands.since()
    (root / file).write_text("changed")
    environment.ensure(root, root / ".venv")
    assert commands.since() == [again]


def test_only_a_failed_step_runs_again(root: Path, commands: Commands) -> None:
    commands.fails = "--require-hashes"
    with pytest.raises(SetupError, match="package registry"):
        environment.ensure(root, root / ".venv")
    commands.fails = ""
    environment.ensure(root, root / ".venv")
    assert commands.since() == ["venv", "--require-hashes", "--editable"]


def test_a_moved_checkout_is_installed_again(root: Path, commands: Commands) -> None:
    environment.ensure(root, root / ".venv")
    commands.since()
    moved = root / "elsewhere"
    moved.mkdir()
    for name in (".venv", "requirements.lock", "pyproject.toml"):
        (root / name).rename(moved / name)
    environment.ensure(moved, moved / ".venv")
    assert commands.since() == ["--require-hashes", "--editable"]


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


def test_an_older_python_gets_a_clear_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    with pytest.raises(SystemExit, match=r"needs Python 3\.11 or newer.*\n.*make PYTHON=python3\.12"):
        runpy.run_path(str(ROOT / "tools" / "setup.py"))


def test_an_older_python_can_read_as_far_as_the_message() -> None:
    """The lines before the version check have no annotations, walrus, f-string or `__future__`."""
    head, check, _ = (ROOT / "tools" / "setup.py").read_text().partition("import signal")
    assert check
    assert not [word for word in ('f"', "f'", ":=", "->", "__future__", "import annotations") if word in head]


def test_the_lock_file_names_no_registry() -> None:
    """Users install from the registry in their pip configuration, and a hash pins every file."""
    for lock in (ROOT / "requirements.lock", LOCK):
        text = lock.read_text()
        assert "://" not in text
        assert "--index" not in text
        assert "--find-links" not in text
        pins = [line for line in text.splitlines() if "==" in line]
        assert pins
        assert all(line.endswith("\\") for line in pins), "a pin without a hash"
