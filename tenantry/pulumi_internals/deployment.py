"""The state as `pulumi stack export` gives it and `pulumi stack import` takes it.

Relies on: the state has a `deployment`, null for a stack that was never up, with `resources` and, where a
run was cut off, `pending_operations`. Each of these has a `type`, such as `creating`, and a `resource`. A
resource has `urn`, `type`, `inputs`, `outputs`, and where they apply `id`, `parent`, `protect`, `custom`,
`delete`, `initErrors`, `deletedWith`, `dependencies`, `propertyDependencies`. `secrets_providers` says how
secrets are encrypted; a state without it takes the way of the stack that it is given to. All else may be
given back as it came. `manifest.time` is when it was written. The outputs of a stack are those of its
resource `pulumi:pulumi:Stack`; a secret in them is an object with the key that all of the engine's own have,
which says what it is.

Seen to hold: CLI 3.259.0, deployment version 3.

When it breaks: `tenantry status`, `outputs`, `orphans`, `unlock` and `forget` miss resources. `stack
import` refuses a state that does not hold together.
"""

from __future__ import annotations

from typing import Any

State = dict[str, Any]
Resource = dict[str, Any]

STACK = "pulumi:pulumi:Stack"

SPECIAL, SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"
"""The key of the engine's own objects, and its value for a secret."""

HIDDEN = "[secret]"
"""What `pulumi` shows instead of a secret."""


def resources(state: State) -> list[Resource]:
    """Return the resources in a state; none for a stack that was never up."""
    return list((state.get("deployment") or {}).get("resources") or [])


def pending_operations(state: State) -> list[dict[str, Any]]:
    """Return the operations that runs were cut off at and that the state still has."""
    return list((state.get("deployment") or {}).get("pending_operations") or [])


def written_at(state: State) -> str:
    """Return when a state was written, as ISO 8601; nothing for a stack that was never up."""
    return str(((state.get("deployment") or {}).get("manifest") or {}).get("time") or "")


def outputs(state: State) -> dict[str, Any]:
    """Return the outputs of a stack, secrets hidden."""
    found = next((each.get("outputs") for each in resources(state) if each["type"] == STACK), None)
    return {name: _hidden(value) for name, value in (found or {}).items()}


def _hidden(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get(SPECIAL) == SECRET:
            return HIDDEN
        return {name: _hidden(each) for name, each in value.items()}
    return [_hidden(each) for each in value] if isinstance(value, list) else value


def replaced(state: State, **parts: list[dict[str, Any]]) -> State:
    """Return a state with other `resources` or `pending_operations`; the one that is given stays."""
    return {**state, "deployment": {**(state.get("deployment") or {}), **parts}}


def without_encryption(state: State) -> State:
    """Return a state, exported with its secrets shown, for a stack that encrypts them in another way."""
    deployment = {name: part for name, part in state["deployment"].items() if name != "secrets_providers"}
    return {**state, "deployment": deployment}
