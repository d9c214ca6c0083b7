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

TIMEOUT_SECONDS = 60.0
CPU_SECONDS = 0.3


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    fork_server = ForkServer()
    yield fork_server
    fork_server.close()


def folder_variable_and_process() -> tuple[str, str | None, int]:
    return os.getcwd(), os.environ.get("CALL_NUMBER"), os.getpid()


def change_modules() -> int:
    sys.modules["changed"] = sys
    return os.getpid()


def has_changed_modules() -> bool:
    return "changed" in sys.modules


def fail() -> None:
    raise ValueError("the original text")


def exit_process() -> None:
    os._exit(3)


def sleep() -> None:
    time.sleep(TIMEOUT_SECONDS)


def use_cpu() -> float:
    while (used := resource.getrusage(resource.RUSAGE_SELF).ru_utime) < CPU_SECONDS:
        pass
    return used


def write_output() -> None:
    print("from Python")
    os.write(2, b"from the file descriptor\n")


def test_a_call_has_its_own_folder_environment_and_process(server: ForkServer, tmp_path: Path) -> None:
    def call(number: int) -> tuple[str, str | None, int]:
        environment = {"CALL_NUMBER": str(number)}
        result: tuple[str, str | None, int] = server.call(
            folder_variable_and_process, folder=tmp_path, environment=environment, seconds=TIMEOUT_SECONDS
        )
        return result

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(call, range(40)))
    assert [result[:2] for result in results] == [(str(tmp_path), str(number)) for number in range(40)]
    assert len({result[2] for result in results} | {os.getpid(), server.process.pid}) == 42


def test_a_call_does_not_see_changes_that_another_call_made_to_its_process(server: ForkServer) -> None:
    server.call(change_modules, folder=Path(), environment={}, seconds=TIMEOUT_SECONDS)
    assert not server.call(has_changed_modules, folder=Path(), environment={}, seconds=TIMEOUT_SECONDS)


def test_exceptions_and_missing_results_reach_the_caller(server: ForkServer) -> None:
    with pytest.raises(ValueError, match="the original text"):
        server.call(fail, folder=Path(), environment={}, seconds=TIMEOUT_SECONDS)
    with pytest.raises(CallFailed, match="exit_process"):
        server.call(exit_process, folder=Path(), environment={}, seconds=TIMEOUT_SECONDS)
    with pytest.raises(FileNotFoundError):
        server.call(
            folder_variable_and_process, folder=Path("/nowhere"), environment={}, seconds=TIMEOUT_SECONDS
        )


def test_a_call_that_exceeds_its_timeout_is_ended(server: ForkServer) -> None:
    with pytest.raises(CallFailed, match="sleep"):
        server.call(sleep, folder=Path(), environment={}, seconds=0.2)
    _, alive = psutil.wait_procs(psutil.Process(server.process.pid).children(), timeout=TIMEOUT_SECONDS)
    assert alive == []


def test_the_output_of_a_call_goes_to_the_given_file(server: ForkServer, tmp_path: Path) -> None:
    with (tmp_path / "output").open("wb") as output:
        server.call(
            write_output, folder=Path(), environment={}, seconds=TIMEOUT_SECONDS, output=output.fileno()
        )
    assert sorted((tmp_path / "output").read_text().splitlines()) == [
        "from Python",
        "from the file descriptor",
    ]


def test_the_cpu_time_of_calls_counts_for_the_caller() -> None:
    """A benchmark measures the CPU time of the caller and its child processes."""
    own_server = ForkServer()
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    used = sum(
        own_server.call(use_cpu, folder=Path(), environment={}, seconds=TIMEOUT_SECONDS) for _ in range(3)
    )
    own_server.close()
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before >= used >= 3 * CPU_SECONDS


def test_a_dead_server_is_reported(server: ForkServer) -> None:
    own_server = ForkServer()
    own_server.process.send_signal(signal.SIGKILL)
    own_server.process.wait()
    assert not own_server.is_running
    with pytest.raises(CallFailed):
        own_server.call(folder_variable_and_process, folder=Path(), environment={}, seconds=TIMEOUT_SECONDS)
    own_server.close()


def test_modules_that_shadow_those_of_tenantry_are_found(tmp_path: Path) -> None:
    """Only modules that a program imports instead count. A link to the same package does not."""
    (tmp_path / "tenantry").symlink_to(Path(tenantry.__file__).parent)
    (tmp_path / "yaml").mkdir()  # a folder that is not a package
    for name in ("own.py", "__main__.py", "sys.py", "pulumi.txt"):
        (tmp_path / name).touch()
    assert forks.shadowed(tmp_path) == ()
    other = tmp_path / "other"
    for package in ("grpc", "tenantry"):
        (other / package).mkdir(parents=True)
        (other / package / "__init__.py").touch()
    (other / "yaml.py").touch()
    assert forks.shadowed(other) == ("grpc", "tenantry", "yaml")
