"""What a look found: one finding for each thing, grouped by kinds that each have a heading and an advice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Kind(NamedTuple):
    """A kind of finding: its name for machines, its heading, and what to do about it."""

    name: str
    heading: str
    advice: str


UNMANAGED = Kind(
    "unmanaged",
    "Tenants that no stack holds",
    "Make a stack of it with `tenantry import`, or put the `revive` line into its customer's stack file and "
    "run `pulumi up`.",
)
UNNAMED = Kind(
    "unnamed",
    "Tenants without a name that no stack holds",
    "A run may have been cut off after it asked for it. If it is a customer's, put the `revive` line into "
    "that stack file and run `pulumi up`.",
)
HELD_TWICE = Kind(
    "held_twice",
    "Tenants that several stacks hold",
    "One of them is to keep it; let the others forget it, before one deactivates it.",
)
MISSING = Kind(
    "missing",
    "Tenants in a state that the organisation does not list",
    "If Qlik has purged it, let the stack forget it; the next `pulumi up` of the stack then makes a new one.",
)
DEACTIVATED = Kind(
    "deactivated",
    "Deactivated tenants",
    "Until the day of the purge it can be brought back: `pulumi up --refresh` where a stack holds it, else "
    "the `revive` line in a stack file and `pulumi up`.",
)
SAME_NAME = Kind(
    "same_name",
    "Names that several living tenants have",
    "Are they two customers, or one that was made twice? Rename one, or look what is in each.",
)
LICENCE = Kind(
    "licence",
    "Licences that end soon",
    "Ask Qlik for a renewal: every tenant under it stops with it.",
)
CUT_OFF = Kind(
    "cut_off",
    "Stacks with the proof of a tenant, and no tenant",
    "A run is under way, or was cut off between the two. If none is, run the stack again: it never asks Qlik "
    "twice on one proof, and says what it finds.",
)
LEFT_OVER = Kind(
    "left_over",
    "Staged apps that an interrupted import left",
    "`tenantry orphans --fix` deletes those that no run can still be about to take up.",
)
KINDS = (UNMANAGED, UNNAMED, HELD_TWICE, MISSING, DEACTIVATED, SAME_NAME, LICENCE, CUT_OFF, LEFT_OVER)


@dataclass(frozen=True)
class Finding:
    """One thing found: `about` names it, `text` says what there is to say, `ways` are lines to run or paste.

    `certain` is False where a state that could not be read may say otherwise. `notice`: there is nothing to
    do about it. `facts` are for machines.
    """

    kind: Kind
    about: str
    text: str
    ways: tuple[str, ...] = ()
    certain: bool = True
    notice: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Unread:
    """Something that could not be read, and why."""

    what: str
    why: str


def command(words: str, stack: str) -> str:
    """Return a command for a stack, named in full (organisation/project/name) if it is of another project."""
    *_, project, name = stack.split("/") if stack.count("/") > 1 else ("", stack)
    return f"{words} {name}  # in the folder of project {project}" if project else f"{words} {name}"
