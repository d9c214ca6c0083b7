"""Jobs on real workers, each once, whatever Dask does. tests/e2e/test_cluster.py adds the engine."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tenantry.fleet.cluster import connection
from tenantry.fleet.cluster import worker as on_worker
from tenantry.fleet.cluster.errors import BundleRefused, ClusterUnusable
from tenantry.fleet.cluster.executor import SALT_NOT_WRITTEN, ClusterRun
from tenantry.fleet.cluster.ticket import Ticket
from tenantry.fleet.job import Job
from tenantry.fleet.pool import NoWatcher, Pool
from tests.e2e.cluster import Processes
from tests.e2e.fleet import wait_until
from tests.fleet.cluster import jobs
from tests.fleet.cluster.conftest import Site


def attached(remote: ClusterRun, work: Any, at_once: int = 2, *, watched: bool = False) -> Pool:
    """Return a pool whose jobs run on the cluster."""
    pool = Pool(at_once, work=work)
    remote.attach(pool, print, watched=watched)
    return pool


def test_each_job_is_done_once(site: Site) -> None:
    names = [f"stack-{number}" for number in range(6)]
    work = [site.job(name) for name in names]
    with site.run() as remote:
        assert remote.cluster.threads == 2
        found = list(attached(remote, jobs.do_well, at_once=4).run(work))
    assert {(outcome.status, outcome.same) for outcome in found} == {("ok", 3)}
    assert sorted(site.begun()) == sorted(outcome.stack for outcome in found) == names
    assert site.announced == []


async def submitted(remote: ClusterRun, ticket: str, job: Job, work: Any, worker: str) -> Any:
    """Submit a job as the executor does, but let Dask use any worker."""
    assert remote.bundle is not None
    return remote.cluster.client.submit(
        on_worker.run_with_ticket,
        *(ticket, "run", remote.bundle.sha256, remote._relative(job), work),
        workers=[worker],
        allow_other_workers=True,
        pure=False,
    )


def test_a_task_that_dask_repeats_does_not_begin_again(
    site: Site, dask: Processes, environment: dict[str, str]
) -> None:
    """A task of a killed worker moves to another worker, which finds no ticket."""
    job = site.job("acme")
    with site.run() as remote:
        cluster, known = remote.cluster, set(remote.cluster.fit_workers)
        lost = dask.work(environment)
        wait_until(lambda: cluster.fit_workers.keys() - known, "a worker that joins")
        (address,) = cluster.fit_workers.keys() - known

        async def begun() -> Any:
            ticket = await Ticket.issue(cluster.client, "the-ticket")
            return await submitted(remote, ticket.name, job, jobs.wait, address)

        task = cluster.wait_for(begun())
        wait_until(lambda: site.begun() == ["acme"], "a job that has begun")
        dask.kill(lost)
        dask.workers.remove(lost)
        returned = cluster.wait_for(asyncio.wait_for(result(task), 60))
        wait_until(lambda: cluster.fit_workers.keys() == known, "a worker that is gone")
    assert returned.outcome is None
    assert site.begun() == ["acme"]


async def result(task: Any) -> Any:
    """Return the result of a task."""
    return await task.result()


def test_only_the_first_worker_gets_a_ticket(site: Site) -> None:
    work = site.job("acme"), jobs.do_well
    with site.run() as remote:

        async def raced() -> list[Any]:
            ticket = await Ticket.issue(remote.cluster.client, "one-ticket")
            tasks = [
                await submitted(remote, ticket.name, *work, address) for address in remote.cluster.fit_workers
            ]
            found = [await task.result() for task in tasks]
            assert not await ticket.take_back()
            return found

        found = remote.cluster.wait_for(raced())
    assert sorted(outcome.outcome is None for outcome in found) == [False, True]
    assert site.begun() == ["acme"]


def test_a_ticket_that_was_taken_back_begins_nothing(site: Site) -> None:
    work = site.job("acme"), jobs.do_well
    with site.run() as remote:

        async def late() -> Any:
            ticket = await Ticket.issue(remote.cluster.client, "a-ticket")
            assert await ticket.take_back()
            worker = next(iter(remote.cluster.fit_workers))
            return await (await submitted(remote, ticket.name, *work, worker)).result()

        assert remote.cluster.wait_for(late()).outcome is None
    assert site.begun() == []


def test_another_worker_does_what_a_lost_one_had_not_begun(
    site: Site, dask: Processes, environment: dict[str, str]
) -> None:
    """The lost worker's current stack is reported with the owner of its lock."""
    with site.run(holder=lambda job: f"held: {job.member.stack}") as remote:
        known = set(remote.cluster.fit_workers)
        lost = dask.work(environment, threads=2)
        wait_until(lambda: remote.cluster.fit_workers.keys() - known, "a worker that joins")
        (address,) = remote.cluster.fit_workers.keys() - known
        for other in known:
            remote.cluster.fit_workers[other].busy += 1
        # A foreign task occupies one of its two threads, as on a shared cluster.
        blocked = remote.cluster.wait_for(busy(remote, site, address))
        pool, names = attached(remote, jobs.wait), ["acme", "globex"]

        def kill() -> None:
            wait_until(lambda: len(site.begun()) == 1, "a job that has begun")
            wait_until(lambda: len(remote._running) == 2, "a job that waits behind it")
            for other in known:
                remote.cluster.fit_workers[other].busy -= 1
            dask.kill(lost)
            (site.shared / jobs.GO_ON).touch()

        thread = threading.Thread(target=kill)
        thread.start()
        found = {outcome.stack: outcome for outcome in pool.run([site.job(name) for name in names])}
        thread.join()
        del blocked
    dask.workers.remove(lost)
    begun, *others = site.begun()
    (failed,) = [name for name in names if found[name].failed]
    assert failed == begun
    where = f"worker {address} ({socket.gethostname()})"
    assert found[failed].troubles[0].text == f"{where} was lost while it worked on this stack"
    assert found[failed].troubles[0].advice == f"held: {failed}"
    assert others == [name for name in names if name != failed]
    assert found[others[0]].status == "ok"


