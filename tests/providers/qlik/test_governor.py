"""Rate limits that the processes of one machine share."""

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
from tenantry.providers.qlik.governor import MAX_ARRIVAL_DELAY_SECONDS, SLOTS, Governor, Turn
from tenantry.providers.qlik.limits import TIERS, WINDOW
from tenantry.providers.qlik.testing import FakeClock
from tests.contract import ContractChecker

HOST = "register.eu.qlikcloud.com"
WRITES = int(TIERS["tier 2"] * WINDOW / 60)

TakeTurn = Callable[..., float]


def seconds(turn: Turn | None) -> float:
    """Return how long to wait for a turn."""
    return turn.seconds if turn else 0.0


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def take_turn(tmp_path: Path, clock: FakeClock) -> TakeTurn:
    """Return a function that requests a turn like a new process, waits for it, and returns its time."""

    def take_turn(
        host: str = HOST, budget: str = "tier 2", share: float = 0.1, deadline_seconds: float = 1e6
    ) -> float:
        governor = Governor(tmp_path / "rates", share, clock)
        clock.sleep(seconds(governor.turn(host, budget, Deadline(deadline_seconds, clock))))
        return clock.time()

    return take_turn


def test_requests_within_the_share_do_not_wait(take_turn: TakeTurn, clock: FakeClock) -> None:
    for _ in range(WRITES // 10):
        take_turn()
    assert sum(clock.sleeps) == 0


def test_no_window_has_more_requests_than_the_share(take_turn: TakeTurn) -> None:
    """A window is any period of five minutes, wherever it starts."""
    allowed = WRITES // 10
    times = [take_turn() for _ in range(4 * allowed)]
    assert all(later - earlier > WINDOW for earlier, later in zip(times, times[allowed:], strict=False))
    longest = 3 * WINDOW * (1 + 2 / SLOTS)
    assert times[-1] - times[0] <= longest, "longer than the limit requires"


def test_hosts_and_budgets_are_counted_separately(take_turn: TakeTurn, clock: FakeClock) -> None:
    for _ in range(WRITES // 10):
        take_turn()
        take_turn(host="templates.eu.qlikcloud.com")
        take_turn(budget="tier 1")
        take_turn(budget="POST /api/v1/reloads")
    assert sum(clock.sleeps) == 0
    take_turn()
    assert sum(clock.sleeps) > 0


def test_turns_are_given_in_the_order_of_the_requests(tmp_path: Path, clock: FakeClock) -> None:
    """No request overtakes an earlier one, even if the earlier one does not wait yet."""
    governor = Governor(tmp_path, 0.002, clock)
    waits = [seconds(governor.turn(HOST, "tier 2", Deadline(1e6, clock))) for _ in range(5)]
    assert waits[0] == 0
    assert all(later - earlier > WINDOW for earlier, later in pairwise(waits))


def test_a_request_that_cannot_wait_is_not_counted(take_turn: TakeTurn, clock: FakeClock) -> None:
    take_turn(share=0.002)
    with pytest.raises(DeadlineExceeded, match="other runs on this machine"):
        take_turn(share=0.002, deadline_seconds=10)
    before = clock.time()
    assert take_turn(share=0.002) - before <= WINDOW * (1 + 2 / SLOTS)


def test_after_a_refusal_of_qlik_all_processes_wait(
    tmp_path: Path, take_turn: TakeTurn, clock: FakeClock
) -> None:
    """Otherwise Qlik would refuse each process once."""
    before = clock.time()
    Governor(tmp_path / "rates", 0.1, clock).close(HOST, "tier 2", 40)
    assert 40 <= take_turn() - before <= 40 + 2 * WINDOW / SLOTS
    assert take_turn(budget="tier 1") == clock.time()


def test_after_a_refusal_of_qlik_a_waiting_process_waits_longer(tmp_path: Path, clock: FakeClock) -> None:
    """Otherwise Qlik would refuse each waiting process once."""
    governor, deadline = Governor(tmp_path, 0.002, clock), Deadline(1e6, clock)
    governor.turn(HOST, "tier 2", deadline)
    turn = governor.turn(HOST, "tier 2", deadline)
    assert turn
    clock.sleep(turn.seconds)
    governor.close(HOST, "tier 2", 40)
    turn = governor.confirmed(HOST, "tier 2", turn, deadline)
    assert 40 <= turn.seconds <= 40 + 2 * WINDOW / SLOTS
    clock.sleep(turn.seconds)
    assert governor.confirmed(HOST, "tier 2", turn, deadline) == Turn(turn.slot, 0.0)


@pytest.mark.parametrize(("duration", "delay"), [(0.1, 0.0), (4.5, 4.5), (60.0, MAX_ARRIVAL_DELAY_SECONDS)])
def test_a_request_counts_from_its_latest_possible_arrival(
    tmp_path: Path, clock: FakeClock, duration: float, delay: float
) -> None:
    """The next request is sent one window later, so that Qlik never counts both in one window."""
    governor, deadline = Governor(tmp_path, 0.002, clock), Deadline(1e6, clock)
    first = governor.turn(HOST, "tier 2", deadline)
    second = governor.turn(HOST, "tier 2", deadline)
    assert first
    assert second
    sent = clock.time()
    clock.sleep(duration)
    governor.answered(HOST, "tier 2", first)
    clock.sleep(second.seconds - duration)
    while second.seconds:
        second = governor.confirmed(HOST, "tier 2", second, deadline)
        clock.sleep(second.seconds)
    waited = clock.time() - sent - WINDOW
    assert delay < waited <= delay + 3 * WINDOW / SLOTS


def test_late_requests_do_not_exceed_the_limit_of_any_window(tmp_path: Path, clock: FakeClock) -> None:
    """Simulate 60 requests with random delays that are sent, and arrive, in the order of the clock."""
    chance, share = random.Random(7), 0.02
    allowed = int(WRITES * share)
    governor, deadline = Governor(tmp_path, share, clock), Deadline(1e6, clock)
    # The next events: time, number of the request, its turn, and whether it was sent (awaits its response).
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
            arrived.append(clock.time() + chance.uniform(0, MAX_ARRIVAL_DELAY_SECONDS - 2))
            heappush(events, (arrived[-1], number, turn, True))
    arrived.sort()
    assert len(arrived) == 60
    assert all(later - earlier >= WINDOW for earlier, later in zip(arrived, arrived[allowed:], strict=False))
    assert arrived[-1] - arrived[0] <= 59 // allowed * (
        WINDOW + MAX_ARRIVAL_DELAY_SECONDS + 2 * WINDOW / SLOTS
    )


@pytest.mark.parametrize(
    "text", ["", "{", "null", '{"sent": [], "closed": 0}', '{"sent": {"x": 1}, "closed": 0}']
)
def test_a_damaged_file_is_ignored(tmp_path: Path, take_turn: TakeTurn, clock: FakeClock, text: str) -> None:
    take_turn()
    [file] = (tmp_path / "rates").iterdir()
    file.write_text(text)
    take_turn()
    assert sum(clock.sleeps) == 0
    assert sum(json.loads(file.read_text())["sent"].values()) == 1


def test_a_clock_that_was_set_back_delays_no_request(
    tmp_path: Path, take_turn: TakeTurn, clock: FakeClock
) -> None:
    take_turn(share=0.002)
    [file] = (tmp_path / "rates").iterdir()
    record = json.loads(file.read_text())
    ahead = {str(int(slot) + 1000 * SLOTS): count for slot, count in record["sent"].items()}
    file.write_text(json.dumps({"sent": ahead, "closed": clock.time() + 1e6}))
    take_turn(share=0.002)
    assert sum(clock.sleeps) == 0


def test_without_a_writable_folder_no_limits_are_shared(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "file").touch()
    governor = Governor(tmp_path / "file" / "rates", 0.002, clock)
    assert [governor.turn(HOST, "tier 2", Deadline(1, clock)) for _ in range(3)] == [None] * 3
    assert governor.confirmed(HOST, "tier 2", Turn(0, 9.0), Deadline(1, clock)).seconds == 0
    governor.answered(HOST, "tier 2", Turn(0, 0.0))
    governor.close(HOST, "tier 2", 1)


@pytest.mark.parametrize("call", ["pwrite", "pread", "flock"])
def test_a_disk_failure_delays_no_request(
    take_turn: TakeTurn, monkeypatch: pytest.MonkeyPatch, clock: FakeClock, call: str
) -> None:
    """The disk may be full, or the folder may be on a network without locks."""

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fcntl if call == "flock" else os, call, fail)
    assert [take_turn(share=0.002), take_turn(share=0.002)] == [clock.time()] * 2


