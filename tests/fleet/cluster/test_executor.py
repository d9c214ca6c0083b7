"""Each job runs once on real workers, whatever Dask does. tests/e2e/test_cluster.py adds the engine."""

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


def attached_pool(remote: ClusterRun, work: Any, at_once: int = 2, *, watched: bool = False) -> Pool:
    """Return a pool whose jobs run `work` on the cluster."""
    pool = Pool(at_once, work=work)
    remote.attach(pool, print, watched=watched)
    return pool


def test_each_job_runs_once(site: Site) -> None:
    names = [f"stack-{number}" for number in range(6)]
    work = [site.job(name) for name in names]
    with site.run() as remote:
        assert remote.cluster.threads == 2
        outcomes = list(attached_pool(remote, jobs.succeed, at_once=4).run(work))
    assert {(outcome.status, outcome.same) for outcome in outcomes} == {("ok", 3)}
    assert sorted(site.started_stacks()) == sorted(outcome.stack for outcome in outcomes) == names
    assert site.announced == []


async def submit(remote: ClusterRun, ticket: str, job: Job, work: Any, worker: str) -> Any:
    """Submit a job as the executor does, but let Dask use any worker."""
    assert remote.bundle is not None
    return remote.cluster.client.submit(
        on_worker.run_with_ticket,
        *(ticket, "run", remote.bundle.sha256, remote._relative(job), work),
        workers=[worker],
        allow_other_workers=True,
        pure=False,
    )


def test_a_task_that_dask_repeats_does_not_run_the_job_again(
    site: Site, dask: Processes, environment: dict[str, str]
) -> None:
    """Dask moves the task of a killed worker to another worker, which finds no ticket."""
    job = site.job("acme")
    with site.run() as remote:
        cluster, known = remote.cluster, set(remote.cluster.fit_workers)
        worker = dask.work(environment)
        wait_until(lambda: cluster.fit_workers.keys() - known, "a worker that joins")
        (address,) = cluster.fit_workers.keys() - known

        async def submit_job() -> Any:
            ticket = await Ticket.issue(cluster.client, "the-ticket")
            return await submit(remote, ticket.name, job, jobs.wait, address)

        task = cluster.wait_for(submit_job())
        wait_until(lambda: site.started_stacks() == ["acme"], "a job that has started")
        dask.kill(worker)
        dask.workers.remove(worker)
        returned = cluster.wait_for(asyncio.wait_for(result(task), 60))
        wait_until(lambda: cluster.fit_workers.keys() == known, "the end of the worker")
    assert returned.outcome is None
    assert site.started_stacks() == ["acme"]


async def result(task: Any) -> Any:
    """Return the result of a task."""
    return await task.result()


def test_only_the_first_worker_gets_a_ticket(site: Site) -> None:
    job_and_work = site.job("acme"), jobs.succeed
    with site.run() as remote:

        async def race() -> list[Any]:
            ticket = await Ticket.issue(remote.cluster.client, "one-ticket")
            tasks = [
                await submit(remote, ticket.name, *job_and_work, address)
                for address in remote.cluster.fit_workers
            ]
            results = [await task.result() for task in tasks]
            assert not await ticket.take_back()
            return results

        results = remote.cluster.wait_for(race())
    assert sorted(result.outcome is None for result in results) == [False, True]
    assert site.started_stacks() == ["acme"]


def test_a_ticket_that_was_taken_back_starts_no_job(site: Site) -> None:
    job_and_work = site.job("acme"), jobs.succeed
    with site.run() as remote:

        async def submit_late() -> Any:
            ticket = await Ticket.issue(remote.cluster.client, "a-ticket")
            assert await ticket.take_back()
            worker = next(iter(remote.cluster.fit_workers))
            return await (await submit(remote, ticket.name, *job_and_work, worker)).result()

        assert remote.cluster.wait_for(submit_late()).outcome is None
    assert site.started_stacks() == []


