"""Jobs for workers of a cluster that need no engine. A test and its jobs communicate by files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from tenantry.fleet.job import Job
from tenantry.fleet.outcome import Outcome, Trouble

GO_ON = "go-on"
SECONDS = 60.0
MADE = "urn:pulumi:acme::tenantry::pulumi-python:dynamic/qlik:Group::Analysts"
STEP = {"resourcePreEvent": {"metadata": {"op": "create", "urn": MADE, "new": {"inputs": {"x": "hidden"}}}}}


def folder_of(job: Job) -> Path:
    """Return the folder that a test shares with its jobs. Its path is in the stack file."""
    return Path(job.member.file.read_text().splitlines()[0].removeprefix("# "))


def do_well(job: Job) -> Outcome:
    """Write a line for each time that the stack is worked on."""
    with (folder_of(job) / "begun").open("a") as file:
        file.write(f"{job.member.stack}\n")
    return job.outcome(same=3)


def wait(job: Job) -> Outcome:
    """Write a step into the log, and wait until the test releases the job."""
    job.folder.mkdir(parents=True)
    job.log.write_text(f"{json.dumps(STEP)}\n")
    outcome = do_well(job)
    end = time.monotonic() + SECONDS
    while not (folder_of(job) / GO_ON).exists() and time.monotonic() < end:
        time.sleep(0.05)
    return outcome


def fail(job: Job) -> Outcome:
    """Fail with long logs and an error that names a file of the project."""
    job.folder.mkdir(parents=True)
    job.log.write_text("first\n" + "x" * 300_000 + "\nlast\n")
    (job.folder / "errors.txt").write_text(f"{job.root}: no\n")
    return job.outcome(status="failed", troubles=(Trouble("no", where=f"{job.member.file}:3"),))


def write_salt(job: Job) -> Outcome:
    """Change the stack file, as Pulumi does."""
    with job.member.file.open("a") as file:
        file.write("encryptionsalt: v1\n")
    return job.outcome()


def break_down(job: Job) -> Outcome:
    """Raise an unexpected error."""
    raise RuntimeError(f"no memory for {job.member.stack}")


def occupy(file: Path) -> None:
    """Occupy a thread until the test releases it."""
    file.touch()
    end = time.monotonic() + SECONDS
    while not (file.parent / GO_ON).exists() and time.monotonic() < end:
        time.sleep(0.05)


HOST = "register.eu.qlikcloud.com"
ASK = """
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


def ask_for_a_turn(job: Job) -> Outcome:
    """Request a turn in a subprocess of the worker, as a provider does."""
    command = [sys.executable, "-c", ASK, HOST, str(folder_of(job) / job.member.stack)]
    env = {**os.environ, **job.environment, "TENANTRY_RATE_SHARE": "0.0001"}
    subprocess.run(command, env=env, check=True)
    return job.outcome()
