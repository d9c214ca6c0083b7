"""Many jobs, a few at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor

import pytest

from tenantry.fleet.job import Job
from tenantry.fleet.outcome import Outcome
from tenantry.fleet.pool import Pool
from tests.fleet.samples import fail_bad_stacks, job, succeed

NAMES = [f"stack-{number}" for number in range(6)]


@pytest.mark.parametrize("executor", [ThreadPoolExecutor, ProcessPoolExecutor])
def test_any_executor_will_do(executor: Callable[[int], Executor]) -> None:
    """Jobs and outcomes are plain data: they go to another process and come back."""
    pool = Pool(2, executor=executor, work=succeed)
    found = list(pool.run([job(name) for name in NAMES]))
    assert sorted(outcome.stack for outcome in found) == NAMES
    assert {(outcome.status, outcome.same) for outcome in found} == {("ok", 3)}


def test_a_pool_limits_the_jobs_at_a_time() -> None:
    together, most, lock = 0, 0, threading.Lock()
    all_there = threading.Barrier(3, timeout=10)

    def work(job: Job) -> Outcome:
        nonlocal together, most
        with lock:
            together += 1
            most = max(most, together)
        all_there.wait()
        with lock:
            together -= 1
        return job.outcome()

    assert len(list(Pool(3, work=work).run([job(name) for name in NAMES]))) == 6
    assert most == 3


def test_a_pool_stops_after_too_many_failures() -> None:
    names = ["bad-1", "good-1", "bad-2", "good-2", "good-3"]
    pool = Pool(1, max_failures=1, work=fail_bad_stacks)
    found = {outcome.stack: outcome for outcome in pool.run([job(name) for name in names])}
    assert list(found) == names
    assert [found[name].status for name in names] == ["failed", "ok", "failed", "not run", "not run"]
    assert found["good-3"].remarks == ("2 failed, at most 1 may fail",)
    assert pool.stop == "2 failed, at most 1 may fail"


def test_without_a_limit_a_pool_never_stops() -> None:
    pool = Pool(1, work=fail_bad_stacks)
    statuses = [outcome.status for outcome in pool.run([job("bad-1"), job("bad-2"), job("good")])]
    assert statuses == ["failed", "failed", "ok"]
    assert pool.stop == ""


def test_a_lost_worker_fails_only_its_own_job() -> None:
    found = {
        outcome.stack: outcome for outcome in Pool(2, work=fail_bad_stacks).run([job("lost"), job("good")])
    }
    assert found["good"].status == "ok"
    assert found["lost"].status == "failed"
    assert "out of memory" in found["lost"].troubles[0].text


def test_running_jobs_finish_when_the_pool_stops() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def work(job: Job) -> Outcome:
        begun.set()
        assert go_on.wait(10)
        return job.outcome()

    pool = Pool(1, work=work)

    def stop() -> None:
        assert begun.wait(10)
        pool.stop = "interrupted by SIGINT"
        go_on.set()

    thread = threading.Thread(target=stop)
    thread.start()
    found = list(pool.run([job(name) for name in NAMES[:3]]))
    thread.join()
    assert [outcome.status for outcome in found] == ["ok", "not run", "not run"]


def test_a_stopped_pool_begins_nothing() -> None:
    pool = Pool(1, work=succeed, stop="enough")
    assert [outcome.status for outcome in pool.run([job("a"), job("b")])] == ["not run", "not run"]
