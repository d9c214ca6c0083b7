"""Calls in forked processes."""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

import tenantry
from tenantry.fleet.warm import forks
from tenantry.fleet.warm.forks import CallFailed, ForkServer

SECONDS = 60.0
WORK = 0.3
"""Seconds of CPU."""


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    made = ForkServer()
    yield made
    made.close()


def where() -> tuple[str, str | None, int]:
    return os.getcwd(), os.environ.get("OF_THE_CALL"), os.getpid()


def spoil() -> int:
    sys.modules["spoiled"] = sys
    return os.getpid()


def is_spoiled() -> bool:
    return "spoiled" in sys.modules


def fail() -> None:
    raise ValueError("as it was raised")


def vanish() -> None:
    os._exit(3)


def linger() -> None:
    time.sleep(SECONDS)


def work() -> float:
    while (taken := resource.getrusage(resource.RUSAGE_SELF).ru_utime) < WORK:
        pass
    return taken


def speak() -> None:
    print("said aloud")
    os.write(2, b"and below\n")


def test_a_call_has_its_own_folder_environment_and_process(server: ForkServer, tmp_path: Path) -> None:
    def call(number: int) -> tuple[str, str | None, int]:
        environment = {"OF_THE_CALL": str(number)}
        found: tuple[str, str | None, int] = server.call(
            where, folder=tmp_path, environment=environment, seconds=SECONDS
        )
        return found

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(call, range(40)))
    assert [answer[:2] for answer in found] == [(str(tmp_path), str(number)) for number in range(40)]
    assert len({answer[2] for answer in found} | {os.getpid(), server.process.pid}) == 42


def test_no_call_sees_what_another_has_done_to_its_process(server: ForkServer) -> None:
    server.call(spoil, folder=Path(), environment={}, seconds=SECONDS)
    assert not server.call(is_spoiled, folder=Path(), environment={}, seconds=SECONDS)


def test_exceptions_and_missing_results_reach_the_caller(server: ForkServer) -> None:
    with pytest.raises(ValueError, match="as it was raised"):
        server.call(fail, folder=Path(), environment={}, seconds=SECONDS)
    with pytest.raises(CallFailed, match="vanish"):
        server.call(vanish, folder=Path(), environment={}, seconds=SECONDS)
    with pytest.raises(FileNotFoundError):
        server.call(where, folder=Path("/nowhere"), environment={}, seconds=SECONDS)


def test_a_call_that_takes_too_long_is_ended(server: ForkServer) -> None:
    with pytest.raises(CallFailed, match="linger"):
        server.call(linger, folder=Path(), environment={}, seconds=0.2)
    _, left = psutil.wait_procs(psutil.Process(server.process.pid).children(), timeout=SECONDS)
    assert left == []


def test_the_output_of_a_call_goes_to_the_given_file(server: ForkServer, tmp_path: Path) -> None:
    with (tmp_path / "output").open("wb") as output:
        server.call(speak, folder=Path(), environment={}, seconds=SECONDS, output=output.fileno())
    assert sorted((tmp_path / "output").read_text().splitlines()) == ["and below", "said aloud"]


def test_the_cpu_time_of_calls_counts_for_the_caller() -> None:
    """Otherwise a benchmark would show too little."""
    mine = ForkServer()
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    taken = sum(mine.call(work, folder=Path(), environment={}, seconds=SECONDS) for _ in range(3))
    mine.close()
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before >= taken >= 3 * WORK


def test_a_dead_server_is_reported(server: ForkServer) -> None:
    mine = ForkServer()
    mine.process.send_signal(signal.SIGKILL)
    mine.process.wait()
    assert not mine.is_running
    with pytest.raises(CallFailed):
        mine.call(where, folder=Path(), environment={}, seconds=SECONDS)
    mine.close()


def test_modules_that_shadow_tenantrys_are_found(tmp_path: Path) -> None:
    """Only modules that a program would import instead, and not the same package."""
    (tmp_path / "tenantry").symlink_to(Path(tenantry.__file__).parent)
    (tmp_path / "yaml").mkdir()  # a folder that is no package
    for name in ("own.py", "__main__.py", "sys.py", "pulumi.txt"):
        (tmp_path / name).touch()
    assert forks.shadowed(tmp_path) == ()
    other = tmp_path / "other"
    for package in ("grpc", "tenantry"):
        (other / package).mkdir(parents=True)
        (other / package / "__init__.py").touch()
    (other / "yaml.py").touch()
    assert forks.shadowed(other) == ("grpc", "tenantry", "yaml")
