"""The work on one stack: plain data that may be sent to any worker, and what a worker does with it."""

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
from tenantry.providers.framework.facts import RENEW, NothingMade, TenantDeactivated, revive_line
from tenantry.pulumi_internals.commands import NO_SUCH_STACK, find_pulumi
from tenantry.pulumi_internals.deployment import resources
from tenantry.pulumi_internals.environment import EVENT_LOG, REFRESH
from tenantry.state.backend import Backend, PulumiFailed, StateRefused, redacted

DEFAULT_TIMEOUT_SECONDS = 3600.0
"""The longest that the work on one stack may take."""

QUIET_OPTIONS = ("--non-interactive", "--color", "never", "--suppress-progress", "--suppress-outputs")
SKIP_PREVIEW_OPTIONS = ("--skip-preview", "--yes")
COMMANDS: dict[Operation, tuple[str, ...]] = {
    "up": ("up", "--yes"),
    "refresh": ("refresh", *SKIP_PREVIEW_OPTIONS),
    "destroy": ("destroy", *SKIP_PREVIEW_OPTIONS),
}
TABLE_RACE_ERROR = "pg_type_typname_nsp_index"
"""What is in the error of a `pulumi` that made its table in Postgres at the same time as another one."""

PREVIEWS: dict[Operation, tuple[str, ...]] = {"up": ("preview",), "destroy": ("destroy", "--preview-only")}
"""The commands that show what another would do."""

NEVER_UP_REMARK = "it has never been up"
NEW_SALT_REMARK = "Pulumi has written into the stack file how secrets are encrypted: commit it"


