"""Tests of the helpers for installation steps."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tenantry.pulumi_cli.steps import SetupError, complete_or_absent, locked, run, step, write

LOCK_SCRIPT = """\
import sys, time
from pathlib import Path
from tenantry.pulumi_cli.steps import locked
with locked(Path(sys.argv[1])):
    print("locked", flush=True)
    time.sleep(60)
"""


def test_a_step_is_one_line_with_its_time(capsys: pytest.CaptureFixture[str]) -> None:
    with step("copying"):
        pass
    assert capsys.readouterr().out == "copying ... 0.0 s\n"


def test_a_step_that_fails_says_so_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="reason"), step("copying"):
        raise ValueError("reason")
    assert capsys.readouterr().out == "copying ... failed\n"


def test_a_command_that_fails_shows_its_last_lines_and_the_advice() -> None:
    with pytest.raises(SetupError) as error_info:
        run(["sh", "-c", "seq 100; echo the reason >&2; exit 3"], advice="Try this.")
    lines = str(error_info.value).splitlines()
    assert lines[0] == "Exit code 3: sh -c seq 100; echo the reason >&2; exit 3"
    assert lines[1] == "    77"
    assert lines[-2:] == ["    the reason", "Try this."]


def test_the_error_about_a_missing_or_hanging_command_ends_with_the_advice() -> None:
    with pytest.raises(SetupError, match=r"Could not start: no-such-command x\n.*\nGet it\."):
        run(["no-such-command", "x"], advice="Get it.")
    with pytest.raises(SetupError, match=r"Did not end within 0 s: sleep 60\nWait\."):
        run(["sleep", "60"], timeout=0.05, advice="Wait.")


def test_a_command_cannot_wait_for_input() -> None:
    assert run(["sh", "-c", "read answer; echo got:$answer"], advice="", timeout=10) == "got:\n"


def test_a_lock_belongs_to_one_process_and_ends_with_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = tmp_path / "new" / "folder" / "lock"
    holder = subprocess.Popen([sys.executable, "-c", LOCK_SCRIPT, lock], stdout=subprocess.PIPE)
    with holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"locked\n"
        waiter = subprocess.Popen(
            [sys.executable, "-c", LOCK_SCRIPT, lock], stdout=subprocess.PIPE, text=True
        )
        with waiter:
            assert waiter.stdout
            assert waiter.stdout.readline() == f"waiting for another run, which has locked {lock}\n"
            holder.send_signal(signal.SIGKILL)
            assert waiter.stdout.readline() == "locked\n"
            waiter.kill()
    with locked(lock):
        pass
    assert capsys.readouterr().out == ""


def test_a_folder_is_complete_or_absent(tmp_path: Path) -> None:
    target = tmp_path / "cache" / "thing"
    with pytest.raises(FileExistsError), complete_or_absent(target) as scratch:
        fail_halfway(scratch)
    assert list(target.parent.iterdir()) == []
    with complete_or_absent(target) as scratch:
        (scratch / "one").touch()
        assert not target.exists()
    assert [file.name for file in target.iterdir()] == ["one"]


def test_a_complete_folder_survives_a_failed_renewal(tmp_path: Path) -> None:
    target = tmp_path / "thing"
    with complete_or_absent(target) as scratch:
        (scratch / "old").touch()
    with pytest.raises(KeyboardInterrupt), complete_or_absent(target):
        raise KeyboardInterrupt
    assert [file.name for file in target.iterdir()] == ["old"]
    with complete_or_absent(target) as scratch:
        (scratch / "new").touch()
    assert [file.name for file in target.iterdir()] == ["new"]


def test_leftovers_of_a_killed_run_are_removed(tmp_path: Path) -> None:
    (tmp_path / ".thing.killed").mkdir()
    (tmp_path / ".other.kept").mkdir()
    with complete_or_absent(tmp_path / "thing"):
        pass
    assert sorted(file.name for file in tmp_path.iterdir()) == [".other.kept", "thing"]


def test_a_file_is_written_with_its_mode_and_without_leftovers(tmp_path: Path) -> None:
    file = tmp_path / "bin" / "tool"
    write(file, "old", mode=0o755)
    write(file, "new", mode=0o755)
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("new", 0o755)
    assert list(file.parent.iterdir()) == [file]


def fail_halfway(folder: Path) -> None:
    """Start to fill a folder, and fail."""
    (folder / "one").touch()
    (folder / "one").mkdir()