async def busy(remote: ClusterRun, site: Site, address: str) -> Any:
    """Occupy a thread of a worker with a foreign task."""
    file = site.shared / "other"
    task = remote.cluster.client.submit(jobs.occupy, file, workers=[address], pure=False)
    while not file.exists():
        await asyncio.sleep(0.05)
    return task


def test_a_job_that_waits_for_a_busy_worker_is_handed_back_when_the_run_stops(site: Site) -> None:
    with site.run() as remote:
        blocked = [
            remote.cluster.wait_for(busy(remote, site, address)) for address in remote.cluster.fit_workers
        ]
        pool = attached(remote, jobs.do_well)

        def stop() -> None:
            wait_until(lambda: len(remote._running) == 2, "jobs that wait")
            pool.stop = "interrupted by SIGINT"

        thread = threading.Thread(target=stop)
        thread.start()
        found = list(pool.run([site.job(name) for name in ("acme", "globex", "initech")]))
        thread.join()
        (site.shared / jobs.GO_ON).touch()
        del blocked
    assert {(outcome.status, outcome.remarks) for outcome in found} == {
        ("not run", ("interrupted by SIGINT",))
    }
    assert site.begun() == []


def test_steps_of_running_jobs_reach_the_log_here_without_values(site: Site) -> None:
    job = site.job("acme")
    with site.run() as remote:
        pool, seen = attached(remote, jobs.wait, watched=True), []

        def look() -> None:
            wait_until(lambda: job.log.exists() and job.log.read_text().endswith("\n"), "a step")
            seen.append(job.log.read_text())
            (site.shared / jobs.GO_ON).touch()

        thread = threading.Thread(target=look)
        thread.start()
        list(pool.run([job]))
        thread.join()
    (step,) = [json.loads(line) for line in seen[0].splitlines()]
    assert step == {"resourcePreEvent": {"metadata": {"op": "create", "urn": jobs.MADE}, "planning": False}}


def test_logs_of_a_failure_come_back_shortened_and_with_local_paths(site: Site) -> None:
    job = site.job("acme")
    with site.run() as remote:
        (failed,) = attached(remote, jobs.fail).run([job])
    assert failed.troubles[0].where == f"{job.member.file}:3"
    assert (job.folder / "errors.txt").read_text() == f"{site.root}: no\n"
    log = job.log.read_text()
    assert (len(log) <= on_worker.MAX_LOG_BYTES, log.endswith("last\n")) == (True, True)


def test_a_changed_stack_file_comes_back(site: Site) -> None:
    first, second = site.job("acme"), site.job("globex")
    with site.run() as remote:
        (done,) = attached(remote, jobs.write_salt).run([first])
        assert first.member.file.read_text().endswith("\nencryptionsalt: v1\n")
        assert done.remarks == ()

        pool = attached(remote, jobs.write_salt)
        pool.watcher = Changing(second)
        (done,) = pool.run([second])
    assert done.remarks == (SALT_NOT_WRITTEN,)
    assert second.member.file.read_text() == "# changed\n"


