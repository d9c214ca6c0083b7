"""Rate limits that the machines of a cluster share, from the view of a provider that requests a turn."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tenantry.providers.qlik import Cloud, DeadlineExceeded
from tenantry.providers.qlik.cluster_governor import PAUSE_SECONDS, ClusterGovernor
from tenantry.providers.qlik.deadlines import Deadline
from tenantry.providers.qlik.governor import Governor, Turn
from tenantry.providers.qlik.settings import Settings
from tenantry.providers.qlik.testing import FakeClock

HOST = "register.eu.qlikcloud.com"


class Worker:
    """A worker that sends the same line to each request and records the requests."""

    def __init__(self) -> None:
        self.line = b'{"slot": 7, "seconds": 4.5}\n'
        self.requests: list[dict[str, Any]] = []
        worker = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                worker.requests.append(json.loads(self.rfile.readline()))
                self.wfile.write(worker.line)

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_address[1]}:token"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker()
    yield worker
    worker.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def governor(worker: Worker, tmp_path: Path, clock: FakeClock) -> ClusterGovernor:
    return governor_at(worker.address, tmp_path, clock)


def governor_at(address: str, folder: Path, clock: FakeClock) -> ClusterGovernor:
    """Create a governor for the worker at an address. Its own budget is one request in five minutes."""
    own = Governor(folder / "rates", 0.0001, clock)
    return ClusterGovernor(Settings(rates_at=address), own, clock)


def request_turn(governor: ClusterGovernor, clock: FakeClock, seconds: float = 1e6) -> Turn:
    """Request a turn that is at most some seconds ahead."""
    turn = governor.turn(HOST, "tier 2", Deadline(seconds, clock))
    assert turn
    return turn


def test_the_worker_gives_the_turns(
    worker: Worker, governor: ClusterGovernor, clock: FakeClock, tmp_path: Path
) -> None:
    """It receives each change of a turn. The budget of this machine is not used."""
    common = {"token": "token", "host": HOST, "budget": "tier 2", "share": 0.5, "window": 300.0}
    turn = request_turn(governor, clock, 60)
    assert turn == (7, 4.5)
    clock.sleep(turn.seconds)
    worker.line = b'{"slot": 8, "seconds": 0}\n'
    turn = governor.confirmed(HOST, "tier 2", turn, Deadline(60, clock))
    assert turn == (8, 0)
    governor.answered(HOST, "tier 2", turn)
    clock.sleep(5)
    worker.line = b"{}\n"
    governor.answered(HOST, "tier 2", turn)
    governor.close(HOST, "tier 2", 40)
    assert worker.requests == [
        common | {"do": "turn", "remaining": 60},
        common | {"do": "confirmed", "slot": 7, "remaining": 60},
        common | {"do": "answered", "slot": 8},
        common | {"do": "close", "seconds": 40},
    ]
    assert not (tmp_path / "rates").exists()


def test_a_budget_that_is_not_counted_has_no_turn(
    worker: Worker, governor: ClusterGovernor, clock: FakeClock
) -> None:
    worker.line = b"{}\n"
    assert governor.turn(HOST, "none", Deadline(60, clock)) is None


def test_a_late_turn_raises_deadline_exceeded(
    worker: Worker, governor: ClusterGovernor, clock: FakeClock
) -> None:
    worker.line = b'{"late": true}\n'
    with pytest.raises(DeadlineExceeded):
        request_turn(governor, clock)


@pytest.mark.parametrize("line", [b"", b"\n", b"no JSON\n", b'"text"\n', b"[" * 999 + b"\n"])
def test_after_an_invalid_response_this_machines_budget_is_used(
    worker: Worker, governor: ClusterGovernor, clock: FakeClock, line: bytes
) -> None:
    worker.line = line
    assert request_turn(governor, clock).seconds == 0
    assert request_turn(governor, clock).seconds > 290, "the budget of this machine"
    assert len(worker.requests) == 1, "no request until the pause has passed"
    clock.sleep(PAUSE_SECONDS + 1)
    worker.line = b'{"slot": 7, "seconds": 0}\n'
    assert request_turn(governor, clock) == (7, 0)


def test_a_turn_of_this_machine_is_not_sent_to_the_worker(
    worker: Worker, governor: ClusterGovernor, clock: FakeClock
) -> None:
    """The worker fails between a turn and its confirmation, and recovers later."""
    turn = request_turn(governor, clock)
    worker.line = b""
    own = governor.confirmed(HOST, "tier 2", turn, Deadline(1e6, clock))
    assert own.seconds == 0
    clock.sleep(PAUSE_SECONDS + 1)
    requests_before = len(worker.requests)
    governor.confirmed(HOST, "tier 2", own, Deadline(1e6, clock))
    governor.answered(HOST, "tier 2", own)
    assert len(worker.requests) == requests_before, "the worker does not know the turns of this machine"


def test_a_missing_worker_fails_no_request(
    worker: Worker, governor: ClusterGovernor, clock: FakeClock
) -> None:
    worker.server.socket.close()
    governor.close(HOST, "tier 2", 40)
    assert request_turn(governor, clock).seconds > 39


@pytest.mark.parametrize("address", ["nonsense", "127.0.0.1:none:x", "127.0.0.1:1:x"])
def test_an_invalid_address_fails_no_request(address: str, tmp_path: Path, clock: FakeClock) -> None:
    assert request_turn(governor_at(address, tmp_path, clock), clock).seconds == 0


@pytest.mark.parametrize(
    ("environ", "governor_type"), [({}, Governor), ({"TENANTRY_RATES_AT": "127.0.0.1:1:x"}, ClusterGovernor)]
)
def test_the_environment_selects_the_governor(
    environ: dict[str, str], governor_type: Callable[..., object]
) -> None:
    cloud = Cloud(environ)
    assert type(cloud._calls._governor) is governor_type
