"""Errors of a stack on one line each, with the next step, and with Qlik's code if the error is from Qlik."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tenantry.fleet.events import Log
from tenantry.fleet.outcome import Trouble
from tenantry.providers.framework.facts import Fact, QlikRefused
from tenantry.settings.errors import Problem, SettingsError, parse_problems
from tenantry.state.backend import redacted

PROTECTED = re.compile(r"cannot be deleted\s+because it is protected")
"""The engine's error message. A provider cannot change it. `test_fleet_trials` checks that it still
matches.
"""
IS_PROTECTED = "protected because this is a production customer"
REMOVAL_STEPS = (
    "to delete it: 1. put it back into the file, 2. set `protect: false` there and run `tenantry up`, "
    "3. remove it from the file. Have each change reviewed"
)
DESTROY_STEPS = (
    "to take the customer down: 1. set `protect: false` in its file and run `tenantry up`, "
    "2. run `tenantry destroy`. Have each change reviewed"
)
TRACEBACK = "Traceback (most recent call last):"
FRAME = re.compile(r'^ +File "(?P<file>[^"<]+)", line (?P<line>\d+)')
SUMMARY_LINE = re.compile(r"^(update|preview|destroy|refresh|import) failed\.?$")
"""The engine's last line after a failed run. It only repeats that the run has failed."""


class KnownFailure(NamedTuple):
    """A failure of the CLI that its output identifies, with the text and the advice to show instead."""

    pattern: re.Pattern[str]
    text: str
    advice: str


def _failure(pattern: str, text: str, advice: str) -> KnownFailure:
    return KnownFailure(re.compile(pattern, re.IGNORECASE | re.DOTALL), text, advice)


DISK_FULL = _failure(
    r"no space left on device|disk quota exceeded",
    "the disk is full",
    "free some space, then run it again: the state and the notes record what was done",
)
KNOWN_FAILURES = (
    DISK_FULL,
    _failure(
        r"unexpected end of JSON input|its file is [\w ]*JSON",
        "its state or its lock is incomplete, probably because the disk was full",
        "restore the previous state, see *After a full disk* in docs/backends.md",
    ),
    _failure(
        r"incorrect passphrase",
        "the passphrase is wrong",
        "set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE to the passphrase of the stack",
    ),
    _failure(
        r"passphrase must be set",
        "no passphrase is set",
        "set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE",
    ),
    _failure(
        r"currently locked by .{0,500}?created by (?P<by>\S{1,500}) .{0,100}? at (?P<at>\S+)",
        "the stack has been locked by a run of {by} since {at}",
        "wait for it; if it was killed, run `tenantry unlock {stack}`",
    ),
    _failure(
        r"currently locked|conflict: another update",
        "the stack is locked by another run",
        "wait for it; if it was killed, run `tenantry unlock {stack}`",
    ),
    _failure(
        r"version (?P<have>\S+) does not satisfy the version range \"?(?P<want>[^\"\n]+)",
        "the Pulumi CLI {have} is too old: Pulumi.yaml requires {want}",
        "upgrade it, or run `tenantry install-pulumi`",
    ),
    _failure(
        r"PULUMI_ACCESS_TOKEN must be set",
        "no backend is set",
        "run `pulumi login`, or set PULUMI_BACKEND_URL. For Pulumi Cloud, set PULUMI_ACCESS_TOKEN",
    ),
    _failure(
        r"password authentication failed|AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch|"
        r"invalid access token",
        "the backend refuses the credentials: {error}",
        "check PULUMI_BACKEND_URL and the credentials of its database or bucket",
    ),
    _failure(
        r"unable to open state directory.{0,500}?stat (?P<path>[^\n:]{1,500}): no such file or directory",
        "the backend's folder does not exist: {path}",
        "check PULUMI_BACKEND_URL; if it is right, run `mkdir -p {path}`",
    ),
    _failure(
        r"connection refused|no such host|i/o timeout|network is unreachable|unable to open state|"
        r"NoSuchBucket|could not connect|connection reset|deadline exceeded|failed to ping",
        "the backend cannot be reached: {error}",
        "check PULUMI_BACKEND_URL, and that its server is running",
    ),
    _failure(
        r"invalid YAML file: (?P<what>[^\n]+)",
        "the stack file is not valid YAML: {what}",
        "run `tenantry settings {stack}` to see the line",
    ),
    _failure(
        r"no stack named",
        "the backend does not have this stack",
        "run `tenantry up {stack}` to create it",
    ),
    _failure(
        r"no resource plugin|failed to load language plugin|could not find plugin",
        "the Pulumi CLI is incomplete: {error}",
        "run `tenantry install-pulumi` to install it with its plugins",
    ),
)