def test_jobs_that_a_lost_worker_had_not_started_run_on_another_worker(
    site: Site, dask: Processes, environment: dict[str, str]
) -> None:
    """The stack that the lost worker was working on fails, and names the owner of its lock."""
    with site.run(lock_holder=lambda job: f"held: {job.member.stack}") as remote:
        known = set(remote.cluster.fit_workers)
        lost = dask.work(environment, threads=2)
        wait_until(lambda: remote.cluster.fit_workers.keys() - known, "a worker that joins")
        (address,) = remote.cluster.fit_workers.keys() - known
        for other in known:
            remote.cluster.fit_workers[other].busy += 1
        # A foreign task occupies one of its two threads, as it can on a shared cluster.
        foreign_task = remote.cluster.wait_for(occupy_thread(remote, site, address))
        pool, names = attached_pool(remote, jobs.wait), ["acme", "globex"]

        def kill() -> None:
            wait_until(lambda: len(site.started_stacks()) == 1, "a job that has started")
            wait_until(lambda: len(remote._running) == 2, "a job that waits behind it")
            for other in known:
                remote.cluster.fit_workers[other].busy -= 1
            dask.kill(lost)
            (site.shared / jobs.RELEASE_FILE).touch()

        thread = threading.Thread(target=kill)
        thread.start()
        outcomes = {outcome.stack: outcome for outcome in pool.run([site.job(name) for name in names])}
        thread.join()
        del foreign_task
    dask.workers.remove(lost)
    first, *others = site.started_stacks()
    (failed,) = [name for name in names if outcomes[name].failed]
    assert failed == first
    where = f"worker {address} ({socket.gethostname()})"
    assert outcomes[failed].troubles[0].text == f"{where} was lost while it worked on this stack"
    assert outcomes[failed].troubles[0].advice == f"held: {failed}"
    assert others == [name for name in names if name != failed]
    assert outcomes[others[0]].status == "ok"


async def occupy_thread(remote: ClusterRun, site: Site, address: str) -> Any:
    """Occupy a thread of a worker with a foreign task."""
    file = site.shared / "other"
    task = remote.cluster.client.submit(jobs.occupy, file, workers=[address], pure=False)
    while not file.exists():
        await asyncio.sleep(0.05)
    return task


def test_jobs_that_wait_for_a_busy_worker_do_not_run_when_the_run_stops(site: Site) -> None:
    with site.run() as remote:
        foreign_tasks = [
            remote.cluster.wait_for(occupy_thread(remote, site, address))
            for address in remote.cluster.fit_workers
        ]
        pool = attached_pool(remote, jobs.succeed)

        def stop() -> None:
            wait_until(lambda: len(remote._running) == 2, "jobs that wait")
            pool.stop = "interrupted by SIGINT"

        thread = threading.Thread(target=stop)
        thread.start()
        outcomes = list(pool.run([site.job(name) for name in ("acme", "globex", "initech")]))
        thread.join()
        (site.shared / jobs.RELEASE_FILE).touch()
        del foreign_tasks
    assert {(outcome.status, outcome.remarks) for outcome in outcomes} == {
        ("not run", ("interrupted by SIGINT",))
    }
    assert site.started_stacks() == []


def test_steps_of_running_jobs_reach_the_local_log_without_values(site: Site) -> None:
    job = site.job("acme")
    with site.run() as remote:
        pool, logs = attached_pool(remote, jobs.wait, watched=True), []

        def read_log() -> None:
            wait_until(lambda: job.log.exists() and job.log.read_text().endswith("\n"), "a step")
            logs.append(job.log.read_text())
            (site.shared / jobs.RELEASE_FILE).touch()

        thread = threading.Thread(target=read_log)
        thread.start()
        list(pool.run([job]))
        thread.join()
    (step,) = [json.loads(line) for line in logs[0].splitlines()]
    assert step == {
        "resourcePreEvent": {"metadata": {"op": "create", "urn": jobs.CREATED_URN}, "planning": False}
    }


def test_logs_of_a_failure_are_copied_back_shortened_and_with_local_paths(site: Site) -> None:
    job = site.job("acme")
    with site.run() as remote:
        (failed,) = attached_pool(remote, jobs.fail).run([job])
    assert failed.troubles[0].where == f"{job.member.file}:3"
    assert (job.folder / "errors.txt").read_text() == f"{site.root}: no\n"
    log = job.log.read_text()
    assert (len(log) <= on_worker.MAX_LOG_BYTES, log.endswith("last\n")) == (True, True)


def test_a_stack_file_that_the_worker_changed_is_copied_back(site: Site) -> None:
    first, second = site.job("acme"), site.job("globex")
    with site.run() as remote:
        (outcome,) = attached_pool(remote, jobs.write_salt).run([first])
        assert first.member.file.read_text().endswith("\nencryptionsalt: v1\n")
        assert outcome.remarks == ()

        pool = attached_pool(remote, jobs.write_salt)
        pool.watcher = StackFileChanger(second)
        (outcome,) = pool.run([second])
    assert outcome.remarks == (SALT_NOT_WRITTEN,)
    assert second.member.file.read_text() == "# changed\n"


