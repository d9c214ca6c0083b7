"""Tests of the check whether the process that took a lock still runs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tenantry.audit import processes
from tenantry.audit.processes import may_be_pulumi

WAITING_SCRIPT = "import sys; print('ready', flush=True); sys.stdin.read()"


@contextmanager
def running(*command: str) -> Iterator[subprocess.Popen[str]]:
    """Run a process until the end of the block."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield process
        process.communicate("")


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc on this machine")


@needs_proc
def test_a_process_with_another_name_is_not_pulumi() -> None:
    with running(sys.executable, "-c", WAITING_SCRIPT) as process:
        assert not may_be_pulumi(process.pid)


def test_a_running_pulumi_is_recognised_by_its_name(tmp_path: Path) -> None:
    """The folder of the program does not matter."""
    program = tmp_path / "pulumi"
    program.symlink_to(sys.executable)
    with running(str(program), "-c", WAITING_SCRIPT) as process:
        assert may_be_pulumi(process.pid)
    assert not may_be_pulumi(process.pid)


@needs_proc
def test_a_zombie_process_is_not_running(tmp_path: Path) -> None:
    program = tmp_path / "pulumi"
    program.symlink_to(sys.executable)
    with subprocess.Popen([program, "-c", ""]) as process:
        # This waits for the end, but leaves the process in the table.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert not may_be_pulumi(process.pid)


@pytest.mark.parametrize("pid", [0, -1, 2**62])
def test_an_invalid_process_id_is_not_running(pid: int) -> None:
    """Ids of 0 and below address groups of processes."""
    assert not may_be_pulumi(pid)


@pytest.mark.parametrize(
    ("ids", "name", "is_running"),
    [
        ("{pid}\t7\t12", "pulumi", True),
        ("{pid}\t12", "pulumi", True),
        ("{pid}\t12\t7", "pulumi", False),
        ("{pid}\t112", "pulumi", False),
        ("{pid}", "pulumi", False),
        ("{pid}\t12", "python", False),
    ],
)
def test_a_pulumi_in_a_container_is_found_by_its_inner_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ids: str, name: str, is_running: bool
) -> None:
    """The lock has the id inside the container. `NSpid` lists the id outside first."""
    own_pid = os.getpid()
    folder = tmp_path / str(own_pid)
    folder.mkdir()
    (folder / "status").write_text(f"Name:\t{name}\nNSpid:\t{ids.format(pid=own_pid)}\nVmPeak:\t12\n")
    (folder / "comm").write_text(f"{name}\n")
    original_kill = os.kill

    def kill(pid: int, number: int) -> None:
        if pid == 12:
            raise ProcessLookupError
        original_kill(pid, number)

    monkeypatch.setattr(processes, "PROC", tmp_path)
    monkeypatch.setattr(os, "kill", kill)
    assert may_be_pulumi(12) is is_running


def test_an_unknown_process_counts_as_running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without /proc, any process with the id may be `pulumi`. A process of another user may be hidden."""
    monkeypatch.setattr(processes, "PROC", tmp_path / "none")
    assert may_be_pulumi(os.getpid())

    def refuse(_: int, __: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    assert may_be_pulumi(1)