PROCESS = """\
import sys
from pathlib import Path
from tenantry.providers.qlik.deadlines import SYSTEM_CLOCK, Deadline
from tenantry.providers.qlik.governor import Governor
governor = Governor(Path(sys.argv[1]), 0.05, SYSTEM_CLOCK, window=10_000.0)
for _ in range(100):
    governor.turn("one", "tier 1", Deadline(1e9))
"""


def test_concurrent_processes_lose_no_count(tmp_path: Path) -> None:
    processes = [subprocess.Popen([sys.executable, "-c", PROCESS, tmp_path]) for _ in range(4)]
    assert [process.wait(120) for process in processes] == [0] * 4
    [file] = tmp_path.iterdir()
    assert sum(json.loads(file.read_text())["sent"].values()) == 400


def test_a_request_waits_for_its_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: FakeClock
) -> None:
    """With an emulator this needs TENANTRY_RATE_SHARE. A message tells the user why the request waits."""
    monkeypatch.setenv("TENANTRY_STATE", str(tmp_path))
    with Emulator(middleware=ContractChecker().wrap) as qlik:
        env = client_environment(qlik.url)
        for share, files in ((None, 0), ("0.0002", 2)):
            messages: list[str] = []
            environ = env if share is None else env | {"TENANTRY_RATE_SHARE": share}
            with (
                Cloud(environ, clock=clock, notify=messages.append) as cloud,
                deadlines.deadline(1e6, clock=clock),
            ):
                tenant = cloud.tenant("templates.eu.qlikcloud.com")
                for _ in range(2):
                    list(tenant.list("/api/v1/spaces"))
            assert len(list(tmp_path.glob("rates/*"))) == files
            waits = [line for line in messages if "a turn at templates.eu.qlikcloud.com (tier 1)" in line]
            assert len(waits) == files / 2


