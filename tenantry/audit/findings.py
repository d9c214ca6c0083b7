"""The findings of an audit, grouped by kind. Each kind has a heading and advice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Kind(NamedTuple):
    """A kind of finding: its name in JSON, its heading, and the advice."""

    name: str
    heading: str
    advice: str


UNMANAGED = Kind(
    "unmanaged",
    "Tenants that no stack holds",
    "Create a stack for it with `tenantry import`, or add the `revive` line to the stack file of its "
    "customer and run `pulumi up`.",
)
UNNAMED = Kind(
    "unnamed",
    "Tenants without a name that no stack holds",
    "A run may have been interrupted after it requested the tenant. If it belongs to a customer, add the "
    "`revive` line to that stack file and run `pulumi up`.",
)
HELD_TWICE = Kind(
    "held_twice",
    "Tenants that several stacks hold",
    "Only one stack may hold it. Run `tenantry forget` for the others before one of them deactivates it.",
)
MISSING = Kind(
    "missing",
    "Tenants in a state that the organisation does not list",
    "If Qlik has purged it, run `tenantry forget`. The next `pulumi up` then creates a new tenant.",
)
DEACTIVATED = Kind(
    "deactivated",
    "Deactivated tenants",
    "You can bring it back until its purge date. If a stack holds it, run `pulumi up --refresh`. Otherwise "
    "add the `revive` line to a stack file and run `pulumi up`.",
)
SAME_NAME = Kind(
    "same_name",
    "Names that several active tenants have",
    "Check whether they are two customers or duplicates of one. Rename one of two customers.",
)
LICENCE = Kind(
    "licence",
    "Licences that end soon",
    "Ask Qlik for a renewal. All tenants of the licence stop when it ends.",
)
CUT_OFF = Kind(
    "cut_off",
    "Stacks with the proof of a tenant, but no tenant",
    "A run is in progress, or was interrupted between the two. If no run is in progress, run the stack "
    "again. It never creates two tenants from one proof, and reports what it finds.",
)
LEFT_OVER = Kind(
    "left_over",
    "Staged apps that an interrupted import left behind",
    "`tenantry orphans --fix` deletes the ones that no run can still use.",
)
KINDS = (UNMANAGED, UNNAMED, HELD_TWICE, MISSING, DEACTIVATED, SAME_NAME, LICENCE, CUT_OFF, LEFT_OVER)


@dataclass(frozen=True)
class Finding:
    """One finding: its subject `about`, its `text`, and `ways`, which are lines to run or paste.

    `certain` is False if an unreadable state might prove it wrong. `notice`: there is nothing to do. `facts`
    are for JSON.
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
    """Something that could not be read, and the reason."""

    subject: str
    reason: str


def command(words: str, stack: str) -> str:
    """Return a command for a stack.

    The stack of another project has a full name (organisation/project/name). Its command is followed by a
    comment with the project.
    """
    *_, project, name = stack.split("/") if stack.count("/") > 1 else ("", stack)
    return f"{words} {name}  # in the folder of project {project}" if project else f"{words} {name}"