class Changing(NoWatcher):
    """Changes a stack file after it was sent, when its job begins."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def begun(self, job: Job) -> None:
        self._job.member.file.write_text("# changed\n")


def test_a_worker_that_fails_in_a_job_fails_only_that_job(site: Site) -> None:
    with site.run() as remote:
        (failed,) = attached(remote, jobs.break_down).run([site.job("acme")])
        (good,) = attached(remote, jobs.do_well).run([site.job("globex")])
    assert failed.troubles[0].text.endswith("failed: RuntimeError: no memory for acme")
    assert good.status == "ok"


def test_a_damaged_bundle_is_refused_by_name(site: Site) -> None:
    site.job("acme")
    with site.run() as remote:
        cluster = remote.cluster
        assert cluster._offer is not None
        assert remote.bundle is not None
        requirements, bundle = cluster._offer
        wrong = replace(requirements, sha256="0" * 64)
        with pytest.raises(ClusterUnusable, match="no worker is fit"):
            cluster.offer(wrong, bundle)
        assert len(site.announced) == 2
        for line in site.announced:
            worker, _, why = line.partition(" is not used: ")
            assert re.fullmatch(r"Worker tcp://127\.0\.0\.1:\d+ \(.+\)", worker)
            assert why == f"the bundle does not match its SHA-256 {16 * '0'}…"
        assert cluster.fit_workers == {}


def test_no_job_runs_in_a_bundle_that_the_worker_does_not_have(site: Site) -> None:
    job = site.job("acme")
    with site.run() as remote:
        assert remote.bundle is not None
        left = replace(remote.bundle, archive=b"another")
        sent = remote._relative(job)
        worker = next(iter(remote.cluster.fit_workers))

        async def asked() -> Any:
            ticket = await Ticket.issue(remote.cluster.client, "t")
            arguments = (ticket.name, "run", left.sha256, sent, jobs.do_well)
            task = remote.cluster.client.submit(
                on_worker.run_with_ticket, *arguments, workers=[worker], pure=False
            )
            return await task.exception(), await ticket.take_back()

        error, unused = remote.cluster.wait_for(asked())
    assert isinstance(error, BundleRefused)
    assert unused
    assert site.begun() == []


def test_only_known_variables_of_a_job_are_sent(site: Site) -> None:
    job = site.job("acme", environment={"PULUMI_CONFIG_PASSPHRASE": "secret"})
    with (
        site.run() as remote,
        pytest.raises(ValueError, match="not sent to a worker: PULUMI_CONFIG_PASSPHRASE"),
    ):
        list(attached(remote, jobs.do_well).run([job]))


def test_a_stack_file_that_is_not_in_the_bundle_fails_by_name(site: Site, tmp_path: Path) -> None:
    job = site.job("acme")
    outside = replace(job.member, file=tmp_path / "Pulumi.acme.yaml")
    outside.file.write_text("config: {}\n")
    with site.run() as remote:
        (failed,) = attached(remote, jobs.do_well).run([replace(job, member=outside)])
    assert "is outside of the repository" in failed.troubles[0].text


def test_a_run_without_workers_stops(
    site: Site, tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "SECONDS_WITHOUT_WORKERS", 0.0)
    with Processes(tmp_path / "alone") as alone:
        lost = alone.work(environment)
        alone.wait()
        site.address = alone.address
        with site.run() as remote:
            pool = attached(remote, jobs.wait, at_once=1)

            def kill() -> None:
                wait_until(site.begun, "a job that has begun")
                alone.kill(lost)

            thread = threading.Thread(target=kill)
            thread.start()
            found = list(pool.run([site.job(name) for name in ("acme", "globex", "initech")]))
            thread.join()
    assert [outcome.status for outcome in found] == ["failed", "not run", "not run"]
    assert pool.stop == f"no fit worker is left at {alone.address}"
    assert site.begun() == ["acme"]


def test_a_scheduler_that_hangs_ends_the_run_in_time(
    site: Site, tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection exists, but nothing responds. Each stack is still reported."""
    with Processes(tmp_path / "alone") as alone:
        alone.work(environment)
        alone.wait()
        site.address = alone.address

        def hang() -> None:
            wait_until(site.begun, "a job that has begun")
            monkeypatch.setattr(connection, "SECONDS_TO_ANSWER", 1.0)
            alone.scheduler.send_signal(signal.SIGSTOP)

        thread = threading.Thread(target=hang)
        try:
            with site.run() as remote:
                pool = attached(remote, jobs.wait, at_once=1)
                thread.start()
                found = list(pool.run([site.job(name) for name in ("acme", "globex")]))
        finally:
            thread.join()
            (site.shared / jobs.GO_ON).touch()
            alone.scheduler.send_signal(signal.SIGCONT)
    assert [outcome.status for outcome in found] == ["failed", "not run"]
    lost = f"the scheduler {alone.address} was lost"
    assert found[0].troubles[0].text.endswith(f"when {lost}: its result is unknown")
    assert pool.stop == lost