@pytest.mark.parametrize("shared", [True, False])
def test_concurrent_clients_with_a_shared_budget_are_refused_at_most_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared: bool
) -> None:
    """Four clients together send more than a window allows. Without a shared budget, Qlik refuses several."""
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
    successes = [request for request in log if request["method"] == "GET" and request["status"] == 200]
    assert len(successes) == 120
    refusals = Counter((request["host"], request["tier"]) for request in log if request["status"] == 429)
    assert (max(refusals.values(), default=0) <= 1) is shared


def test_a_refusal_of_another_run_delays_a_waiting_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: FakeClock
) -> None:
    monkeypatch.setenv("TENANTRY_STATE", str(tmp_path))
    other = Governor(tmp_path / "rates", 0.0002, clock)
    tenant, sleep = "templates.eu.qlikcloud.com", clock.sleep

    def sleep_while_another_is_refused(seconds: float) -> None:
        sleep(seconds)
        if len(clock.sleeps) == 1:
            other.close(tenant, "tier 1", 1000)

    with Emulator(middleware=ContractChecker().wrap) as qlik:
        env = client_environment(qlik.url) | {"TENANTRY_RATE_SHARE": "0.0002"}
        with Cloud(env, clock=clock) as cloud, deadlines.deadline(1e6, clock=clock):
            list(cloud.tenant(tenant).list("/api/v1/spaces"))
            assert sum(clock.sleeps) == 0
            monkeypatch.setattr(clock, "sleep", sleep_while_another_is_refused)
            list(cloud.tenant(tenant).list("/api/v1/spaces"))
    assert WINDOW + 1000 <= sum(clock.sleeps) <= WINDOW + 1000 + 3 * WINDOW / SLOTS
