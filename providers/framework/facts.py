"""Facts that a provider tells to programs, in lines of one form that this module alone writes and reads.

A person who runs `pulumi up` sees the line as it is, below what is said in plain words:

    [tenantry:tenant-deactivated hostname="x.eu.qlikcloud.com" tenant_id="T1" purge_on="2026-12-01"]

What decides something reads facts and no other words, so that those may change. A fact has a line to itself:
what a tenant or an answer of Qlik quotes within a sentence is none. No fact holds a secret.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, fields

RENEW = "TENANTRY_RENEW"
"""The variable that names the proof to renew: see `tenantry.providers.tenant_proof`."""


@dataclass(frozen=True)
class TenantDeactivated:
    """A tenant is deactivated. Until the day of its purge, `revive_line` brings it back. `purge_on` is empty
    where Qlik did not name that day.
    """

    hostname: str
    tenant_id: str
    purge_on: str


@dataclass(frozen=True)
class NothingMade:
    """No tenant was made under this proof, and none will be."""

    proof: str


@dataclass(frozen=True)
class QlikRefused:
    """Qlik refused a request. `code` and `trace_id` are empty where its answer had none."""

    status: str
    code: str
    trace_id: str


@dataclass(frozen=True)
class Progress:
    """Something takes its time. It is of use while it lasts, and in no report."""

    what: str


Fact = TenantDeactivated | NothingMade | QlikRefused | Progress

FACT_TYPES: dict[str, type[Fact]] = {
    "tenant-deactivated": TenantDeactivated,
    "nothing-made": NothingMade,
    "qlik-refused": QlikRefused,
    "progress": Progress,
}
_NAMES = {kind: name for name, kind in FACT_TYPES.items()}

_SPECIAL = "<>%[]"
"""Written as escapes: the engine's colour markup and format directives, and our own brackets."""

_MARKUP = re.compile(r"<\{%[^<>]*%\}>")
_BEFORE = re.compile(r"(?:(?:error|warning|info|debug):\s+|\*\s+)*")
_FIELD = re.compile(r' ([a-z_]+)=("(?:[^"\\]|\\.)*")')
_LINE = re.compile(rf"\[tenantry:([a-z-]+)((?:{_FIELD.pattern})*)\]")


def line(fact: Fact) -> str:
    """Return the line that tells a fact."""
    told = "".join(f" {each.name}={_quoted(getattr(fact, each.name))}" for each in fields(fact))
    return f"[tenantry:{_NAMES[type(fact)]}{told}]"


def read(text: str) -> tuple[list[Fact], str]:
    """Return the facts in what the engine hands on of a provider, and the text without their lines.

    A line that is damaged, or of a kind that this version does not know, is text like any other.
    """
    found: list[Fact] = []
    rest: list[str] = []
    for each in text.split("\n"):
        fact = _fact(each)
        if fact is None:
            rest.append(each)
        else:
            found.append(fact)
    return found, "\n".join(rest)


def nothing_made(proof: str) -> str:
    """Return the line that says: no tenant was made under this proof, and none will be."""
    return line(NothingMade(proof))


def nothing_made_in(text: str) -> str:
    """Return the proof that such a line names; nothing if there is none in the text."""
    return next((each.proof for each in read(text)[0] if isinstance(each, NothingMade)), "")


def deactivated(hostname: str, tenant_id: str, purge_on: str) -> str:
    """Return what a person is told of a tenant that was deactivated, without the fact's own line.

    A program that reads the fact leaves these lines out of what it shows: it has words of its own.
    """
    when = (
        f"Qlik purges it on {purge_on}. To bring it back before that day, "
        if purge_on
        else ("to bring it back until Qlik purges it, ")
    )
    return (
        f"tenant {hostname} is deactivated; {when}"
        "add this to the customer in its stack file and run `pulumi up`:\n"
        f"  {revive_line(hostname, tenant_id)}"
    )


def revive_line(hostname: str, tenant_id: str) -> str:
    """Return the line for the customer in a stack file that takes back a tenant."""
    return f"revive: {{hostname: {hostname}, tenant_id: {tenant_id}}}"


def renewal(proof: str, stack: str) -> str:
    """Return the command that renews a proof, and that proof alone, however often it is run."""
    return f"{RENEW}={proof} pulumi up" + (f" --stack {stack}" if stack else "")


def _fact(text: str) -> Fact | None:
    bare = _MARKUP.sub("", text).strip()
    found = _LINE.fullmatch(bare, _BEFORE.match(bare).end())  # type: ignore[union-attr]  # it may be empty
    kind = FACT_TYPES.get(found[1]) if found else None
    if not found or kind is None:
        return None
    pairs = _FIELD.findall(found[2])
    if [name for name, _ in pairs] != [each.name for each in fields(kind)]:
        return None
    try:
        return kind(**{name: json.loads(value) for name, value in pairs})
    except ValueError:
        return None


def _quoted(value: str) -> str:
    """Return a value in quotes, on one line, with nothing in it that the engine takes for its own."""
    return "".join(
        rf"\u{ord(each):04x}" if each in _SPECIAL else each if each.isprintable() else json.dumps(each)[1:-1]
        for each in json.dumps(value, ensure_ascii=False)
    )
