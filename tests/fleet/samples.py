"""Members and jobs for tests without a project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tenantry.fleet.job import Job
from tenantry.fleet.members import Member
from tenantry.fleet.outcome import Outcome, Trouble

NOWHERE = Path("nowhere")


def member(stack: str, **fields: Any) -> Member:
    """Return a member without a project."""
    return Member(stack, NOWHERE / f"Pulumi.{stack}.yaml", **{"digest": "d1", **fields})


def job(stack: str, folder: Path = NOWHERE, **options: Any) -> Job:
    """Return a job for a stack without a project."""
    return Job("up", member(stack), "tenantry", NOWHERE, folder / stack, **options)


def succeed(job: Job) -> Outcome:
    """Succeed with every job."""
    return job.outcome(same=3)


def fail_bad_stacks(job: Job) -> Outcome:
    """Fail for stacks whose name starts with "bad", and raise an unexpected error for the stack "lost"."""
    if job.member.stack == "lost":
        raise RuntimeError("out of memory")
    if job.member.stack.startswith("bad"):
        return job.outcome(status="failed", troubles=(Trouble("no"),))
    return job.outcome()
