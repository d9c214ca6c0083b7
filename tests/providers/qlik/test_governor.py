"""Rate limits that processes share."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from tenantry.demo.environment import client_environment
from tenantry.emulator import Emulator
from tenantry.providers.qlik import Cloud, DeadlineExceeded, deadlines
from tenantry.providers.qlik.deadlines import Deadline
from tenantry.providers.qlik.governor import SLOTS, WINDOW, Governor
from tenantry.providers.qlik.limits import TIERS
from tenantry.providers.qlik.testing import FakeClock
from tests.contract import ContractChecker

HOST = "register.eu.qlikcloud.com"
WRITES = int(TIERS["tier 2"] * WINDOW / 60)

Turn = Callable[..., float]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def turn(tmp_path: Path, clock: FakeClock) -> Turn:
    """Ask for a turn, each time as another process would; wait for it, and return when it was."""

    def ask(host: str = HOST, budget: str = "tier 2", share: float = 0.1, patience: float = 1e6) -> float:
        governor = Governor(tmp_path / "rates", share, clock)
        clock.sleep(governor.turn(host, budget, Deadline(patience, clock)))
        return clock.time()

    return ask


def test_nothing_waits_below_the_share(turn: Turn, clock: FakeClock) -> None:
    for _ in range(WRITES // 10):
        turn()
    assert sum(clock.slept) == 0


def test_no_five_minutes_have_more_than_the_share(turn: Turn) -> None:
    """However the requests come: all at once, and then on."""
    allowed = WRITES // 10
    times = [turn() for _ in range(4 * allowed)]
    assert all(later - earlier > WINDOW for earlier, later in zip(times, times[allowed:], strict=False))
    longest = 3 * WINDOW * (1 + 2 / SLOTS)
    assert times[-1] - times[0] <= longest, "it waits no longer than the limit needs"


def test_hosts_and_budgets_are_counted_apart(turn: Turn, clock: FakeClock) -> None:
    for _ in range(WRITES // 10):
        turn()
        turn(host="templates.eu.qlikcloud.com")
        turn(budget="tier 1")
        turn(budget="POST /api/v1/reloads")
    assert sum(clock.slept) == 0
    turn()
    assert sum(clock.slept) > 0


def test_turns_are_given_in_the_order_of_asking(tmp_path: Path, clock: FakeClock) -> None:
    """Also to those who do not wait yet: nobody is overtaken by a later one."""
    governor = Governor(tmp_path, 0.002, clock)
    waits = [governor.turn(HOST, "tier 2", Deadline(1e6, clock)) for _ in range(5)]
    assert waits[0] == 0
    assert all(later - earlier > WINDOW for earlier, later in pairwise(waits))


def test_who_cannot_wait_takes_no_turn(turn: Turn, clock: FakeClock) -> None:
    turn(share=0.002)
    with pytest.raises(DeadlineExceeded, match="other runs on this machine"):
        turn(share=0.002, patience=10)
    before = clock.time()
    assert turn(share=0.002) - before <= WINDOW * (1 + 2 / SLOTS)


def test_a_refusal_of_qlik_counts_for_all(tmp_path: Path, turn: Turn, clock: FakeClock) -> None:
    """Each process would have to be refused for itself otherwise."""
    before = clock.time()
    Governor(tmp_path / "rates", 0.1, clock).close(HOST, "tier 2", 40)
    assert 40 <= turn() - before <= 40 + 2 * WINDOW / SLOTS
    assert turn(budget="tier 1") == clock.time()


@pytest.mark.parametrize(
    "text", ["", "{", "null", '{"sent": [], "closed": 0}', '{"sent": {"x": 1}, "closed": 0}']
)
def test_a_damaged_file_counts_as_none(tmp_path: Path, turn: Turn, clock: FakeClock, text: str) -> None:
    turn()
    [file] = (tmp_path / "rates").iterdir()
    file.write_text(text)
    turn()
    assert sum(clock.slept) == 0
    assert sum(json.loads(file.read_text())["sent"].values()) == 1


def test_a_clock_that_was_set_back_stops_nobody(tmp_path: Path, turn: Turn, clock: FakeClock) -> None:
    turn(share=0.002)
    [file] = (tmp_path / "rates").iterdir()
    later = json.loads(file.read_text())
    ahead = {str(int(slot) + 1000 * SLOTS): count for slot, count in later["sent"].items()}
    file.write_text(json.dumps({"sent": ahead, "closed": clock.time() + 1e6}))
    turn(share=0.002)
    assert sum(clock.slept) == 0


def test_a_folder_that_cannot_be_written_shares_nothing(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "file").touch()
    governor = Governor(tmp_path / "file" / "rates", 0.002, clock)
    assert [governor.turn(HOST, "tier 2", Deadline(1, clock)) for _ in range(3)] == [0, 0, 0]
    governor.close(HOST, "tier 2", 1)


@pytest.mark.parametrize("call", ["pwrite", "pread", "flock"])
def test_a_disk_that_fails_stops_no_request(
    turn: Turn, monkeypatch: pytest.MonkeyPatch, clock: FakeClock, call: str
) -> None:
    """A full one, or a folder on a network without locks."""

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fcntl if call == "flock" else os, call, fail)
    assert [turn(share=0.002), turn(share=0.002)] == [clock.time()] * 2


PROCESS = """\
import sys
from pathlib import Path
from tenantry.providers.qlik.deadlines import SYSTEM_CLOCK, Deadline
from tenantry.providers.qlik.governor import Governor
governor = Governor(Path(sys.argv[1]), 0.05, SYSTEM_CLOCK, window=10_000.0)
for _ in range(100):
    governor.turn("one", "tier 1", Deadline(1e9))
"""


def test_processes_at_once_lose_no_count(tmp_path: Path) -> None:
    running = [subprocess.Popen([sys.executable, "-c", PROCESS, tmp_path]) for _ in range(4)]
    assert [process.wait(120) for process in running] == [0] * 4
    [file] = tmp_path.iterdir()
    assert sum(json.loads(file.read_text())["sent"].values()) == 400


def test_a_request_waits_for_its_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: FakeClock
) -> None:
    """Against an emulator only where the variable says so; the user is told why nothing goes on."""
    monkeypatch.setenv("TENANTRY_STATE", str(tmp_path))
    with Emulator(middleware=ContractChecker().wrap) as qlik:
        env = client_environment(qlik.url)
        for share, files in ((None, 0), ("0.0002", 2)):
            said: list[str] = []
            own = env if share is None else env | {"TENANTRY_RATE_SHARE": share}
            with Cloud(own, clock=clock, notify=said.append) as cloud, deadlines.deadline(1e6, clock=clock):
                tenant = cloud.tenant("templates.eu.qlikcloud.com")
                for _ in range(2):
                    list(tenant.list("/api/v1/spaces"))
            assert len(list(tmp_path.glob("rates/*"))) == files
            told = [line for line in said if "a turn at templates.eu.qlikcloud.com (tier 1)" in line]
            assert len(told) == files / 2
