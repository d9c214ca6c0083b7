"""Names that move between the resources of a stack within one change of its file.

Two resources exchange their names, or one takes the name of a resource that is renamed or deleted. The engine
updates them in any order, deletes last, and does not share its plan with a provider. A resource never takes
over an object that another resource of the stack manages, because then both would manage the same object.
Instead its object gets a temporary value, and the resource waits briefly for the other one to move. If that
takes too long, the next run sets the value.
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
"""The time to wait for another resource of the same run to move.

A longer wait does not help if the run updates the other resource later, or deletes it.
"""

NAME_LENGTH = 256
"""The most characters of a name at Qlik."""

TAKEN_STATUSES = (400, 409)
"""The statuses with which Qlik refuses a value that another object has. The Users API also uses 400."""

Properties = dict[str, Any]


def holder(resource_type: str, label: str, host: Host, id: str) -> str:
    """Return the URN of another resource of the type that manages an object, or an empty string.

    Raises HolderUnknown if the state cannot be read.
    """
    try:
        return stack.holder(id, resource_type)
    except StateUnreadable as error:
        raise HolderUnknown(label, host.hostname, id, error) from error


def is_leaving(cloud: Cloud, key: Sequence[str], holder: str, want: Properties) -> bool:
    """Tell whether the holder of an object gets other values of the properties `key` in this run.

    Waits until the engine has checked the inputs of the holder. `want` has the inputs of this resource.
    """

    def holder_moves() -> bool | None:
        inputs = run.checked_inputs.get(holder)
        if inputs is None or contains([inputs.get(name) for name in key], is_unknown):
            return None
        return [inputs.get(name) for name in key] != [want.get(name) for name in key] or None

    return bool(wait(cloud, holder_moves, f"{describe(holder)} to move", MOVE_SECONDS))


def temporary(value: str) -> str:
    """Return the temporary name of an object. It is the same in every run."""
    return f"{value[: NAME_LENGTH - 20]} [moving {mark()}]"


def mark() -> str:
    """Return a mark that is unique for the temporary values of this resource."""
    return hashlib.sha256(run.current().urn.encode()).hexdigest()[:8]


def when_free(cloud: Cloud, change: Callable[[], object], holder: str) -> bool:
    """Try a change until the other resource has moved. Return whether it succeeded in time.

    Raises ApiError if Qlik refuses the change for another reason.
    """

    def attempt() -> bool | None:
        try:
            change()
        except ApiError as refusal:
            if refusal.status not in TAKEN_STATUSES:
                raise
            return None
        return True

    return bool(wait(cloud, attempt, f"{describe(holder)} to move", MOVE_SECONDS))


def notify_postponed(cloud: Cloud, label: str, name: str, value: Any, holder: str) -> None:
    """Tell the user that another resource still has a value, and that the next run sets it."""
    cloud.notify(f"{label}: {describe(holder)} still has {name} {value!r}. Run `pulumi up` again to set it.")


def describe(urn: str) -> str:
    """Return a URN as messages show it: `Space Sales`."""
    type_, _, name = urn.rpartition("::")
    return f"{type_.rpartition(':')[2]} {name}"
