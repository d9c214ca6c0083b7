"""Facts that a provider reports to programs. Only this module writes and reads their lines.

A user of `pulumi up` sees the line unchanged, below the message in plain words:

    [tenantry:tenant-deactivated hostname="x.eu.qlikcloud.com" tenant_id="T1" purge_on="2026-12-01"]

Programs base decisions only on facts, so the wording of messages may change. A fact has its own line. Such a
text inside a sentence, for example quoted from a Qlik response, is not a fact. No fact contains a secret.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, fields

RENEW = "TENANTRY_RENEW"
"""The variable with the id of the proof to renew: see `tenantry.providers.tenant_proof`."""


@dataclass(frozen=True)
class TenantDeactivated:
    """A tenant is deactivated. Until the day of its purge, `revive_line` brings it back.

    `purge_on` is empty if Qlik did not name that day.
    """

    hostname: str
    tenant_id: str
    purge_on: str


@dataclass(frozen=True)
class NothingCreated:
    """No tenant was created under this proof, and none will be."""

    proof: str


@dataclass(frozen=True)
class QlikRefused:
    """Qlik refused a request. `code` and `trace_id` are empty if the response had none."""

    status: str
    code: str
    trace_id: str


@dataclass(frozen=True)
class Progress:
    """A message about a long step. It is of interest only during the step, so reports leave it out."""

    what: str


Fact = TenantDeactivated | NothingCreated | QlikRefused | Progress

FACT_TYPES: dict[str, type[Fact]] = {
    "tenant-deactivated": TenantDeactivated,
    "nothing-created": NothingCreated,
    "qlik-refused": QlikRefused,
    "progress": Progress,
}
_NAMES = {fact_type: name for name, fact_type in FACT_TYPES.items()}

_SPECIAL = "<>%[]"
"""Characters that are escaped: the engine's colour markup and format directives, and our own brackets."""

_MARKUP = re.compile(r"<\{%[^<>]*%\}>")
_BEFORE = re.compile(r"(?:(?:error|warning|info|debug):\s+|\*\s+)*")
_FIELD = re.compile(r' ([a-z_]+)=("(?:[^"\\]|\\.)*")')
_LINE = re.compile(rf"\[tenantry:([a-z-]+)((?:{_FIELD.pattern})*)\]")


def line(fact: Fact) -> str:
    """Return the line for a fact."""
    attributes = "".join(f" {field.name}={_quoted(getattr(fact, field.name))}" for field in fields(fact))
    return f"[tenantry:{_NAMES[type(fact)]}{attributes}]"


def read(text: str) -> tuple[list[Fact], str]:
    """Return the facts in the output of a provider, and the text without their lines.

    A damaged or unknown fact line stays in the text.
    """
    found: list[Fact] = []
    rest: list[str] = []
    for text_line in text.split("\n"):
        fact = _fact(text_line)
        if fact is None:
            rest.append(text_line)
        else:
            found.append(fact)
    return found, "\n".join(rest)


def nothing_created(proof: str) -> str:
    """Return the line for NothingCreated."""
    return line(NothingCreated(proof))


def nothing_created_in(text: str) -> str:
    """Return the proof of a NothingCreated line in the text, or an empty string."""
    return next((fact.proof for fact in read(text)[0] if isinstance(fact, NothingCreated)), "")


def deactivated_message(hostname: str, tenant_id: str, purge_on: str) -> str:
    """Return the message about a deactivated tenant, without the fact line.

    A program that reads the fact does not show these lines, because it has its own message.
    """
    purge = f"Qlik purges it on {purge_on}. To" if purge_on else "To"
    until = "before that day" if purge_on else "before the purge"
    return (
        f"tenant {hostname} is deactivated. {purge} bring it back {until}, "
        "add this to the customer in its stack file and run `pulumi up`:\n"
        f"  {revive_line(hostname, tenant_id)}"
    )


def revive_line(hostname: str, tenant_id: str) -> str:
    """Return the line for a stack file that brings back a tenant."""
    return f"revive: {{hostname: {hostname}, tenant_id: {tenant_id}}}"


def renewal(proof: str, stack: str) -> str:
    """Return the command that renews a proof. It renews only this proof, even if it is run again."""
    return f"{RENEW}={proof} pulumi up" + (f" --stack {stack}" if stack else "")


def _fact(text: str) -> Fact | None:
    bare = _MARKUP.sub("", text).strip()
    found = _LINE.fullmatch(bare, _BEFORE.match(bare).end())  # type: ignore[union-attr]  # the match may be empty, but exists
    fact_type = FACT_TYPES.get(found[1]) if found else None
    if not found or fact_type is None:
        return None
    pairs = _FIELD.findall(found[2])
    if [name for name, _ in pairs] != [field.name for field in fields(fact_type)]:
        return None
    try:
        return fact_type(**{name: json.loads(value) for name, value in pairs})
    except ValueError:
        return None


def _quoted(value: str) -> str:
    """Return a value in quotes on one line. Characters that the engine interprets are escaped."""
    return "".join(
        rf"\u{ord(char):04x}" if char in _SPECIAL else char if char.isprintable() else json.dumps(char)[1:-1]
        for char in json.dumps(value, ensure_ascii=False)
    )
