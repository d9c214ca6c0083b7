"""The state of a stack, in the form of `pulumi stack export` and `pulumi stack import`.

Relies on: the state has a `deployment`, which is null before the first `up`, with `resources` and, after an
interrupted run, `pending_operations`. Each operation has a `type`, such as `creating`, and a `resource`. A
resource has `urn`, `type`, `inputs`, `outputs`, and optionally `id`, `parent`, `protect`, `custom`, `delete`,
`initErrors`, `deletedWith`, `dependencies`, `propertyDependencies`. `secrets_providers` says how secrets are
encrypted. If it is missing, an import uses the encryption of the stack. All other parts can be imported
unchanged. `manifest.time` is the time of writing. The outputs of a stack are the outputs of its resource
`pulumi:pulumi:Stack`. A secret in them is an object with a special key of the engine.

Verified with: CLI 3.259.0, deployment version 3.

When it breaks: `tenantry status`, `outputs`, `orphans`, `unlock` and `forget` miss resources. `stack
import` refuses an inconsistent state.
"""

from __future__ import annotations

from typing import Any

State = dict[str, Any]
Resource = dict[str, Any]

STACK = "pulumi:pulumi:Stack"

SPECIAL, SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"
"""The key of special objects of the engine, and its value for a secret."""

HIDDEN = "[secret]"
"""What `pulumi` shows instead of a secret."""


def resources(state: State) -> list[Resource]:
    """Return the resources in a state; none before the first `up`."""
    return list((state.get("deployment") or {}).get("resources") or [])


def pending_operations(state: State) -> list[dict[str, Any]]:
    """Return the unfinished operations of interrupted runs."""
    return list((state.get("deployment") or {}).get("pending_operations") or [])


def written_at(state: State) -> str:
    """Return when a state was written, as ISO 8601; empty before the first `up`."""
    return str(((state.get("deployment") or {}).get("manifest") or {}).get("time") or "")


def outputs(state: State) -> dict[str, Any]:
    """Return the outputs of a stack, with secrets hidden."""
    found = next(
        (resource.get("outputs") for resource in resources(state) if resource["type"] == STACK), None
    )
    return {name: _hidden(value) for name, value in (found or {}).items()}


def _hidden(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get(SPECIAL) == SECRET:
            return HIDDEN
        return {name: _hidden(item) for name, item in value.items()}
    return [_hidden(item) for item in value] if isinstance(value, list) else value


def replaced(state: State, **parts: list[dict[str, Any]]) -> State:
    """Return a copy of a state with other `resources` or `pending_operations`."""
    return {**state, "deployment": {**(state.get("deployment") or {}), **parts}}


def without_encryption(state: State) -> State:
    """Return a state with plain secrets without its encryption, for a stack with another encryption."""
    deployment = {name: part for name, part in state["deployment"].items() if name != "secrets_providers"}
    return {**state, "deployment": deployment}
