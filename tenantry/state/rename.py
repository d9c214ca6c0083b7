"""Give a stack another name: in its state, in the backend, its file, and its notes on this disk.

`pulumi stack rename` does the backend, the stack file and the stack's part of every URN. Our component has
the name of its stack too. It is renamed in the state first, so that the next plan shows no change.
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
    """A stack cannot get that name; nothing was changed."""


def rename(backend: Backend, project: str, file: Path, old: str, new: str) -> Path:
    """Rename a stack, and return its new file. A stack that was never up has no more than the file.

    Raises CannotRename, PulumiFailed.
    """
    there = file.with_name(f"Pulumi.{new}.yaml")
    if there.exists():
        raise CannotRename(f"there is a stack file {there} already")
    if new in backend.stacks():
        raise CannotRename(f"the backend has a stack {new} already")
    try:
        state = backend.state(old)
    except NoSuchStack:
        file.rename(there)
        return there
    if pending_operations(state):
        raise CannotRename(
            f"a run of stack {old} was cut off, and its state says what it was at: finish it first with "
            f"`tenantry up {old}`"
        )
    renamed = _with_component(state, old, new)
    if renamed != state:
        backend.replace_state(old, renamed, seen=state)
    backend.run("stack", "rename", new, "--stack", old)
    if file.exists():  # where Pulumi leaves the file alone
        file.rename(there)
    _move_notes(backend.root, project, old, new)
    return there


def _with_component(state: State, old: str, new: str) -> State:
    """Return a state in which the component that is called as its stack is called by the new name."""
    urns = {
        each["urn"]: f"{each['urn'].removesuffix(old)}{new}" for each in filter(_ours(old), resources(state))
    }
    return _replaced(state, urns) if urns else state


def _ours(old: str) -> Callable[[Resource], bool]:
    def is_it(each: Resource) -> bool:
        kind, name = str(each["type"]), str(each["urn"]).rpartition("::")[2]
        return kind.startswith(tokens.COMPONENTS) and name == old

    return is_it


def _replaced(value: Any, urns: dict[str, str]) -> Any:
    """Return a value in which each of these strings is another one, wherever it stands by itself."""
    if isinstance(value, dict):
        return {name: _replaced(each, urns) for name, each in value.items()}
    if isinstance(value, list):
        return [_replaced(each, urns) for each in value]
    return urns.get(value, value) if isinstance(value, str) else value


def _move_notes(root: Path, project: str, old: str, new: str) -> None:
    """Let the stack keep its notes; without them the next run only takes longer."""
    former, now = (notes.folder_of(stack_of(f"urn:pulumi:{name}::{project}::", root)) for name in (old, new))
    with suppress(OSError):
        os.rename(former, now)
