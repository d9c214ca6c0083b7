"""Jobs for the workers of a cluster. They need no engine, and communicate with their test by files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from tenantry.fleet.job import Job
from tenantry.fleet.outcome import Outcome, Trouble

STARTED_FILE = "started"
"""The file with a line per started job."""

RELEASE_FILE = "release"
"""The file whose creation releases the jobs that wait."""

TIMEOUT_SECONDS = 60.0
CREATED_URN = "urn:pulumi:acme::tenantry::pulumi-python:dynamic/qlik:Group::Analysts"
STEP_EVENT = {
    "resourcePreEvent": {"metadata": {"op": "create", "urn": CREATED_URN, "new": {"inputs": {"x": "hidden"}}}}
}


def folder_of(job: Job) -> Path:
    """Return the folder that a test shares with its jobs. Its path is in the stack file."""
    return Path(job.member.file.read_text().splitlines()[0].removeprefix("# "))


def succeed(job: Job) -> Outcome:
    """Succeed, and write the stack into the file of started jobs."""
    with (folder_of(job) / STARTED_FILE).open("a") as file:
        file.write(f"{job.member.stack}\n")
    return job.outcome(same=3)


def wait(job: Job) -> Outcome:
    """Write a step into the log, and wait until the test releases the job.

    Give up after `TIMEOUT_SECONDS`.
    """
    job.folder.mkdir(parents=True)
    job.log.write_text(f"{json.dumps(STEP_EVENT)}\n")
    outcome = succeed(job)
    end = time.monotonic() + TIMEOUT_SECONDS
    while not (folder_of(job) / RELEASE_FILE).exists() and time.monotonic() < end:
        time.sleep(0.05)
    return outcome


def fail(job: Job) -> Outcome:
    """Fail with long logs and an error that names a file of the project."""
    job.folder.mkdir(parents=True)
    job.log.write_text("first\n" + "x" * 300_000 + "\nlast\n")
    (job.folder / "errors.txt").write_text(f"{job.root}: no\n")
    return job.outcome(status="failed", troubles=(Trouble("no", where=f"{job.member.file}:3"),))


def write_salt(job: Job) -> Outcome:
    """Add a salt to the stack file, as Pulumi does."""
    with job.member.file.open("a") as file:
        file.write("encryptionsalt: v1\n")
    return job.outcome()


def raise_error(job: Job) -> Outcome:
    """Raise an unexpected error in the worker."""
    raise RuntimeError(f"no memory for {job.member.stack}")


def occupy(file: Path) -> None:
    """Create this file, and occupy a thread until the test releases it."""
    file.touch()
    end = time.monotonic() + TIMEOUT_SECONDS
    while not (file.parent / RELEASE_FILE).exists() and time.monotonic() < end:
        time.sleep(0.05)


HOST = "register.eu.qlikcloud.com"
REQUEST_TURN_SCRIPT = """
import json, os, sys
from pathlib import Path
from tenantry.providers.qlik import Cloud
from tenantry.providers.qlik.deadlines import Deadline

at = os.environ["TENANTRY_RATES_AT"]
governor = Cloud(os.environ)._calls._governor
turn = governor.turn(sys.argv[1], "tier 2", Deadline(1e6))
governor.answered(sys.argv[1], "tier 2", governor.confirmed(sys.argv[1], "tier 2", turn, Deadline(1e6)))
Path(sys.argv[2]).write_text(json.dumps({"seconds": turn.seconds, "at": at}))
"""


def request_turn(job: Job) -> Outcome:
    """Request a turn from the rate limiter in a subprocess of the worker, as a provider does."""
    command = [sys.executable, "-c", REQUEST_TURN_SCRIPT, HOST, str(folder_of(job) / job.member.stack)]
    env = {**os.environ, **job.environment, "TENANTRY_RATE_SHARE": "0.0001"}
    subprocess.run(command, env=env, check=True)
    return job.outcome()
