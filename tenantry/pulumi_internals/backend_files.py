"""The files of a backend in a folder: states, locks, and what says that there is a backend.

Relies on: below `.pulumi` there are `meta.yaml` with its version, `stacks/<project>/<stack>.json` (or
`.json.gz`), which for a stack with nothing in it holds no more than its name, and
`locks/organization/<project>/<stack>/<id>.json` with `username`, `hostname`, `pid` and `timestamp`.

Seen to hold: CLI 3.259.0, version 1 of the layout.

When it breaks: `pulumi` says of a new customer's preview that there is no such stack; `tenantry unlock` finds
no lock in a folder.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

ORGANISATION = "organization"
"""What all stacks of a backend belong to that has no organisations."""

FOLDER = ".pulumi"
"""Where a backend of files keeps its own."""


def add_stack(state: Path, project: str, stack: str) -> None:
    """Put a stack with nothing in it into a backend in a folder, as `pulumi stack init` does.

    No stack file is looked at, nor a salt written into one: the first command does that.
    """
    stacks = state / FOLDER / "stacks" / project
    stacks.mkdir(mode=0o700, parents=True, exist_ok=True)
    (state / FOLDER / "meta.yaml").write_text("version: 1\n")
    checkpoint = {"version": 3, "checkpoint": {"stack": f"{ORGANISATION}/{project}/{stack}"}}
    (stacks / f"{stack}.json").write_text(json.dumps(checkpoint))


def stacks_in(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield project and name of each stack that has a file."""
    for file in sorted(folder.glob("stacks/*/*.json*")):
        name, _, ending = file.name.rpartition(".json")
        if name and ending in ("", ".gz"):
            yield file.parent.name, name


def has_project(folder: Path, project: str) -> bool:
    """Tell whether there is a folder for the stacks of a project."""
    return (folder / "stacks" / project).is_dir()


def lock_files(folder: Path, project: str, stack: str) -> list[Path]:
    """Return the files of the locks of a stack."""
    return sorted((folder / "locks" / ORGANISATION / project / stack).glob("*.json"))


def lock_fields(found: dict[str, object]) -> tuple[str, str, int, str]:
    """Return user, host, process id and time in a lock. Raises KeyError, ValueError, TypeError."""
    return (
        str(found["username"]),
        str(found["hostname"]),
        int(str(found["pid"])),
        str(found["timestamp"]),
    )
