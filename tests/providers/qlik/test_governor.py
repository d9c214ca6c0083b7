"""Rate limits that processes share."""

from __future__ import annotations

import fcntl
import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from heapq import heappop, heappush
from itertools import pairwise
from pathlib import Path

import pytest

from tenantry.demo.environment import client_environment
from tenantry.emulator import Emulator
from tenantry.providers.qlik import Cloud, DeadlineExceeded, deadlines
from tenantry.providers.qlik.deadlines import Deadline
from tenantry.providers.qlik.governor import LATEST, SLOTS, Governor, Turn
from tenantry.providers.qlik.limits import TIERS, WINDOW
from tenantry.providers.qlik.testing import FakeClock
from tests.contract import ContractChecker

HOST = "register.eu.qlikcloud.com"
WRITES = int(TIERS["tier 2"] * WINDOW / 60)

Ask = Callable[..., float]


def seconds(given: Turn | None) -> float:
    """How long to wait."""
    return given.seconds if given else 0.0


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def turn(tmp_path: Path, clock: FakeClock) -> Ask:
    """Ask for a turn, each time as another process would; wait for it, and return when it was."""

    def ask(host: str = HOST, budget: str = "tier 2", share: float = 0.1, patience: float = 1e6) -> float:
        governor = Governor(tmp_path / "rates", share, clock)
        clock.sleep(seconds(governor.turn(host, budget, Deadline(patience, clock))))
        return clock.time()

    return ask


