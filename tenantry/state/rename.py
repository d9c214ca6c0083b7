"""Renaming of a stack: in its state, in the backend, its file, and its notes on this disk.

`pulumi stack rename` renames the stack in the backend, the stack file, and the stack in every URN. Our
component has the name of its stack too. It is renamed in the state first, so that the next preview shows no
change.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tenantry.errors import TenantryError
from tenantry.providers.framework import notes
from tenantry.providers.framework.stack import stack_of
from tenantry.providers.values import tokens
from tenantry.pulumi_internals.deployment import Resource, State, pending_operations, resources
from tenantry.state.backend import Backend, NoSuchStack


class CannotRename(TenantryError):
    """A stack cannot be renamed. Nothing was changed."""


def rename(backend: Backend, project: str, file: Path, old: str, new: str) -> Path:
    """Rename a stack and return its new file. Before its first `up`, a stack has only the file.

    Raises CannotRename, PulumiFailed.
    """
    target = file.with_name(f"Pulumi.{new}.yaml")
    if target.exists():
        raise CannotRename(f"the stack file {target} exists already")
    if new in backend.stacks():
        raise CannotRename(f"the backend already has a stack {new}")
    try:
        state = backend.state(old)
    except NoSuchStack:
        file.rename(target)
        return target
    if pending_operations(state):
        raise CannotRename(
            f"a run of stack {old} was interrupted, and its state has unfinished operations. Finish them "
            f"first with `tenantry up {old}`"
        )
    renamed = _with_component(state, old, new)
    if renamed != state:
        backend.replace_state(old, renamed, seen=state)
    backend.run("stack", "rename", new, "--stack", old)
    if file.exists():  # Pulumi does not always rename the file
        file.rename(target)
    _move_notes(backend.root, project, old, new)
    return target


def _with_component(state: State, old: str, new: str) -> State:
    """Return a state in which the component with the name of its stack has the new name."""
    urns = {
        resource["urn"]: f"{resource['urn'].removesuffix(old)}{new}"
        for resource in filter(_ours(old), resources(state))
    }
    return _replaced(state, urns) if urns else state


def _ours(old: str) -> Callable[[Resource], bool]:
    def is_it(resource: Resource) -> bool:
        kind, name = str(resource["type"]), str(resource["urn"]).rpartition("::")[2]
        return kind.startswith(tokens.COMPONENTS) and name == old

    return is_it


def _replaced(value: Any, urns: dict[str, str]) -> Any:
    """Return a nested value in which each string that is a key of `urns` is replaced."""
    if isinstance(value, dict):
        return {name: _replaced(item, urns) for name, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, urns) for item in value]
    return urns.get(value, value) if isinstance(value, str) else value


def _move_notes(root: Path, project: str, old: str, new: str) -> None:
    """Rename the folder with the notes of the stack. Without them the next run only takes longer."""
    former, now = (notes.folder_of(stack_of(f"urn:pulumi:{name}::{project}::", root)) for name in (old, new))
    with suppress(OSError):
        os.rename(former, now)
