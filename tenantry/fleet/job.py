"""The work on one stack, as plain data for any worker, and the function that does it."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from tenantry.fleet import events, process, scratch, troubles
from tenantry.fleet.members import Member
from tenantry.fleet.outcome import Operation, Outcome, Trouble
from tenantry.fleet.unchanged import lookup
from tenantry.fleet.unchanged.lookup import Verdict
from tenantry.fleet.warm import hosts as warm_hosts
from tenantry.fleet.warm import providers as warm_providers
from tenantry.providers.framework.facts import RENEW, NothingCreated, TenantDeactivated, revive_line
from tenantry.pulumi_internals.commands import NO_SUCH_STACK, find_pulumi
from tenantry.pulumi_internals.deployment import resources
from tenantry.pulumi_internals.environment import EVENT_LOG, REFRESH
from tenantry.state.backend import Backend, PulumiFailed, StateRefused, redacted

DEFAULT_TIMEOUT_SECONDS = 3600.0
"""The time limit for the work on one stack."""

QUIET_OPTIONS = ("--non-interactive", "--color", "never", "--suppress-progress", "--suppress-outputs")
SKIP_PREVIEW_OPTIONS = ("--skip-preview", "--yes")
COMMANDS: dict[Operation, tuple[str, ...]] = {
    "up": ("up", "--yes"),
    "refresh": ("refresh", *SKIP_PREVIEW_OPTIONS),
    "destroy": ("destroy", *SKIP_PREVIEW_OPTIONS),
}
TABLE_RACE_ERROR = "pg_type_typname_nsp_index"
"""A part of the error message if two `pulumi` processes create their table in Postgres at the same time."""

PREVIEWS: dict[Operation, tuple[str, ...]] = {"up": ("preview",), "destroy": ("destroy", "--preview-only")}
"""The commands that preview an operation."""

NEVER_UP_REMARK = "it has never been up"
NEW_SALT_REMARK = "Pulumi has written an encryption salt into the stack file: commit the file"


@dataclass(frozen=True)
class Job:
    """The work on one stack of the project in the folder `root`.

    `folder` is for the logs of this job. `arguments` are added to the command, and `environment` is added to
    the environment of the worker. `seconds` is the time limit for the job. `previewed` is the operation that
    a preview shows. `engine`: run `pulumi` even if nothing changes. `wave` is the name of its wave.
    """

    operation: Operation
    member: Member
    project: str
    root: Path
    folder: Path
    arguments: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    seconds: float = DEFAULT_TIMEOUT_SECONDS
    previewed: Operation = "up"
    engine: bool = False
    wave: str = ""

    @property
    def command(self) -> tuple[str, ...]:
        """The `pulumi` command, without the stack."""
        return PREVIEWS[self.previewed] if self.operation == "preview" else COMMANDS[self.operation]

    @property
    def previews_up(self) -> bool:
        """Whether this is the preview of an `up`. The stack of a new customer does not exist yet."""
        return self.operation == "preview" and self.previewed == "up"

    @property
    def refreshes_first(self) -> bool:
        """Whether a preview or an `up` first reads all resources at Qlik.

        An option or an environment variable requests this.
        """
        return "--refresh" in self.arguments or REFRESH in {**os.environ, **self.environment}

    @property
    def log(self) -> Path:
        """The engine's event log, which grows while the job runs."""
        return self.folder / "events.json"

    def outcome(self, **properties: object) -> Outcome:
        """Return an outcome of this job."""
        member = self.member
        base = Outcome(
            stack=member.stack,
            operation=self.operation,
            status="ok",
            customer=member.customer,
            plan=member.plan,
            ring=member.ring,
            tags=dict(member.tags),
            pinned=member.pinned,
            settings=member.digest,
        )
        return replace(base, **properties)  # type: ignore[arg-type]


def run_job(job: Job) -> Outcome:
    """Do the work on one stack and return its outcome. Reports errors as troubles and raises none."""
    started = time.monotonic()
    try:
        outcome = _outcome(job)
    except OSError as error:
        trouble = troubles.from_command(
            job.member.stack, f"{error.filename or job.folder}: {error.strerror}", None
        )
        outcome = job.outcome(status="failed", troubles=(trouble,))
    logs = str(job.folder) if outcome.failed and job.folder.is_dir() else ""
    return replace(outcome, seconds=round(time.monotonic() - started, 2), logs=logs)


def _outcome(job: Job) -> Outcome:
    if job.member.broken:
        return job.outcome(status="failed", troubles=tuple(troubles.from_settings(job.member.broken)))
    if find_pulumi() is None:
        trouble = Trouble("`pulumi` is not on PATH", advice="run `tenantry install-pulumi`")
        return job.outcome(status="failed", troubles=(trouble,))
    verdict = _compare(job)
    if verdict.same is not None:
        return job.outcome(same=verdict.same, exit_code=0)
    job.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    had_salt = scratch.has_salt(job.member.file)
    secrets = _Secrets(job, verdict)
    outcome = _run_operation(job)
    secrets.remember(outcome)
    if not had_salt and scratch.has_salt(job.member.file):
        outcome = replace(outcome, remarks=(*outcome.remarks, NEW_SALT_REMARK))
    return outcome


