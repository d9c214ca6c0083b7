"""Members and jobs for tests that need no project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tenantry.fleet.job import Job
from tenantry.fleet.members import Member
from tenantry.fleet.outcome import Outcome, Trouble

NOWHERE = Path("nowhere")


def member(stack: str, **more: Any) -> Member:
    """A member that is in no project."""
    return Member(stack, NOWHERE / f"Pulumi.{stack}.yaml", **{"digest": "d1", **more})


def job(stack: str, folder: Path = NOWHERE, **more: Any) -> Job:
    """A job for a stack that is in no project."""
    return Job("up", member(stack), "tenantry", NOWHERE, folder / stack, **more)


def do_well(job: Job) -> Outcome:
    """A worker for which all goes well."""
    return job.outcome(same=3)


def fail_where_asked(job: Job) -> Outcome:
    """A worker that fails for stacks whose name begins with "bad", and is lost with one called "lost"."""
    if job.member.stack == "lost":
        raise RuntimeError("out of memory")
    if job.member.stack.startswith("bad"):
        return job.outcome(status="failed", troubles=(Trouble("no"),))
    return job.outcome()
