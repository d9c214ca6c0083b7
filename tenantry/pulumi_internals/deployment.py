"""The state as `pulumi stack export` gives it and `pulumi stack import` takes it.

Relies on: the state has a `deployment`, null for a stack that was never up, with `resources` and, where a
run was cut off, `pending_operations`. Each of these has a `type`, such as `creating`, and a `resource`. A
resource has `urn`, `type`, `inputs`, `outputs`, and where they apply `id`, `parent`, `protect`, `custom`,
`delete`, `initErrors`, `deletedWith`, `dependencies`, `propertyDependencies`. `secrets_providers` says how
secrets are encrypted; a state without it takes the way of the stack that it is given to. All else may be
given back as it came.

Seen to hold: CLI 3.259.0, deployment version 3.

When it breaks: `tenantry status`, `orphans`, `unlock` and `forget` miss resources. `stack import` refuses a
state that does not hold together.
"""

from __future__ import annotations

from typing import Any

State = dict[str, Any]
Resource = dict[str, Any]


def resources(state: State) -> list[Resource]:
    """Return the resources in a state; none for a stack that was never up."""
    return list((state.get("deployment") or {}).get("resources") or [])


def pending_operations(state: State) -> list[dict[str, Any]]:
    """Return the operations that runs were cut off at and that the state still has."""
    return list((state.get("deployment") or {}).get("pending_operations") or [])


def replaced(state: State, **parts: list[dict[str, Any]]) -> State:
    """Return a state with other `resources` or `pending_operations`; the one that is given stays."""
    return {**state, "deployment": {**(state.get("deployment") or {}), **parts}}


def without_encryption(state: State) -> State:
    """Return a state, exported with its secrets shown, for a stack that encrypts them in another way."""
    deployment = {name: part for name, part in state["deployment"].items() if name != "secrets_providers"}
    return {**state, "deployment": deployment}
