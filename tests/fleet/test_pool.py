"""A pool runs many jobs, a few at a time."""

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
def test_a_pool_runs_with_threads_or_processes(executor: Callable[[int], Executor]) -> None:
    """Jobs and outcomes can be pickled, so that another process can run a job."""
    pool = Pool(2, executor=executor, work=succeed)
    outcomes = list(pool.run([job(name) for name in NAMES]))
    assert sorted(outcome.stack for outcome in outcomes) == NAMES
    assert {(outcome.status, outcome.same) for outcome in outcomes} == {("ok", 3)}


def test_a_pool_limits_the_jobs_at_a_time() -> None:
    running, maximum, lock = 0, 0, threading.Lock()
    three_running = threading.Barrier(3, timeout=10)

    def work(job: Job) -> Outcome:
        nonlocal running, maximum
        with lock:
            running += 1
            maximum = max(maximum, running)
        three_running.wait()
        with lock:
            running -= 1
        return job.outcome()

    assert len(list(Pool(3, work=work).run([job(name) for name in NAMES]))) == 6
    assert maximum == 3


def test_a_pool_stops_after_too_many_failures() -> None:
    names = ["bad-1", "good-1", "bad-2", "good-2", "good-3"]
    pool = Pool(1, max_failures=1, work=fail_bad_stacks)
    outcomes = {outcome.stack: outcome for outcome in pool.run([job(name) for name in names])}
    assert list(outcomes) == names
    assert [outcomes[name].status for name in names] == ["failed", "ok", "failed", "not run", "not run"]
    assert outcomes["good-3"].remarks == ("2 failed, at most 1 may fail",)
    assert pool.stop == "2 failed, at most 1 may fail"


def test_without_a_limit_a_pool_never_stops() -> None:
    pool = Pool(1, work=fail_bad_stacks)
    statuses = [outcome.status for outcome in pool.run([job("bad-1"), job("bad-2"), job("good")])]
    assert statuses == ["failed", "failed", "ok"]
    assert pool.stop == ""


def test_a_lost_worker_fails_only_its_own_job() -> None:
    outcomes = {
        outcome.stack: outcome for outcome in Pool(2, work=fail_bad_stacks).run([job("lost"), job("good")])
    }
    assert outcomes["good"].status == "ok"
    assert outcomes["lost"].status == "failed"
    assert "out of memory" in outcomes["lost"].troubles[0].text


def test_running_jobs_finish_when_the_pool_stops() -> None:
    started, released = threading.Event(), threading.Event()

    def work(job: Job) -> Outcome:
        started.set()
        assert released.wait(10)
        return job.outcome()

    pool = Pool(1, work=work)

    def stop() -> None:
        assert started.wait(10)
        pool.stop = "interrupted by SIGINT"
        released.set()

    thread = threading.Thread(target=stop)
    thread.start()
    outcomes = list(pool.run([job(name) for name in NAMES[:3]]))
    thread.join()
    assert [outcome.status for outcome in outcomes] == ["ok", "not run", "not run"]


def test_a_stopped_pool_starts_no_jobs() -> None:
    pool = Pool(1, work=succeed, stop="enough")
    assert [outcome.status for outcome in pool.run([job("a"), job("b")])] == ["not run", "not run"]
