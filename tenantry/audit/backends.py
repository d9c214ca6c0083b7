"""Which stacks the backend that Pulumi is logged in to has, of all projects."""

from __future__ import annotations

import json
from contextlib import suppress

from tenantry.pulumi_internals.backend_files import ORGANISATION, stacks_in
from tenantry.settings.project import Project
from tenantry.state.addresses import address_of, folder_of
from tenantry.state.backend import Backend, PulumiFailed


def stacks_of(backend: Backend, project: Project) -> tuple[list[str], str]:
    """Return the names of all stacks, those of other projects in full, and why that may not be all of them.

    `pulumi stack ls` reads every state, so one that is broken ends it. Then the names come from the files of
    a backend that has any, and from the stack files of the project.
    """
    try:
        return _listed(backend, "--all"), ""
    except PulumiFailed as failure:
        why = str(failure)
    found = dict.fromkeys([*_in_files(backend, project), *project.stack_files()])
    with suppress(PulumiFailed):
        found |= dict.fromkeys(_listed(backend))
    return list(found), why


def _listed(backend: Backend, *arguments: str) -> list[str]:
    return [str(each["name"]) for each in json.loads(backend.run("stack", "ls", *arguments, "--json"))]


def _in_files(backend: Backend, project: Project) -> list[str]:
    try:
        folder = folder_of(address_of(backend), backend.root)
    except PulumiFailed:
        return []
    return [
        name if of == project.name else f"{ORGANISATION}/{of}/{name}"
        for of, name in (stacks_in(folder) if folder else ())
    ]