def test_nothing_waits_below_the_share(turn: Ask, clock: FakeClock) -> None:
    for _ in range(WRITES // 10):
        turn()
    assert sum(clock.slept) == 0


def test_no_five_minutes_have_more_than_the_share(turn: Ask) -> None:
    """However the requests come: all at once, and then on."""
    allowed = WRITES // 10
    times = [turn() for _ in range(4 * allowed)]
    assert all(later - earlier > WINDOW for earlier, later in zip(times, times[allowed:], strict=False))
    longest = 3 * WINDOW * (1 + 2 / SLOTS)
    assert times[-1] - times[0] <= longest, "it waits no longer than the limit needs"


def test_hosts_and_budgets_are_counted_apart(turn: Ask, clock: FakeClock) -> None:
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
    waits = [seconds(governor.turn(HOST, "tier 2", Deadline(1e6, clock))) for _ in range(5)]
    assert waits[0] == 0
    assert all(later - earlier > WINDOW for earlier, later in pairwise(waits))


def test_who_cannot_wait_takes_no_turn(turn: Ask, clock: FakeClock) -> None:
    turn(share=0.002)
    with pytest.raises(DeadlineExceeded, match="other runs on this machine"):
        turn(share=0.002, patience=10)
    before = clock.time()
    assert turn(share=0.002) - before <= WINDOW * (1 + 2 / SLOTS)


def test_a_refusal_of_qlik_counts_for_all(tmp_path: Path, turn: Ask, clock: FakeClock) -> None:
    """Each process would have to be refused for itself otherwise."""
    before = clock.time()
    Governor(tmp_path / "rates", 0.1, clock).close(HOST, "tier 2", 40)
    assert 40 <= turn() - before <= 40 + 2 * WINDOW / SLOTS
    assert turn(budget="tier 1") == clock.time()


def test_who_has_waited_waits_on_where_qlik_has_refused(tmp_path: Path, clock: FakeClock) -> None:
    """Each of those who wait would be refused for itself otherwise."""
    governor, deadline = Governor(tmp_path, 0.002, clock), Deadline(1e6, clock)
    governor.turn(HOST, "tier 2", deadline)
    given = governor.turn(HOST, "tier 2", deadline)
    assert given
    clock.sleep(given.seconds)
    governor.close(HOST, "tier 2", 40)
    given = governor.confirmed(HOST, "tier 2", given, deadline)
    assert 40 <= given.seconds <= 40 + 2 * WINDOW / SLOTS
    clock.sleep(given.seconds)
    assert governor.confirmed(HOST, "tier 2", given, deadline) == Turn(given.slot, 0.0)


@pytest.mark.parametrize(("took", "counts"), [(0.1, 0.0), (4.5, 4.5), (60.0, LATEST)])
def test_a_request_counts_from_when_it_may_have_arrived(
    tmp_path: Path, clock: FakeClock, took: float, counts: float
) -> None:
    """A window later the next one goes out: Qlik must not have both in one."""
    governor, deadline = Governor(tmp_path, 0.002, clock), Deadline(1e6, clock)
    first = governor.turn(HOST, "tier 2", deadline)
    second = governor.turn(HOST, "tier 2", deadline)
    assert first
    assert second
    sent = clock.time()
    clock.sleep(took)
    governor.answered(HOST, "tier 2", first)
    clock.sleep(second.seconds - took)
    while second.seconds:
        second = governor.confirmed(HOST, "tier 2", second, deadline)
        clock.sleep(second.seconds)
    waited = clock.time() - sent - WINDOW
    assert counts < waited <= counts + 3 * WINDOW / SLOTS


def test_late_requests_make_no_window_too_full(tmp_path: Path, clock: FakeClock) -> None:
    """However late they arrive, and whoever asks meanwhile: each is sent and arrives by the clock."""
    chance, share = random.Random(7), 0.02
    allowed = int(WRITES * share)
    governor, deadline = Governor(tmp_path, share, clock), Deadline(1e6, clock)
    # What happens next: when, and of which request (a turn that is waited for, or an answer).
    events: list[tuple[float, int, Turn | None, bool]] = [(clock.time(), n, None, False) for n in range(60)]
    arrived: list[float] = []
    while events:
        moment, number, turn, sent = heappop(events)
        clock.sleep(max(0.0, moment - clock.time()))
        if sent and turn:
            governor.answered(HOST, "tier 2", turn)
            continue
        turn = (
            governor.confirmed(HOST, "tier 2", turn, deadline)
            if turn
            else governor.turn(HOST, "tier 2", deadline)
        )
        assert turn
        if turn.seconds:
            heappush(events, (clock.time() + turn.seconds, number, turn, False))
        else:
            arrived.append(clock.time() + chance.uniform(0, LATEST - 2))
            heappush(events, (arrived[-1], number, turn, True))
    arrived.sort()
    assert len(arrived) == 60
    assert all(later - earlier >= WINDOW for earlier, later in zip(arrived, arrived[allowed:], strict=False))
    assert arrived[-1] - arrived[0] <= 59 // allowed * (WINDOW + LATEST + 2 * WINDOW / SLOTS)


@pytest.mark.parametrize(
    "text", ["", "{", "null", '{"sent": [], "closed": 0}', '{"sent": {"x": 1}, "closed": 0}']
)
def test_a_damaged_file_counts_as_none(tmp_path: Path, turn: Ask, clock: FakeClock, text: str) -> None:
    turn()
    [file] = (tmp_path / "rates").iterdir()
    file.write_text(text)
    turn()
    assert sum(clock.slept) == 0
    assert sum(json.loads(file.read_text())["sent"].values()) == 1


def test_a_clock_that_was_set_back_stops_nobody(tmp_path: Path, turn: Ask, clock: FakeClock) -> None:
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
    assert [governor.turn(HOST, "tier 2", Deadline(1, clock)) for _ in range(3)] == [None] * 3
    assert governor.confirmed(HOST, "tier 2", Turn(0, 9.0), Deadline(1, clock)).seconds == 0
    governor.answered(HOST, "tier 2", Turn(0, 0.0))
    governor.close(HOST, "tier 2", 1)


@pytest.mark.parametrize("call", ["pwrite", "pread", "flock"])
def test_a_disk_that_fails_stops_no_request(
    turn: Ask, monkeypatch: pytest.MonkeyPatch, clock: FakeClock, call: str
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


@pytest.mark.parametrize("shared", [True, False])
def test_clients_at_once_are_refused_once_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared: bool
) -> None:
    """Four that send more than a window takes, as processes would: without a common budget each learns of it
    by a refusal of its own.
    """
    monkeypatch.setenv("TENANTRY_STATE", str(tmp_path))
    with Emulator(rate_limits=True, rate_window_scale=0.02, middleware=ContractChecker().wrap) as qlik:
        share = {"TENANTRY_RATE_SHARE": "0.5" if shared else "0", "TENANTRY_RATE_WINDOW": "6"}

        def client(_: int) -> None:
            with Cloud(client_environment(qlik.url) | share) as cloud:
                tenant = cloud.tenant("templates.eu.qlikcloud.com")
                for _ in range(30):
                    list(tenant.list("/api/v1/spaces"))

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(client, range(4)))
        log = qlik.control.requests()
    assert len([each for each in log if each["method"] == "GET" and each["status"] == 200]) == 120
    refused = Counter((each["host"], each["tier"]) for each in log if each["status"] == 429)
    assert (max(refused.values(), default=0) <= 1) is shared


def test_a_refusal_of_another_run_holds_who_waits_already(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: FakeClock
) -> None:
    monkeypatch.setenv("TENANTRY_STATE", str(tmp_path))
    other = Governor(tmp_path / "rates", 0.0002, clock)
    tenant, sleep = "templates.eu.qlikcloud.com", clock.sleep

    def sleep_while_another_is_refused(seconds: float) -> None:
        sleep(seconds)
        if len(clock.slept) == 1:
            other.close(tenant, "tier 1", 1000)

    with Emulator(middleware=ContractChecker().wrap) as qlik:
        env = client_environment(qlik.url) | {"TENANTRY_RATE_SHARE": "0.0002"}
        with Cloud(env, clock=clock) as cloud, deadlines.deadline(1e6, clock=clock):
            list(cloud.tenant(tenant).list("/api/v1/spaces"))
            assert sum(clock.slept) == 0
            monkeypatch.setattr(clock, "sleep", sleep_while_another_is_refused)
            list(cloud.tenant(tenant).list("/api/v1/spaces"))
    assert WINDOW + 1000 <= sum(clock.slept) <= WINDOW + 1000 + 3 * WINDOW / SLOTS