def _is_comparable(job: Job) -> bool:
    """Tell whether `pulumi` would do nothing but compare the stack with its state.

    With any argument other than `--skip-preview`, it does more.
    """
    compares = job.previews_up or job.operation == "up"
    return compares and set(job.arguments) <= {"--skip-preview"} and scratch.has_salt(job.member.file)


def _compare(job: Job) -> Verdict:
    """Compare a stack with its state. The verdict counts the resources only if nothing can change."""
    if job.engine or not _is_comparable(job):
        return Verdict(None)
    member, environment = job.member, {**os.environ, **job.environment}
    return lookup.compare(job.root, member.stack, member.file, environment, preview=job.previews_up)


class _Secrets:
    """The secrets of a stack before and after an `up`. Only the engine can decrypt them.

    After an `up`, the state has the secrets of the files. This class records that, so that the next
    comparison needs no engine. A preview is no proof, because the engine does not report a changed secret
    that is only an output of the stack.
    """

    def __init__(self, job: Job, verdict: Verdict) -> None:
        self._job = job
        compares = job.operation == "up" and _is_comparable(job)
        has_some = compares and (verdict.assumed or b"secure:" in job.member.file.read_bytes())
        self._read = self._files() if has_some else ()

    def remember(self, outcome: Outcome) -> None:
        """Remember the secrets of a successful `up`, unless the files have changed since."""
        job, member = self._job, self._job.member
        if not self._read or outcome.status != "ok":
            return
        environment = {**os.environ, **job.environment}
        with suppress(OSError):
            if self._files() == self._read:
                lookup.remember(job.root, member.stack, member.file, environment)

    def _files(self) -> tuple[bytes, ...]:
        # A theme is a folder. It has no secrets of the stack.
        return tuple(file.read_bytes() for file in self._job.member.files if not file.is_dir())


def _run_operation(job: Job) -> Outcome:
    """Run the command for the stack, and create the stack if needed. After an interrupt, start no command."""
    if trouble := _state_refused(job):
        return job.outcome(status="failed", troubles=(trouble,))
    result = _first_run(job)
    if result.interrupted:
        return _result(job, result)
    if job.operation == "up" and result.code and (proof := _unused_proof(job)):
        # It is certain that no tenant was created under this proof. Renew the proof and create the tenant.
        result = _up(job, (), {RENEW: proof})
    if result.code != NO_SUCH_STACK:
        return _result(job, result)
    if job.previews_up:
        environment, arguments = scratch.empty_stack(job.member, job.project, job.folder)
        return replace(_result(job, _preview(job, arguments, environment)), new=True)
    if job.operation == "up":
        return replace(_create_and_run(job), new=True)
    return job.outcome(status="skipped", remarks=(NEVER_UP_REMARK,))


def _state_refused(job: Job) -> Trouble | None:
    """Return why the engine must not run on the state, for commands that start from the state.

    An `up` starts from the program, and there the provider process refuses foreign code.
    """
    if job.operation not in ("refresh", "destroy") and not job.refreshes_first:
        return None
    try:
        Backend(job.root, job.environment).state(job.member.stack)
    except StateRefused as refused:
        return Trouble(str(refused))
    except (PulumiFailed, OSError, ValueError):
        return None  # the next command reports the error
    return None


def _create_and_run(job: Job) -> Outcome:
    """Create the stack, then run the command for it."""
    creation = _run(job, ("stack", "init", job.member.stack, "--no-select", "--non-interactive"), {})
    if creation.interrupted and not creation.code:
        text = "it was interrupted after the stack was created, before its first `up`"
        return job.outcome(status="interrupted", troubles=(Trouble(text, advice="run it again"),))
    return _result(job, creation if creation.code else _up(job, (), {}))


def _unused_proof(job: Job) -> str:
    """Return the proof if an `up` found that no tenant was created under it, or an empty string."""
    facts = (fact for error in events.read(job.log).errors for fact in error.facts)
    return next((fact.proof for fact in facts if isinstance(fact, NothingCreated)), "")


def _first_run(job: Job) -> process.CommandResult:
    """Run the command for the first time. It is still unknown whether the backend has the stack."""
    run = _preview if job.previews_up else _up if job.operation == "up" else _pulumi
    return run(job, _config_file(job), {})


def _preview(job: Job, arguments: Sequence[str], environment: Mapping[str, str]) -> process.CommandResult:
    """Run a preview with a running language host and, if it sends no request to Qlik, a running provider.

    If it fails, run it again with its own processes, so that no error comes from the shared ones.
    """
    with ExitStack() as stack:
        shared = dict(stack.enter_context(_host(job, environment)))
        if not job.refreshes_first:
            shared |= stack.enter_context(warm_providers.provider(job.root))
        result = _pulumi(job, arguments, {**environment, **shared})
    if result.code in (0, NO_SUCH_STACK, None) or not shared or result.interrupted:
        return result
    return _pulumi(job, arguments, environment)


