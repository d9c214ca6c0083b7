"""The files of a backend in a folder: its version, states and locks.

Relies on: `.pulumi` contains `meta.yaml` with its version, `stacks/<project>/<stack>.json` (or
`.json.gz`) with `version` and `checkpoint`, whose `latest` is the deployment that `pulumi stack export`
prints; an empty stack has no `latest`. `history/<project>/<stack>/<stack>-<time>.history.json` (or
`.json.gz`) is an update: `kind`, `result`, and `startTime` and `endTime` in seconds. A lock is
`locks/organization/<project>/<stack>/<id>.json` with `username`, `hostname`, `pid` and `timestamp`.

Verified with: CLI 3.259.0, version 1 of the layout.

When it breaks: the preview of a new customer fails because the stack does not exist, and `tenantry unlock`
finds no lock in a folder. If the layout or a state has another version, `pulumi` reads it, which takes
longer. If the history is not found, `tenantry status` shows only when the state was written.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ORGANISATION = "organization"
"""The name that Pulumi uses for the organisation in a backend without organisations."""

FOLDER = ".pulumi"
"""The folder in which a folder backend keeps its files. The functions below take it as `folder`."""


def add_stack(state: Path, project: str, stack: str) -> None:
    """Add an empty stack to a backend in a folder, like `pulumi stack init`.

    Does not read the stack file or write a salt into it. The first command does that.
    """
    stacks = state / FOLDER / "stacks" / project
    stacks.mkdir(mode=0o700, parents=True, exist_ok=True)
    (state / FOLDER / "meta.yaml").write_text("version: 1\n")
    checkpoint = {"version": 3, "checkpoint": {"stack": f"{ORGANISATION}/{project}/{stack}"}}
    (stacks / f"{stack}.json").write_text(json.dumps(checkpoint))


def stacks_in(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the project and name of each stack that has a file."""
    for file in sorted(folder.glob("stacks/*/*.json*")):
        name, _, ending = file.name.rpartition(".json")
        if name and ending in ("", ".gz"):
            yield file.parent.name, name


def is_readable(folder: Path) -> bool:
    """Tell whether the backend has the layout that this module knows."""
    try:
        return "version: 1" in (folder / "meta.yaml").read_text("utf-8").splitlines()
    except OSError:
        return False


def read_state(folder: Path, project: str, stack: str) -> dict[str, Any] | None:
    """Return the state of a stack in the form of `pulumi stack export`; None if it has another format.

    Raises FileNotFoundError if the stack does not exist, OSError if its file cannot be read, and ValueError
    if it is not JSON.
    """
    file = folder / "stacks" / project / f"{stack}.json"
    read = _read(file if file.exists() else file.with_name(f"{file.name}.gz"))
    checkpoint = read.get("checkpoint") if isinstance(read, dict) else None
    if not isinstance(checkpoint, dict) or read.keys() != {"version", "checkpoint"} or read["version"] != 3:
        return None
    return {"version": 3, "deployment": checkpoint.get("latest")}


def read_last_run(folder: Path, project: str, stack: str) -> dict[str, Any]:
    """Return the last update of a stack; empty if there was none, or if its file cannot be read."""
    files = (folder / "history" / project / stack).glob(f"{stack}-*.history.json*")
    files_by_time = {
        file.name.partition(".history.json")[0].rpartition("-")[2]: file
        for file in files
        if file.suffix in (".json", ".gz")
    }
    numbers = [int(time) for time in files_by_time if time.isdecimal()]
    try:
        read = _read(files_by_time[str(max(numbers))]) if numbers else {}
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}


def _read(file: Path) -> Any:
    content = file.read_bytes()
    try:
        return json.loads(gzip.decompress(content) if file.suffix == ".gz" else content)
    except EOFError as error:
        raise ValueError(str(error)) from None


def has_project(folder: Path, project: str) -> bool:
    """Tell whether there is a folder for the stacks of a project."""
    return (folder / "stacks" / project).is_dir()


def _locks(folder: Path, project: str, stack: str) -> Path:
    return folder / "locks" / ORGANISATION / project / stack


def lock_files(folder: Path, project: str, stack: str) -> list[Path]:
    """Return the files of the locks of a stack."""
    return sorted(_locks(folder, project, stack).glob("*.json"))


def may_be_locked(folder: Path, project: str, stack: str) -> bool:
    """Tell whether the folder for the locks of a stack has any file, complete or not."""
    try:
        return any(_locks(folder, project, stack).iterdir())
    except FileNotFoundError:
        return False


def lock_fields(found: dict[str, object]) -> tuple[str, str, int, str]:
    """Return the user, host, process id and time of a lock. Raises KeyError, ValueError, TypeError."""
    return (
        str(found["username"]),
        str(found["hostname"]),
        int(str(found["pid"])),
        str(found["timestamp"]),
    )
