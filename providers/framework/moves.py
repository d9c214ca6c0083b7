"""Names that move between the resources of a stack within one change of its file.

Two resources exchange their names, one takes the name of another that gets a new one, or of another that
goes. The engine updates them in any order, deletes last, and tells a provider nothing of its plans. An
object that another resource of the stack holds is never taken over: then two resources would have one
object. Instead the object stands aside under a temporary value, waits a little for the other to move, and
where that takes longer than this step may, the rest is postponed to the next run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from tenantry.providers.framework import run, stack
from tenantry.providers.framework.errors import HolderUnknown, StateUnreadable
from tenantry.providers.framework.properties import contains
from tenantry.providers.framework.waiting import wait
from tenantry.providers.qlik import ApiError, Cloud, Host
from tenantry.pulumi_internals.unknown_values import is_unknown

SECONDS = 4.0
"""How long to wait for another resource of the same run to move. Where it comes later, or goes, waiting is
in vain.
"""

NAME_LENGTH = 256

TAKEN = (400, 409)
"""How Qlik refuses a value that another object has: the Users API also by 400."""

Properties = dict[str, Any]


def holder(kind: str, label: str, host: Host, id: str) -> str:
    """Return the URN of another resource of a kind that holds an object, nothing if none of the stack does.

    Raises HolderUnknown where the state cannot be read.
    """
    try:
        return stack.holder(id, kind)
    except StateUnreadable as error:
        raise HolderUnknown(label, host.hostname, id, error) from error


def leaves(cloud: Cloud, key: Sequence[str], holder: str, want: Properties) -> bool:
    """Tell whether the program gives the resource that holds an object other values of `key` in this run."""

    def seen() -> bool | None:
        wanted = run.checked_inputs.get(holder)
        if wanted is None or contains([wanted.get(name) for name in key], is_unknown):
            return None
        return [wanted.get(name) for name in key] != [want.get(name) for name in key] or None

    return bool(wait(cloud, seen, f"{shown(holder)} to move", SECONDS))


def temporary(value: str) -> str:
    """Return the name under which an object stands aside: the same in each run of the same resource."""
    return f"{value[: NAME_LENGTH - 20]} [moving {mark()}]"


def mark() -> str:
    """Return what tells the temporary values of this resource from those of others."""
    return hashlib.sha256(run.current().urn.encode()).hexdigest()[:8]


def when_free(cloud: Cloud, change: Callable[[], object], holder: str) -> bool:
    """Make a change as soon as the other resource lets it; tell whether it could be made."""

    def attempt() -> bool | None:
        try:
            change()
        except ApiError as refusal:
            if refusal.status not in TAKEN:
                raise
            return None
        return True

    return bool(wait(cloud, attempt, f"{shown(holder)} to move", SECONDS))


def notify_postponed(cloud: Cloud, label: str, name: str, value: Any, holder: str) -> None:
    """Say that a value is still another resource's, and that a second run sets it."""
    cloud.notify(f"{label}: {shown(holder)} still has {name} {value!r}. Run `pulumi up` again to set it.")


def shown(urn: str) -> str:
    """Return a URN as messages show it: `Space Sales`."""
    kind, _, name = urn.rpartition("::")
    return f"{kind.rpartition(':')[2]} {name}"
