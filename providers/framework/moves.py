"""Names that move between the resources of a stack within one change of its file.

Two resources exchange their names, or one takes the name of a resource that is renamed or deleted. The engine
updates them in any order, deletes last, and does not share its plan with a provider. A resource never takes
over an object that another resource of the stack manages, because then both would manage the same object.
Instead its object gets a temporary value and waits briefly for the other resource to move. If that takes too
long, the rest is postponed to the next run.
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

MOVE_SECONDS = 4.0
"""How long to wait for another resource of the same run to move. If it is updated later, or deleted, waiting
does not help.
"""

NAME_LENGTH = 256

TAKEN = (400, 409)
"""The statuses by which Qlik refuses a value that another object has. The Users API also uses 400."""

Properties = dict[str, Any]


def holder(resource_type: str, label: str, host: Host, id: str) -> str:
    """Return the URN of another resource of the type that manages an object. Empty if the stack has none.

    Raises HolderUnknown if the state cannot be read.
    """
    try:
        return stack.holder(id, resource_type)
    except StateUnreadable as error:
        raise HolderUnknown(label, host.hostname, id, error) from error


def leaves(cloud: Cloud, key: Sequence[str], holder: str, want: Properties) -> bool:
    """Tell whether the program gives the holder of an object other values of `key` in this run."""

    def seen() -> bool | None:
        wanted = run.checked_inputs.get(holder)
        if wanted is None or contains([wanted.get(name) for name in key], is_unknown):
            return None
        return [wanted.get(name) for name in key] != [want.get(name) for name in key] or None

    return bool(wait(cloud, seen, f"{shown(holder)} to move", MOVE_SECONDS))


def temporary(value: str) -> str:
    """Return the temporary name of an object. It is the same in each run of the resource."""
    return f"{value[: NAME_LENGTH - 20]} [moving {mark()}]"


def mark() -> str:
    """Return a mark that is unique for the temporary values of this resource."""
    return hashlib.sha256(run.current().urn.encode()).hexdigest()[:8]


def when_free(cloud: Cloud, change: Callable[[], object], holder: str) -> bool:
    """Make a change as soon as the other resource has moved. Return whether it succeeded in time."""

    def attempt() -> bool | None:
        try:
            change()
        except ApiError as refusal:
            if refusal.status not in TAKEN:
                raise
            return None
        return True

    return bool(wait(cloud, attempt, f"{shown(holder)} to move", MOVE_SECONDS))


def notify_postponed(cloud: Cloud, label: str, name: str, value: Any, holder: str) -> None:
    """Notify the user that another resource still has a value, and that a second run sets it."""
    cloud.notify(f"{label}: {shown(holder)} still has {name} {value!r}. Run `pulumi up` again to set it.")


def shown(urn: str) -> str:
    """Return a URN as messages show it: `Space Sales`."""
    type_, _, name = urn.rpartition("::")
    return f"{type_.rpartition(':')[2]} {name}"
