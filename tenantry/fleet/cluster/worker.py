"""What a worker of the cluster does: it takes a bundle, runs jobs in it, and says how far they are.

Functions here are called by the run through Dask. A job is a task, so that Dask sees a thread that is taken;
all else is asked of the worker beside its tasks, and takes no thread of theirs.
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
"""The folder of ours in that of a worker, which goes with it."""

MAX_LOG_BYTES = 256 * 1024
"""So many bytes of each log of a failure come back, the last ones."""

MAX_STEPS = 200
"""So many steps of a job are told at a time; the others are told next."""

LOGS = ("events.json", "output.txt", "errors.txt")


@dataclass(frozen=True)
class FitnessReport:
    """What a worker says to a demand: why it is unfit, or that it lacks the bundle."""

    problem: str = ""
    lacks_bundle: bool = False


@dataclass(frozen=True)
class JobResult:
    """What comes back of a job. `outcome` is None where its ticket was taken before: nothing was done.

    `folder` is where its bundle was; `logs` are those of a failure, by name. `stack_file` is the content of
    the stack file before and after, where Pulumi has changed it.
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
"""The jobs under way in this process, by run and stack."""

_unpacking = threading.Lock()


def describe() -> dict[str, str]:
    """Return where this worker is and the versions that it has."""
    return {"host": socket.gethostname(), **versions()}


async def examine(
    requirements: WorkerRequirements, archive: bytes | None, dask_worker: Worker
) -> FitnessReport:
    """Say whether this worker is fit for a run, and take its bundle if it comes with the question."""
    return await asyncio.to_thread(_examined, requirements, archive, dask_worker)


def _examined(requirements: WorkerRequirements, archive: bytes | None, worker: Worker) -> FitnessReport:
    if problem := machine_problem(requirements):
        return FitnessReport(problem)
    folder = _folder(worker, requirements.sha256)
    try:
        with _unpacking:
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
        return FitnessReport(f"the bundle cannot be unpacked there: {error.filename}: {error.strerror}")


def run_with_ticket(name: str, run: str, sha256: str, job: Job, work: Callable[[Job], Outcome]) -> JobResult:
    """Do the work on one stack if the ticket `name` can be taken. Paths of `job` count from the bundle."""
    worker = get_worker()
    folder = _folder(worker, sha256)
    if not folder.is_dir():
        raise BundleRefused(f"worker {worker.address} has no bundle {sha256[:16]}…")
    stack_file = folder / job.member.file
    before = stack_file.read_bytes()
    if not ticket.take(name):
        return JobResult(None)
    logs = Path(worker.local_directory) / WORK_FOLDER / "jobs" / run / job.folder
    here = replace(
        job,
        root=folder / job.root,
        folder=logs,
        environment={**job.environment, **_environment()},
        member=replace(job.member, file=stack_file),
    )
    key = (run, job.member.stack)
    _running[key] = _Running(here, threading.get_ident())
    after = before
    try:
        outcome = work(here)
        after = stack_file.read_bytes()
        kept = dict(_logs(logs)) if outcome.failed else {}
    finally:
        del _running[key]
        if after != before:  # the folder is that of the bundle again, also for a later run with it
            stack_file.write_bytes(before)
        shutil.rmtree(logs, ignore_errors=True)
    return JobResult(outcome, str(folder), kept, (before, after) if after != before else None)


def read_stack_status(sha256: str, root: str, member: Member) -> StackStatus:
    """Return how a stack stands, by the state in the backend."""
    return stack_status(_reader(_folder(get_worker(), sha256) / root), member)


@cache
def _reader(root: Path) -> Reader:
    project = Project.at(root)
    if project is None:
        raise BundleRefused(f"there is no project in {root}")
    return Reader.of(Backend(root), project)


def progress(run: str) -> dict[str, tuple[bool, list[str]]]:
    """Return the lines that the logs of a run's jobs have got since the last time, as far as they say which
    steps are taken, and whether the log was begun anew; no value of a resource is in them.
    """
    return {stack: _new_steps(running) for (of, stack), running in list(_running.items()) if of == run}


def interrupt(run: str) -> int:
    """Interrupt the commands of a run that this worker has under way; returns how many there are."""
    threads = {running.thread for (of, _), running in list(_running.items()) if of == run}
    return process.interrupt(threads) if threads else 0


async def clean_up(run: str, dask_worker: Worker) -> None:
    """Leave nothing of a run but its bundle, which the next one may need."""
    await asyncio.to_thread(warm.close)
    folder = Path(dask_worker.local_directory) / WORK_FOLDER / "jobs" / run
    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _environment() -> dict[str, str]:
    address = rates.relay()
    return {RATES_AT: address} if address else {}


def _folder(worker: Any, sha256: str) -> Path:
    return Path(worker.local_directory) / WORK_FOLDER / "bundles" / sha256


def _remove_unused_bundles(bundles: Path) -> None:
    """Remove the bundles that no job is in, as they are of earlier runs or waves."""
    used = {running.job.root for running in list(_running.values())}
    for folder in bundles.glob("*"):
        if not any(root.is_relative_to(folder) for root in used):
            shutil.rmtree(folder, ignore_errors=True)


def _link_environment(root: Path) -> None:
    """Make this process's environment the one that Pulumi.yaml names for the program, if it is in the folder.

    A bundle holds no environment, and a worker runs in one that has what the project needs.
    """
    project = Project.at(root)
    named = str((project.runtime_options if project else {}).get("virtualenv") or "")
    place = root / named
    if named and not Path(named).is_absolute() and ".." not in Path(named).parts and not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(sys.prefix)


def _logs(folder: Path) -> Iterator[tuple[str, bytes]]:
    for name in LOGS:
        with suppress(OSError), (folder / name).open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - MAX_LOG_BYTES))
            content = file.read()
            # A log that was cut begins with a whole line.
            yield name, content if size <= MAX_LOG_BYTES else content.partition(b"\n")[2]


def _new_steps(running: _Running) -> tuple[bool, list[str]]:
    anew = False
    steps: list[str] = []
    with suppress(OSError), running.job.log.open("rb") as file:
        if file.seek(0, 2) < running.position:  # another command has begun the log
            anew, running.position = True, 0
        file.seek(running.position)
        while len(steps) < MAX_STEPS and (line := file.readline()).endswith(b"\n"):
            running.position = file.tell()
            if step := _step(line.decode("utf-8", "replace")):
                steps.append(step)
    return anew, steps


def _step(line: str) -> str:
    """Return what the live display needs of a line of the log; nothing of one that it does not need."""
    name = next((kind for kind in event_log.STEP_EVENTS if f'"{kind}"' in line), None)
    if name is None:
        return ""
    with suppress(ValueError):
        if event := event_log.event(line).get(name):
            step = event["metadata"]
            told = {
                "metadata": {"op": step["op"], "urn": step["urn"]},
                "planning": bool(event.get("planning")),
            }
            return json.dumps({name: told})
    return ""