@dataclass(frozen=True)
class Job:
    """What is to be done with one stack of the project in the folder `root`.

    `folder` is the job's own, for its logs. `arguments` are added to the command, `environment` to that of
    the worker. `seconds` is the longest that it may take. `previewed`: of a preview, what it is one of.
    `engine`: run `pulumi` even where nothing would change. `wave` is the name of the wave that it is in.
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
        """The `pulumi` command, as far as the stack is no matter."""
        return PREVIEWS[self.previewed] if self.operation == "preview" else COMMANDS[self.operation]

    @property
    def previews_up(self) -> bool:
        """Whether it is the preview of an `up`, by which a new customer has no stack yet."""
        return self.operation == "preview" and self.previewed == "up"

    @property
    def refreshes_first(self) -> bool:
        """Whether a preview or an `up` has the providers read all resources first; the environment may say
        so, too.
        """
        return "--refresh" in self.arguments or REFRESH in {**os.environ, **self.environment}

    @property
    def log(self) -> Path:
        """The engine's event log, which grows while the job runs."""
        return self.folder / "events.json"

    def outcome(self, **more: object) -> Outcome:
        """Return an outcome of this job."""
        member = self.member
        known = Outcome(
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
        return replace(known, **more)  # type: ignore[arg-type]


def run_job(job: Job) -> Outcome:
    """Do the work on one stack and return what became of it; nothing that goes wrong is raised."""
    started = time.monotonic()
    try:
        outcome = _carried_out(job)
    except OSError as error:
        trouble = troubles.from_command(
            job.member.stack, f"{error.filename or job.folder}: {error.strerror}", None
        )
        outcome = job.outcome(status="failed", troubles=(trouble,))
    logs = str(job.folder) if outcome.failed and job.folder.is_dir() else ""
    return replace(outcome, seconds=round(time.monotonic() - started, 2), logs=logs)


def _carried_out(job: Job) -> Outcome:
    if job.member.broken:
        return job.outcome(status="failed", troubles=tuple(troubles.from_settings(job.member.broken)))
    if find_pulumi() is None:
        trouble = Trouble("there is no `pulumi` on PATH", advice="install it with `tenantry install-pulumi`")
        return job.outcome(status="failed", troubles=(trouble,))
    verdict = _compared(job)
    if verdict.same is not None:
        return job.outcome(same=verdict.same, exit_code=0)
    job.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    had_salt = scratch.has_salt(job.member.file)
    secrets = _Secrets(job, verdict)
    outcome = _done(job)
    secrets.remember(outcome)
    if not had_salt and scratch.has_salt(job.member.file):
        outcome = replace(outcome, remarks=(*outcome.remarks, NEW_SALT_REMARK))
    return outcome


def _may_be_compared(job: Job) -> bool:
    """Tell whether `pulumi` would do no more than to compare a stack that has a state.

    With any argument but the one that leaves out the preview it does more.
    """
    compares = job.previews_up or job.operation == "up"
    return compares and set(job.arguments) <= {"--skip-preview"} and scratch.has_salt(job.member.file)


def _compared(job: Job) -> Verdict:
    """Return how many resources stay, where it is certain that `pulumi` would find nothing to do."""
    if job.engine or not _may_be_compared(job):
        return Verdict(None)
    member, environment = job.member, {**os.environ, **job.environment}
    return lookup.compare(job.root, member.stack, member.file, environment, preview=job.previews_up)


class _Secrets:
    """The secrets of a stack before and after an `up`: only the engine can decrypt them.

    After an `up` the state has the secrets of the files. That is remembered, so that the next comparison
    needs no engine. A preview proves less: the engine does not report a changed secret that is an output of
    the stack alone.
    """

    def __init__(self, job: Job, verdict: Verdict) -> None:
        self._job = job
        compares = job.operation == "up" and _may_be_compared(job)
        has_some = compares and (verdict.assumed or b"secure:" in job.member.file.read_bytes())
        self._read = self._files() if has_some else ()

    def remember(self, outcome: Outcome) -> None:
        """Remember the secrets of an `up` that went well, unless the files have changed meanwhile."""
        job, member = self._job, self._job.member
        if not self._read or outcome.status != "ok":
            return
        environment = {**os.environ, **job.environment}
        with suppress(OSError):
            if self._files() == self._read:
                lookup.remember(job.root, member.stack, member.file, environment)

    def _files(self) -> tuple[bytes, ...]:
        # The folder of a theme has no secret of a stack in it.
        return tuple(file.read_bytes() for file in self._job.member.files if not file.is_dir())


def _done(job: Job) -> Outcome:
    """Run the command for the stack, which may have to be made. What is interrupted begins no other one."""
    if trouble := _state_refused(job):
        return job.outcome(status="failed", troubles=(trouble,))
    ended = _first(job)
    if ended.interrupted:
        return _result(job, ended)
    if job.operation == "up" and ended.code and (proof := _unused_proof(job)):
        # It is certain that no tenant was made under this very proof: have it renewed, and one made.
        ended = _up(job, (), {RENEW: proof})
    if ended.code != NO_SUCH_STACK:
        return _result(job, ended)
    if job.previews_up:
        alone, arguments = scratch.empty_stack(job.member, job.project, job.folder)
        return replace(_result(job, _preview(job, arguments, alone)), new=True)
    if job.operation == "up":
        return replace(_made(job), new=True)
    return job.outcome(status="skipped", remarks=(NEVER_UP_REMARK,))


def _state_refused(job: Job) -> Trouble | None:
    """Return why the engine must not run on the state, where it begins with what the state names.

    In an `up` it begins with the program instead, and the provider process itself refuses what is not ours.
    """
    if job.operation not in ("refresh", "destroy") and not job.refreshes_first:
        return None
    try:
        Backend(job.root, job.environment).state(job.member.stack)
    except StateRefused as refused:
        return Trouble(str(refused))
    except (PulumiFailed, OSError, ValueError):
        return None  # the command that follows says it itself
    return None


def _made(job: Job) -> Outcome:
    """Make the stack, then run the command for it."""
    begun = _run(job, ("stack", "init", job.member.stack, "--no-select", "--non-interactive"), {})
    if begun.interrupted and not begun.code:
        text = "it was interrupted when there was no more than the stack"
        return job.outcome(status="interrupted", troubles=(Trouble(text, advice="run it again"),))
    return _result(job, begun if begun.code else _up(job, (), {}))


def _unused_proof(job: Job) -> str:
    """Return the proof under which an `up` has found that nothing was made; nothing if it failed for other
    reasons.
    """
    told = (fact for said in events.read(job.log).errors for fact in said.facts)
    return next((fact.proof for fact in told if isinstance(fact, NothingMade)), "")


def _first(job: Job) -> process.CommandResult:
    """Run the command as if the backend had the stack."""
    run = _preview if job.previews_up else _up if job.operation == "up" else _pulumi
    return run(job, _config_file(job), {})


def _preview(job: Job, arguments: Sequence[str], environment: Mapping[str, str]) -> process.CommandResult:
    """Run a preview with a host that runs already, and such a provider if it asks Qlik for nothing.

    What fails is looked at once more with processes of its own: no failure is one of what is shared.
    """
    with ExitStack() as kept:
        shared = dict(kept.enter_context(_host(job, environment)))
        if not job.refreshes_first:
            shared |= kept.enter_context(warm_providers.provider(job.root))
        ended = _pulumi(job, arguments, {**environment, **shared})
    if ended.code in (0, NO_SUCH_STACK, None) or not shared or ended.interrupted:
        return ended
    return _pulumi(job, arguments, environment)


def _up(job: Job, arguments: Sequence[str], environment: Mapping[str, str]) -> process.CommandResult:
    """Run an `up` with a host that runs already. Its provider is its own, and ends with its engine.

    A failure stays as it is: a second run could send once more what the first one has sent.
    """
    with _host(job, environment) as host:
        return _pulumi(job, arguments, {**environment, **host})


def _host(job: Job, environment: Mapping[str, str]) -> AbstractContextManager[Mapping[str, str]]:
    return warm_hosts.host(job.root, _environment(job, environment), job.seconds)


def _config_file(job: Job) -> tuple[str, ...]:
    """Return where a preview shall take the stack file from, if not from its place.

    It would write a salt into one that has none, and a preview is to change nothing.
    """
    if job.operation != "preview" or scratch.has_salt(job.member.file):
        return ()
    return ("--config-file", str(shutil.copy(job.member.file, job.folder)))


def _pulumi(job: Job, arguments: Sequence[str], environment: Mapping[str, str]) -> process.CommandResult:
    job.log.unlink(missing_ok=True)
    command = (*job.command, "--stack", job.member.stack, "--event-log", str(job.log), *QUIET_OPTIONS)
    return _run(job, (*command, *arguments, *job.arguments), environment)


def _run(job: Job, arguments: Sequence[str], environment: Mapping[str, str]) -> process.CommandResult:
    """Run a command; once more if all that failed was the first connection to a new database."""
    ended = _once(job, arguments, environment)
    if (
        ended.code
        and not ended.interrupted
        and TABLE_RACE_ERROR in _errors(job).read_text("utf-8", "replace")
    ):
        return _once(job, arguments, environment)
    return ended


def _errors(job: Job) -> Path:
    return job.folder / "errors.txt"


def _environment(job: Job, more: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the job's `pulumi`."""
    return {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true", **EVENT_LOG, **job.environment, **more}


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
    """Take the secrets in addresses out of the logs, which stay where something failed."""
    for file in (job.log, job.folder / "output.txt", job.folder / "errors.txt"):
        with suppress(OSError):
            text = file.read_text("utf-8", "replace")
            if text != (shown := redacted(text)):
                file.write_text(shown, "utf-8")


def _settle(job: Job) -> None:
    """Take the creates that an earlier run was cut off at out of the state, as far as it has what they made.

    Pulumi keeps them, with a warning in each run, until a `refresh` that is told to forget them.
    """
    with suppress(PulumiFailed):
        Backend(job.root, job.environment).settle(job.member.stack)


def _protected(job: Job, log: events.Log) -> list[str]:
    """Return all that a refused run would delete and that is protected: the engine stops at the first ones.

    What the state has and the program has not is known once the engine has come to the deletions.
    """
    if not (log.deleting and troubles.is_protection_refusal(log)):
        return []
    try:
        state = Backend(job.root, job.environment).state(job.member.stack)
    except PulumiFailed:
        return []
    gone = [
        resource["urn"]
        for resource in resources(state)
        if resource.get("protect") and resource["urn"] not in log.kept
    ]
    return sorted(map(events.short_name, gone))


def _result(job: Job, ended: process.CommandResult) -> Outcome:
    """Return what became of it, by the engine's log and, where that says nothing, by what the CLI printed."""
    log = events.read(job.log)
    if job.operation != "preview" and log.planned:  # the command's own preview failed: nothing was done
        log.changes = []
    if job.operation == "refresh":
        log.changes, log.drift = [], log.changes
    gone = next((fact for fact in log.facts if isinstance(fact, TenantDeactivated)), None)
    outcome = job.outcome(
        exit_code=ended.code,
        changes=tuple(sorted(log.changes, key=lambda change: (change.kind, change.name))),
        drift=tuple(sorted(log.drift, key=lambda change: (change.kind, change.name))),
        same=log.same,
        remarks=tuple(log.remarks),
        revive=revive_line(gone.hostname, gone.tenant_id) if gone else "",
        purged_on=gone.purge_on if gone else "",
    )
    if ended.code == 0:
        job.log.unlink(missing_ok=True)  # it may be long, and is of no more use
        if log.cut_off and job.operation == "up":
            _settle(job)
        return outcome
    told = tuple(troubles.from_log(log, _protected(job, log)))
    if ended.code is None:
        late = Trouble(f"no end after {job.seconds:g} s", advice="it was interrupted; the next run goes on")
        told = (late, *told)
    if not told:
        printed = _errors(job).read_text("utf-8", "replace")
        told = (troubles.from_command(job.member.stack, printed, ended.code),)
    _hide_secrets(job)
    return replace(outcome, status="interrupted" if ended.interrupted else "failed", troubles=told)
