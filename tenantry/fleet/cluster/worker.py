"""The functions that run on a worker of the cluster: unpack a bundle, run jobs, report their progress.

The run calls them through Dask. A job is a task, so Dask knows that its thread is busy. All other functions
run outside of tasks and do not use the threads of tasks.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from distributed import Worker, get_worker

from tenantry.fleet import process, warm
from tenantry.fleet.cluster import rates, ticket
from tenantry.fleet.cluster.bundle import unpack
from tenantry.fleet.cluster.errors import BundleRefused
from tenantry.fleet.cluster.fitness import WorkerRequirements, backend_problem, machine_problem, versions
from tenantry.fleet.inventory import StackStatus, stack_status
from tenantry.fleet.job import Job
from tenantry.fleet.members import Member
from tenantry.fleet.outcome import Outcome
from tenantry.providers.qlik.settings import RATES_AT
from tenantry.pulumi_internals import event_log
from tenantry.settings.project import Project
from tenantry.state.backend import Backend
from tenantry.state.reading import Reader

WORK_FOLDER = "tenantry"
"""The folder of this module in the worker's local directory. The worker deletes it when it ends."""

MAX_LOG_BYTES = 256 * 1024
"""How many bytes are returned from the end of each log of a failure."""

MAX_STEPS = 200
"""How many steps of a job one call returns. The next call returns more."""

LOGS = ("events.json", "output.txt", "errors.txt")


@dataclass(frozen=True)
class FitnessReport:
    """The result of an examination. `problem` is the reason if the worker is not fit."""

    problem: str = ""
    lacks_bundle: bool = False


@dataclass(frozen=True)
class JobResult:
    """The result of a job. `outcome` is None if the ticket was already taken, so that nothing was done.

    `folder` is the folder of the bundle. `logs` has the logs of a failure, by name. If Pulumi has changed the
    stack file, `stack_file` has its content before and after.
    """

    outcome: Outcome | None
    folder: str = ""
    logs: Mapping[str, bytes] = field(default_factory=dict)
    stack_file: tuple[bytes, bytes] | None = None


@dataclass
class _Running:
    job: Job
    thread: int
    position: int = 0


_running: dict[tuple[str, str], _Running] = {}
"""The running jobs of this process, by run and stack."""

_unpack_lock = threading.Lock()


def describe() -> dict[str, str]:
    """Return the host of this worker and its versions."""
    return {"host": socket.gethostname(), **versions()}


async def examine(
    requirements: WorkerRequirements, archive: bytes | None, dask_worker: Worker
) -> FitnessReport:
    """Check whether this worker is fit for a run. `archive` is its bundle, if the worker lacks it."""
    return await asyncio.to_thread(_fitness, requirements, archive, dask_worker)


def _fitness(requirements: WorkerRequirements, archive: bytes | None, worker: Worker) -> FitnessReport:
    if problem := machine_problem(requirements):
        return FitnessReport(problem)
    folder = _folder(worker, requirements.sha256)
    try:
        with _unpack_lock:
            if not folder.exists():
                if archive is None:
                    return FitnessReport(lacks_bundle=True)
                _remove_unused_bundles(folder.parent)
                unpack(archive, requirements.sha256, folder)
                _link_environment(folder / requirements.root)
        return FitnessReport(backend_problem(requirements, folder / requirements.root))
    except BundleRefused as refused:
        return FitnessReport(str(refused))
    except OSError as error:
        return FitnessReport(f"it cannot unpack the bundle: {error.filename}: {error.strerror}")


def run_with_ticket(name: str, run: str, sha256: str, job: Job, work: Callable[[Job], Outcome]) -> JobResult:
    """Do the work on one stack if the ticket `name` can be taken.

    Paths of `job` are relative to the bundle.
    """
    worker = get_worker()
    folder = _folder(worker, sha256)
    if not folder.is_dir():
        raise BundleRefused(f"worker {worker.address} has no bundle {sha256[:16]}…")
    stack_file = folder / job.member.file
    before = stack_file.read_bytes()
    if not ticket.take(name):
        return JobResult(None)
    logs = Path(worker.local_directory) / WORK_FOLDER / "jobs" / run / job.folder
    local_job = replace(
        job,
        root=folder / job.root,
        folder=logs,
        environment={**job.environment, **_environment()},
        member=replace(job.member, file=stack_file),
    )
    key = (run, job.member.stack)
    _running[key] = _Running(local_job, threading.get_ident())
    after = before
    try:
        outcome = work(local_job)
        after = stack_file.read_bytes()
        failure_logs = dict(_logs(logs)) if outcome.failed else {}
    finally:
        del _running[key]
        if after != before:  # restore the bundle for later jobs and runs
            stack_file.write_bytes(before)
        shutil.rmtree(logs, ignore_errors=True)
    return JobResult(outcome, str(folder), failure_logs, (before, after) if after != before else None)


