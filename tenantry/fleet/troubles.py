"""What went wrong with one stack, told in a line: what it was, Qlik's code if it was Qlik, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tenantry.fleet.events import Log
from tenantry.fleet.outcome import Trouble
from tenantry.providers.framework.facts import Fact, QlikRefused
from tenantry.settings.errors import Problem, SettingsError, problems_told
from tenantry.state.backend import redacted

PROTECTED = re.compile(r"cannot be deleted\s+because it is protected")
"""The engine's own words, which no provider can have it say otherwise; `test_fleet_trials` has the engine say
them."""
IS_PROTECTED = "protected, as a production customer is"
REMOVAL_STEPS = (
    "if it is to go: put it back into the file, take the protection off there with an `up` "
    "(`protect: false`), and then take it out; each reviewed, as any change"
)
DESTROY_STEPS = (
    "if the customer is to go: `protect: false` in its file and an `up`, each reviewed, then `destroy`"
)
TRACEBACK = "Traceback (most recent call last):"
FRAME = re.compile(r'^ +File "(?P<file>[^"<]+)", line (?P<line>\d+)')
SUMMARY_LINE = re.compile(r"^(update|preview|destroy|refresh|import) failed\.?$")
"""What the engine says at the end of a run in which something else has failed."""


class KnownFailure(NamedTuple):
    """A failure of the CLI itself that is known by its words, and what to say instead."""

    pattern: re.Pattern[str]
    text: str
    advice: str


def _known(pattern: str, text: str, advice: str) -> KnownFailure:
    return KnownFailure(re.compile(pattern, re.IGNORECASE | re.DOTALL), text, advice)


DISK_FULL = _known(
    r"no space left on device|disk quota exceeded",
    "the disk is full",
    "make room, then run it again: what was done is in the state or found by its notes",
)
KNOWN_FAILURES = (
    DISK_FULL,
    _known(
        r"unexpected end of JSON input|is no whole JSON",
        "its state, or a lock of it, was cut off while it was written, as by a full disk",
        "docs/backends.md, *After a full disk*, says how the one before it is put back",
    ),
    _known(
        r"incorrect passphrase",
        "the passphrase is wrong",
        "set PULUMI_CONFIG_PASSPHRASE, or PULUMI_CONFIG_PASSPHRASE_FILE, to that of the stack",
    ),
    _known(
        r"passphrase must be set",
        "there is no passphrase",
        "set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE",
    ),
    _known(
        r"currently locked by .{0,500}?created by (?P<by>\S{1,500}) .{0,100}? at (?P<at>\S+)",
        "the stack is locked by a run of {by} since {at}",
        "wait for it; if it was killed, `tenantry unlock {stack}`",
    ),
    _known(
        r"currently locked|conflict: another update",
        "the stack is locked by another run",
        "wait for it; if it was killed, `tenantry unlock {stack}`",
    ),
    _known(
        r"version (?P<have>\S+) does not satisfy the version range \"?(?P<want>[^\"\n]+)",
        "the Pulumi CLI {have} is too old: Pulumi.yaml asks for {want}",
        "bring it up to date, or run `tenantry install-pulumi`",
    ),
    _known(
        r"PULUMI_ACCESS_TOKEN must be set",
        "no backend is set",
        "log in (`pulumi login`), or set PULUMI_BACKEND_URL; for Pulumi Cloud PULUMI_ACCESS_TOKEN",
    ),
    _known(
        r"password authentication failed|AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch|"
        r"invalid access token",
        "the backend refuses the credentials: {said}",
        "see PULUMI_BACKEND_URL and the credentials of its database or bucket",
    ),
    _known(
        r"unable to open state directory.{0,500}?stat (?P<path>[^\n:]{1,500}): no such file or directory",
        "the backend's folder is not there: {path}",
        "`mkdir -p {path}`, if PULUMI_BACKEND_URL is right",
    ),
    _known(
        r"connection refused|no such host|i/o timeout|network is unreachable|unable to open state|"
        r"NoSuchBucket|could not connect|connection reset|deadline exceeded|failed to ping",
        "the backend cannot be reached: {said}",
        "is PULUMI_BACKEND_URL right, and its server up?",
    ),
    _known(
        r"invalid YAML file: (?P<what>[^\n]+)",
        "the stack file is no YAML: {what}",
        "`tenantry settings {stack}` names the line",
    ),
    _known(
        r"no stack named",
        "the backend has no such stack",
        "`tenantry up {stack}` makes it",
    ),
    _known(
        r"no resource plugin|failed to load language plugin|could not find plugin",
        "the Pulumi CLI is not complete: {said}",
        "`tenantry install-pulumi` brings it with its plugins",
    ),
)


def is_protection_refusal(log: Log) -> bool:
    """Whether a run was refused for what is protected."""
    return any(PROTECTED.search(said.text) for said in log.errors)


def from_log(log: Log, protected: Iterable[str] = ()) -> Iterator[Trouble]:
    """Yield what the engine's log has of errors, each once. `protected`: the resources for which the run was
    refused, as far as they are known; the engine stops at the first ones.
    """
    told: set[str] = set()
    refusals = [said for said in log.errors if PROTECTED.search(said.text)]
    if refusals:
        names = sorted({*(said.resource for said in refusals), *protected})
        advice = REMOVAL_STEPS if log.kept else DESTROY_STEPS
        details = "\n".join(redacted(said.text) for said in refusals)
        yield Trouble(IS_PROTECTED, ", ".join(names), advice, details=details)
    for said in log.errors:
        text = redacted(said.text)
        if text in told or SUMMARY_LINE.match(text) or said in refusals:
            continue
        told.add(text)
        if problems := problems_told(text):
            for place, what in problems:
                yield Trouble(what, place, details=f"{place}: {what}" if place else "")
        else:
            yield from_text(text, said.resource, said.facts)


def from_settings(error: SettingsError) -> Iterator[Trouble]:
    """Yield the problems of a stack file and its plans."""
    return map(from_problem, error.problems)


def from_problem(problem: Problem) -> Trouble:
    """Return one problem of a stack file or plan."""
    place = f"{problem.file}:{problem.line}" if problem.line else problem.file
    text = f"{problem.path}: {problem.text}" if problem.path else problem.text
    return Trouble(text, place, details=str(problem))


def from_text(text: str, resource: str = "", facts: Iterable[Fact] = ()) -> Trouble:
    """Return what a provider said: its first line, Qlik's code, and the rest as what to do about it."""
    if DISK_FULL.pattern.search(text):
        return Trouble(DISK_FULL.text, resource, DISK_FULL.advice, details=text)
    if TRACEBACK in text:
        return _of_traceback(text, resource)
    first, _, rest = text.partition("\n")
    is_protection_refusal = next((fact for fact in facts if isinstance(fact, QlikRefused)), None)
    return Trouble(
        text=first.strip(),
        where=resource,
        advice=" ".join(rest.split()),
        code=(is_protection_refusal.code or is_protection_refusal.status) if is_protection_refusal else "",
        trace_id=is_protection_refusal.trace_id if is_protection_refusal else "",
        details=text,
    )