def is_protection_refusal(log: Log) -> bool:
    """Tell whether the engine refused the run because of a protected resource."""
    return any(PROTECTED.search(error.text) for error in log.errors)


def from_log(log: Log, protected: Iterable[str] = ()) -> Iterator[Trouble]:
    """Yield the errors of the engine's log, each once.

    `protected` are the known protected resources. The engine itself reports only the first ones.
    """
    seen: set[str] = set()
    refusals = [error for error in log.errors if PROTECTED.search(error.text)]
    if refusals:
        names = sorted({*(error.resource for error in refusals), *protected})
        advice = REMOVAL_STEPS if log.registered else DESTROY_STEPS
        details = "\n".join(redacted(error.text) for error in refusals)
        yield Trouble(IS_PROTECTED, ", ".join(names), advice, details=details)
    for error in log.errors:
        text = redacted(error.text)
        if text in seen or SUMMARY_LINE.match(text) or error in refusals:
            continue
        seen.add(text)
        if problems := parse_problems(text):
            for place, problem in problems:
                yield Trouble(problem, place, details=f"{place}: {problem}" if place else "")
        else:
            yield from_text(text, error.resource, error.facts)


def from_settings(error: SettingsError) -> Iterator[Trouble]:
    """Yield the problems of a stack file and its plans."""
    return map(from_problem, error.problems)


def from_problem(problem: Problem) -> Trouble:
    """Return one problem of a stack file or plan."""
    place = f"{problem.file}:{problem.line}" if problem.line else problem.file
    text = f"{problem.path}: {problem.text}" if problem.path else problem.text
    return Trouble(text, place, details=str(problem))


def from_text(text: str, resource: str = "", facts: Iterable[Fact] = ()) -> Trouble:
    """Return a provider's error: its first line, Qlik's code, and the rest as the advice."""
    if DISK_FULL.pattern.search(text):
        return Trouble(DISK_FULL.text, resource, DISK_FULL.advice, details=text)
    if TRACEBACK in text:
        return _of_traceback(text, resource)
    first, _, rest = text.partition("\n")
    refusal = next((fact for fact in facts if isinstance(fact, QlikRefused)), None)
    return Trouble(
        text=first.strip(),
        where=resource,
        advice=" ".join(rest.split()),
        code=(refusal.code or refusal.status) if refusal else "",
        trace_id=refusal.trace_id if refusal else "",
        details=text,
    )


def _of_traceback(text: str, resource: str) -> Trouble:
    """Return an exception of the program, with the place in the code where it was raised."""
    lines = text.splitlines()
    last_frame = max((number for number, line in enumerate(lines) if FRAME.match(line)), default=0)
    exception_line = next(
        (line for line in lines[last_frame:] if line.strip() and not line[0].isspace()), lines[0]
    )
    frame = FRAME.match(lines[last_frame])
    where = resource or (f"{frame['file']}:{frame['line']}" if frame else "")
    return Trouble(f"the program failed: {exception_line.strip()}", where, details=text)


def from_command(stack: str, stderr: str, code: int | None) -> Trouble:
    """Return the error of a `pulumi` command, from its output on standard error."""
    text = redacted(stderr.strip())
    error = _first_error(text)
    for failure in KNOWN_FAILURES:
        if match := failure.pattern.search(text):
            groups = {key: value.strip() for key, value in match.groupdict().items() if value}
            values = {"stack": stack, "error": error, **groups}
            return Trouble(
                failure.text.format(**values), advice=failure.advice.format(**values), details=text
            )
    if not text:
        return Trouble(f"`pulumi` ended with exit code {code} and printed no error")
    return Trouble(error, details=text)


def _first_error(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    first = next((line for line in lines if line.startswith("error:")), lines[0] if lines else "")
    return first.removeprefix("error:").strip()
