"""The backend that Pulumi is logged in to: what it is, and which stacks it has, of all projects."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote

from tenantry.pulumi_internals.backend_files import FOLDER, ORGANISATION, stacks_in
from tenantry.settings.project import Project
from tenantry.state.backend import Backend, PulumiFailed

FILE = "file://"


def address_of(backend: Backend) -> str:
    """Return the URL of the backend. Raises PulumiFailed."""
    return str(json.loads(backend.run("whoami", "--verbose", "--json")).get("url", ""))


def is_pulumi_cloud(address: str) -> bool:
    """Tell whether the backend is Pulumi Cloud, or what speaks its language."""
    return address.startswith(("https://", "http://"))


def folder_of(address: str, root: Path) -> Path | None:
    """Return the folder in which a backend of files keeps its own, None for any other backend.

    A path that is not absolute counts from `root`, where `pulumi` runs.
    """
    if not address.startswith(FILE):
        return None
    path = unquote(address.removeprefix(FILE).partition("?")[0])
    return root / Path(path).expanduser() / FOLDER


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