def read_stack_status(sha256: str, root: str, member: Member) -> StackStatus:
    """Return the status of a stack from its state in the backend."""
    return stack_status(_reader(_folder(get_worker(), sha256) / root), member)


@cache
def _reader(root: Path) -> Reader:
    project = Project.at(root)
    if project is None:
        raise BundleRefused(f"there is no project in {root}")
    return Reader.of(Backend(root), project)


def progress(run: str) -> dict[str, tuple[bool, list[str]]]:
    """Return the new steps in the logs of a run's jobs, by stack, and whether the log is a new one.

    The steps do not contain values of resources.
    """
    return {
        stack: _new_steps(running) for (run_id, stack), running in list(_running.items()) if run_id == run
    }


def interrupt(run: str) -> int:
    """Interrupt the running commands of a run on this worker, and return how many there are."""
    threads = {running.thread for (run_id, _), running in list(_running.items()) if run_id == run}
    return process.interrupt(threads) if threads else 0


async def clean_up(run: str, dask_worker: Worker) -> None:
    """Delete everything of a run except its bundle, which the next run may need."""
    await asyncio.to_thread(warm.close)
    folder = Path(dask_worker.local_directory) / WORK_FOLDER / "jobs" / run
    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _environment() -> dict[str, str]:
    address = rates.relay()
    return {RATES_AT: address} if address else {}


def _folder(worker: Any, sha256: str) -> Path:
    return Path(worker.local_directory) / WORK_FOLDER / "bundles" / sha256


def _remove_unused_bundles(bundles: Path) -> None:
    """Delete the bundles without a running job. They belong to earlier runs or waves."""
    used = {running.job.root for running in list(_running.values())}
    for folder in bundles.glob("*"):
        if not any(root.is_relative_to(folder) for root in used):
            shutil.rmtree(folder, ignore_errors=True)


def _link_environment(root: Path) -> None:
    """Link the `virtualenv` of Pulumi.yaml to this process's Python environment, if it is in the folder.

    A bundle has no environment. The worker's own environment has the packages that the project needs.
    """
    project = Project.at(root)
    virtualenv = str((project.runtime_options if project else {}).get("virtualenv") or "")
    link = root / virtualenv
    if (
        virtualenv
        and not Path(virtualenv).is_absolute()
        and ".." not in Path(virtualenv).parts
        and not link.exists()
    ):
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(sys.prefix)


def _logs(folder: Path) -> Iterator[tuple[str, bytes]]:
    for name in LOGS:
        with suppress(OSError), (folder / name).open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - MAX_LOG_BYTES))
            content = file.read()
            # Drop the first line of a shortened log, which is incomplete.
            yield name, content if size <= MAX_LOG_BYTES else content.partition(b"\n")[2]


def _new_steps(running: _Running) -> tuple[bool, list[str]]:
    is_new_log = False
    steps: list[str] = []
    with suppress(OSError), running.job.log.open("rb") as file:
        if file.seek(0, 2) < running.position:  # another command has begun a new log
            is_new_log, running.position = True, 0
        file.seek(running.position)
        while len(steps) < MAX_STEPS and (line := file.readline()).endswith(b"\n"):
            running.position = file.tell()
            if step := _step(line.decode("utf-8", "replace")):
                steps.append(step)
    return is_new_log, steps


def _step(line: str) -> str:
    """Return the part of a log line that the live display needs, or an empty string."""
    name = next((kind for kind in event_log.STEP_EVENTS if f'"{kind}"' in line), None)
    if name is None:
        return ""
    with suppress(ValueError):
        if event := event_log.event(line).get(name):
            step = event["metadata"]
            shortened = {
                "metadata": {"op": step["op"], "urn": step["urn"]},
                "planning": bool(event.get("planning")),
            }
            return json.dumps({name: shortened})
    return ""