def _of_traceback(text: str, resource: str) -> Trouble:
    """Return an exception of the program: what it was, and where in the code it was raised."""
    lines = text.splitlines()
    at = max((number for number, line in enumerate(lines) if FRAME.match(line)), default=0)
    raised = next((line for line in lines[at:] if line.strip() and not line[0].isspace()), lines[0])
    frame = FRAME.match(lines[at])
    where = resource or (f"{frame['file']}:{frame['line']}" if frame else "")
    return Trouble(f"the program failed: {raised.strip()}", where, details=text)


def from_command(stack: str, printed: str, code: int | None) -> Trouble:
    """Return why a `pulumi` command failed, by what it printed on standard error."""
    text = redacted(printed.strip())
    said = _first_error(text)
    for known in KNOWN_FAILURES:
        if found := known.pattern.search(text):
            named = {key: value.strip() for key, value in found.groupdict().items() if value}
            words = {"stack": stack, "said": said, **named}
            return Trouble(known.text.format(**words), advice=known.advice.format(**words), details=text)
    if not text:
        return Trouble(f"`pulumi` ended with exit code {code} and said nothing")
    return Trouble(said, details=text)


def _first_error(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    first = next((line for line in lines if line.startswith("error:")), lines[0] if lines else "")
    return first.removeprefix("error:").strip()
