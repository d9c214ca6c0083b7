"""The stacks of all projects in the backend that Pulumi is logged in to."""

from __future__ import annotations

import json
from contextlib import suppress

from tenantry.pulumi_internals.backend_files import ORGANISATION, stacks_in
from tenantry.settings.project import Project
from tenantry.state.addresses import address_of, folder_of
from tenantry.state.backend import Backend, PulumiFailed


def stacks_of(backend: Backend, project: Project) -> tuple[list[str], str]:
    """Return the names of all stacks, and why the list may be incomplete.

    Stacks of other projects have full names. `pulumi stack ls` reads every state, so it fails if one is
    broken. In that case the names come from the files of the backend, if it has any, and from the stack files
    of the project.
    """
    try:
        return _list_stacks(backend, "--all"), ""
    except PulumiFailed as failure:
        problem = str(failure)
    names = dict.fromkeys([*_names_in_files(backend, project), *project.stack_files()])
    with suppress(PulumiFailed):
        names |= dict.fromkeys(_list_stacks(backend))
    return list(names), problem


def _list_stacks(backend: Backend, *arguments: str) -> list[str]:
    return [str(stack["name"]) for stack in json.loads(backend.run("stack", "ls", *arguments, "--json"))]


def _names_in_files(backend: Backend, project: Project) -> list[str]:
    try:
        folder = folder_of(address_of(backend), backend.root)
    except PulumiFailed:
        return []
    return [
        name if stack_project == project.name else f"{ORGANISATION}/{stack_project}/{name}"
        for stack_project, name in (stacks_in(folder) if folder else ())
    ]