def _up(job: Job, arguments: Sequence[str], environment: Mapping[str, str]) -> process.CommandResult:
    """Run an `up` with a running language host. It has its own provider, which ends with its engine.

    A failed `up` is not repeated, because a second run could send the same requests again.
    """
    with _host(job, environment) as host:
        return _pulumi(job, arguments, {**environment, **host})


def _host(job: Job, environment: Mapping[str, str]) -> AbstractContextManager[Mapping[str, str]]:
    return warm_hosts.host(job.root, _environment(job, environment), job.seconds)


def _config_file(job: Job) -> tuple[str, ...]:
    """Return the option for the stack file of a preview, if it needs a copy.

    A preview must change nothing, but Pulumi writes a salt into a stack file that has none.
    """
    if job.operation != "preview" or scratch.has_salt(job.member.file):
        return ()
    return ("--config-file", str(shutil.copy(job.member.file, job.folder)))


def _pulumi(job: Job, arguments: Sequence[str], environment: Mapping[str, str]) -> process.CommandResult:
    job.log.unlink(missing_ok=True)
    command = (*job.command, "--stack", job.member.stack, "--event-log", str(job.log), *QUIET_OPTIONS)
    return _run(job, (*command, *arguments, *job.arguments), environment)


def _run(job: Job, arguments: Sequence[str], environment: Mapping[str, str]) -> process.CommandResult:
    """Run a command. Repeat it if it failed because another process created the table of a new database."""
    result = _once(job, arguments, environment)
    if (
        result.code
        and not result.interrupted
        and TABLE_RACE_ERROR in _errors(job).read_text("utf-8", "replace")
    ):
        return _once(job, arguments, environment)
    return result


def _errors(job: Job) -> Path:
    return job.folder / "errors.txt"


def _environment(job: Job, additional: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for the job's `pulumi`."""
    return {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true", **EVENT_LOG, **job.environment, **additional}


def _once(job: Job, arguments: Sequence[str], environment: Mapping[str, str]) -> process.CommandResult:
    return process.run(
        [find_pulumi() or "pulumi", *arguments],
        cwd=str(job.root),
        env=_environment(job, environment),
        output=job.folder / "output.txt",
        errors=_errors(job),
        seconds=job.seconds,
    )


def _hide_secrets(job: Job) -> None:
    """Remove the secrets in addresses from the logs, which are kept for a failed stack."""
    for file in (job.log, job.folder / "output.txt", job.folder / "errors.txt"):
        with suppress(OSError):
            text = file.read_text("utf-8", "replace")
            if text != (clean := redacted(text)):
                file.write_text(clean, "utf-8")


def _clear_finished_operations(job: Job) -> None:
    """Remove the interrupted creates of an earlier run from the state if it has their resources.

    Otherwise Pulumi keeps them, with a warning in each run, until a `refresh` clears them.
    """
    with suppress(PulumiFailed):
        Backend(job.root, job.environment).clear_finished_operations(job.member.stack)


def _protected(job: Job, log: events.Log) -> list[str]:
    """Return all protected resources that a refused run would delete. The engine reports only the first ones.

    Returns an empty list if the engine did not reach the deletes, because then they are unknown.
    """
    if not (log.deleting and troubles.is_protection_refusal(log)):
        return []
    try:
        state = Backend(job.root, job.environment).state(job.member.stack)
    except PulumiFailed:
        return []
    protected = [
        resource["urn"]
        for resource in resources(state)
        if resource.get("protect") and resource["urn"] not in log.registered
    ]
    return sorted(map(events.short_name, protected))


def _result(job: Job, result: process.CommandResult) -> Outcome:
    """Return the outcome, from the engine's log or, if that has no error, from the output of the CLI."""
    log = events.read(job.log)
    if job.operation != "preview" and log.planned:  # the preview of the command failed, so nothing changed
        log.changes = []
    if job.operation == "refresh":
        log.changes, log.drift = [], log.changes
    deactivated = next((fact for fact in log.facts if isinstance(fact, TenantDeactivated)), None)
    outcome = job.outcome(
        exit_code=result.code,
        changes=tuple(sorted(log.changes, key=lambda change: (change.kind, change.name))),
        drift=tuple(sorted(log.drift, key=lambda change: (change.kind, change.name))),
        same=log.same,
        remarks=tuple(log.remarks),
        revive=revive_line(deactivated.hostname, deactivated.tenant_id) if deactivated else "",
        purged_on=deactivated.purge_on if deactivated else "",
    )
    if result.code == 0:
        job.log.unlink(missing_ok=True)  # it can be long, and only failures need it
        if log.cut_off and job.operation == "up":
            _clear_finished_operations(job)
        return outcome
    errors = tuple(troubles.from_log(log, _protected(job, log)))
    if result.code is None:
        text = f"it was interrupted because it took longer than {job.seconds:g} s"
        errors = (Trouble(text, advice="run it again: the next run continues"), *errors)
    if not errors:
        stderr = _errors(job).read_text("utf-8", "replace")
        errors = (troubles.from_command(job.member.stack, stderr, result.code),)
    _hide_secrets(job)
    return replace(outcome, status="interrupted" if result.interrupted else "failed", troubles=errors)