class StackFileChanger(NoWatcher):
    """A watcher that changes the stack file of a job when it starts, after the file was sent."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def begun(self, job: Job) -> None:
        self._job.member.file.write_text("# changed\n")


def test_an_unexpected_error_of_a_worker_fails_only_that_job(site: Site) -> None:
    with site.run() as remote:
        (failed,) = attached_pool(remote, jobs.raise_error).run([site.job("acme")])
        (good,) = attached_pool(remote, jobs.succeed).run([site.job("globex")])
    assert failed.troubles[0].text.endswith("failed: RuntimeError: no memory for acme")
    assert good.status == "ok"


def test_every_worker_refuses_a_damaged_bundle_with_the_reason(site: Site) -> None:
    site.job("acme")
    with site.run() as remote:
        cluster = remote.cluster
        assert cluster._offer is not None
        assert remote.bundle is not None
        requirements, bundle = cluster._offer
        wrong_requirements = replace(requirements, sha256="0" * 64)
        with pytest.raises(ClusterUnusable, match="no worker is fit"):
            cluster.offer(wrong_requirements, bundle)
        assert len(site.announced) == 2
        for line in site.announced:
            worker, _, reason = line.partition(" is not used: ")
            assert re.fullmatch(r"Worker tcp://127\.0\.0\.1:\d+ \(.+\)", worker)
            assert reason == f"the bundle does not match its SHA-256 {16 * '0'}…"
        assert cluster.fit_workers == {}


def test_no_job_runs_in_a_bundle_that_the_worker_does_not_have(site: Site) -> None:
    job = site.job("acme")
    with site.run() as remote:
        assert remote.bundle is not None
        other_bundle = replace(remote.bundle, archive=b"another")
        sent_job = remote._relative(job)
        worker = next(iter(remote.cluster.fit_workers))

        async def submit_job() -> Any:
            ticket = await Ticket.issue(remote.cluster.client, "t")
            arguments = (ticket.name, "run", other_bundle.sha256, sent_job, jobs.succeed)
            task = remote.cluster.client.submit(
                on_worker.run_with_ticket, *arguments, workers=[worker], pure=False
            )
            return await task.exception(), await ticket.take_back()

        error, unused = remote.cluster.wait_for(submit_job())
    assert isinstance(error, BundleRefused)
    assert unused
    assert site.started_stacks() == []


def test_only_known_variables_of_a_job_are_sent(site: Site) -> None:
    job = site.job("acme", environment={"PULUMI_CONFIG_PASSPHRASE": "secret"})
    with (
        site.run() as remote,
        pytest.raises(ValueError, match="not sent to a worker: PULUMI_CONFIG_PASSPHRASE"),
    ):
        list(attached_pool(remote, jobs.succeed).run([job]))


def test_a_stack_file_outside_of_the_bundle_fails_its_job(site: Site, tmp_path: Path) -> None:
    job = site.job("acme")
    outside = replace(job.member, file=tmp_path / "Pulumi.acme.yaml")
    outside.file.write_text("config: {}\n")
    with site.run() as remote:
        (failed,) = attached_pool(remote, jobs.succeed).run([replace(job, member=outside)])
    assert "is outside of the repository" in failed.troubles[0].text


def test_a_run_without_workers_stops(
    site: Site, tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "SECONDS_WITHOUT_WORKERS", 0.0)
    with Processes(tmp_path / "alone") as alone:
        worker = alone.work(environment)
        alone.wait()
        site.address = alone.address
        with site.run() as remote:
            pool = attached_pool(remote, jobs.wait, at_once=1)

            def kill() -> None:
                wait_until(site.started_stacks, "a job that has started")
                alone.kill(worker)

            thread = threading.Thread(target=kill)
            thread.start()
            outcomes = list(pool.run([site.job(name) for name in ("acme", "globex", "initech")]))
            thread.join()
    assert [outcome.status for outcome in outcomes] == ["failed", "not run", "not run"]
    assert pool.stop == f"no fit worker is left at {alone.address}"
    assert site.started_stacks() == ["acme"]


def test_a_scheduler_that_hangs_does_not_block_the_run(
    site: Site, tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection exists, but the scheduler does not respond. The run still reports each stack."""
    with Processes(tmp_path / "alone") as alone:
        alone.work(environment)
        alone.wait()
        site.address = alone.address

        def hang() -> None:
            wait_until(site.started_stacks, "a job that has started")
            monkeypatch.setattr(connection, "RESPONSE_TIMEOUT_SECONDS", 1.0)
            alone.scheduler.send_signal(signal.SIGSTOP)

        thread = threading.Thread(target=hang)
        try:
            with site.run() as remote:
                pool = attached_pool(remote, jobs.wait, at_once=1)
                thread.start()
                outcomes = list(pool.run([site.job(name) for name in ("acme", "globex")]))
        finally:
            thread.join()
            (site.shared / jobs.RELEASE_FILE).touch()
            alone.scheduler.send_signal(signal.SIGCONT)
    assert [outcome.status for outcome in outcomes] == ["failed", "not run"]
    lost = f"the scheduler {alone.address} was lost"
    assert outcomes[0].troubles[0].text.endswith(f"when {lost}: its result is unknown")
    assert pool.stop == lost
