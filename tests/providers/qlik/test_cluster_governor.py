"""Rate limits that the machines of a cluster share, as a provider asks for its turn."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tenantry.providers.qlik import Cloud, DeadlineExceeded
from tenantry.providers.qlik.cluster_governor import PAUSE, ClusterGovernor
from tenantry.providers.qlik.deadlines import Deadline
from tenantry.providers.qlik.governor import Governor, Turn
from tenantry.providers.qlik.settings import Settings
from tenantry.providers.qlik.testing import FakeClock

HOST = "register.eu.qlikcloud.com"


class Worker:
    """Answers with a line, and keeps what it was asked."""

    def __init__(self) -> None:
        self.line = b'{"slot": 7, "seconds": 4.5}\n'
        self.asked: list[dict[str, Any]] = []
        worker = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                worker.asked.append(json.loads(self.rfile.readline()))
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
    made = Worker()
    yield made
    made.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def governor(worker: Worker, tmp_path: Path, clock: FakeClock) -> ClusterGovernor:
    return at(worker.address, tmp_path, clock)


def at(address: str, folder: Path, clock: FakeClock) -> ClusterGovernor:
    """A governor that asks there, and has room for one request in five minutes of its own."""
    own = Governor(folder / "rates", 0.0001, clock)
    return ClusterGovernor(Settings(rates_at=address), own, clock)


def asked(governor: ClusterGovernor, clock: FakeClock, seconds: float = 1e6) -> Turn:
    """A turn that was asked for."""
    turn = governor.turn(HOST, "tier 2", Deadline(seconds, clock))
    assert turn
    return turn


def test_the_worker_says_when(
    worker: Worker, governor: ClusterGovernor, clock: FakeClock, tmp_path: Path
) -> None:
    """And is told of all that becomes of the turn; the budget of this machine is left alone."""
    same = {"token": "token", "host": HOST, "budget": "tier 2", "share": 0.5, "window": 300.0}
    turn = asked(governor, clock, 60)
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
    assert worker.asked == [
        same | {"do": "turn", "remaining": 60},
        same | {"do": "confirmed", "slot": 7, "remaining": 60},
        same | {"do": "answered", "slot": 8},
        same | {"do": "close", "seconds": 40},
    ]
    assert not (tmp_path / "rates").exists()


def test_what_is_not_counted_has_no_turn(worker: Worker, governor: ClusterGovernor, clock: FakeClock) -> None:
    worker.line = b"{}\n"
    assert governor.turn(HOST, "none", Deadline(60, clock)) is None


def test_too_late_is_said_as_ever(worker: Worker, governor: ClusterGovernor, clock: FakeClock) -> None:
    worker.line = b'{"late": true}\n'
    with pytest.raises(DeadlineExceeded):
        asked(governor, clock)


@pytest.mark.parametrize("line", [b"", b"\n", b"no JSON\n", b'"text"\n', b"[" * 999 + b"\n"])
def test_an_answer_that_is_none_leaves_it_to_the_files(
    worker: Worker, governor: ClusterGovernor, clock: FakeClock, line: bytes
) -> None:
    worker.line = line
    assert asked(governor, clock).seconds == 0
    assert asked(governor, clock).seconds > 290, "the budget of this machine"
    assert len(worker.asked) == 1, "it is not asked again at once"
    clock.sleep(PAUSE + 1)
    worker.line = b'{"slot": 7, "seconds": 0}\n'
    assert asked(governor, clock) == (7, 0)


def test_a_turn_belongs_to_who_gave_it(worker: Worker, governor: ClusterGovernor, clock: FakeClock) -> None:
    """The worker is lost between turn and confirmation, and comes back."""
    turn = asked(governor, clock)
    worker.line = b""
    own = governor.confirmed(HOST, "tier 2", turn, Deadline(1e6, clock))
    assert own.seconds == 0
    clock.sleep(PAUSE + 1)
    questions = len(worker.asked)
    governor.confirmed(HOST, "tier 2", own, Deadline(1e6, clock))
    governor.answered(HOST, "tier 2", own)
    assert len(worker.asked) == questions, "it knows nothing of a turn of this machine's"


def test_a_worker_that_is_gone_fails_no_request(
    worker: Worker, governor: ClusterGovernor, clock: FakeClock
) -> None:
    worker.server.socket.close()
    governor.close(HOST, "tier 2", 40)
    assert asked(governor, clock).seconds > 39


@pytest.mark.parametrize("address", ["nonsense", "127.0.0.1:none:x", "127.0.0.1:1:x"])
def test_an_address_that_is_none_fails_no_request(address: str, tmp_path: Path, clock: FakeClock) -> None:
    assert asked(at(address, tmp_path, clock), clock).seconds == 0


@pytest.mark.parametrize(
    ("environ", "kind"), [({}, Governor), ({"TENANTRY_RATES_AT": "127.0.0.1:1:x"}, ClusterGovernor)]
)
def test_which_one_a_client_has(environ: dict[str, str], kind: Callable[..., object]) -> None:
    cloud = Cloud(environ)
    assert type(cloud._calls._governor) is kind
