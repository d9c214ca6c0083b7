"""The files of a backend in a folder: states, locks, and what says that there is a backend.

Relies on: below `.pulumi` there are `meta.yaml` with its version, `stacks/<project>/<stack>.json` (or
`.json.gz`) with `version` and `checkpoint`, whose `latest` is the deployment that `pulumi stack export`
gives; a stack with nothing in it has no `latest`. `history/<project>/<stack>/<stack>-<time>.history.json` (or
`.json.gz`) is an update: `kind`, `result`, and `startTime` and `endTime` in seconds. A lock is
`locks/organization/<project>/<stack>/<id>.json` with `username`, `hostname`, `pid` and `timestamp`.

Seen to hold: CLI 3.259.0, version 1 of the layout.

When it breaks: `pulumi` says of a new customer's preview that there is no such stack; `tenantry unlock` finds
no lock in a folder. A layout or a state of another version is left to `pulumi`, which takes longer; of a last
run that is not found, `tenantry status` tells the time alone.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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


def is_readable(folder: Path) -> bool:
    """Tell whether the files of a backend lie where this module looks for them."""
    try:
        return "version: 1" in (folder / "meta.yaml").read_text("utf-8").splitlines()
    except OSError:
        return False


def read_state(folder: Path, project: str, stack: str) -> dict[str, Any] | None:
    """Return the state of a stack as `pulumi stack export` gives it; None if it is in another form.

    Raises FileNotFoundError if there is no such stack, OSError, and ValueError for what is no JSON.
    """
    file = folder / "stacks" / project / f"{stack}.json"
    read = _read(file if file.exists() else file.with_name(f"{file.name}.gz"))
    checkpoint = read.get("checkpoint") if isinstance(read, dict) else None
    if not isinstance(checkpoint, dict) or read.keys() != {"version", "checkpoint"} or read["version"] != 3:
        return None
    return {"version": 3, "deployment": checkpoint.get("latest")}


def read_last_run(folder: Path, project: str, stack: str) -> dict[str, Any]:
    """Return the last update of a stack; nothing if there was none, or its file cannot be read."""
    files = (folder / "history" / project / stack).glob(f"{stack}-*.history.json*")
    times = {
        file.name.partition(".history.json")[0].rpartition("-")[2]: file
        for file in files
        if file.suffix in (".json", ".gz")
    }
    numbers = [int(time) for time in times if time.isdecimal()]
    try:
        read = _read(times[str(max(numbers))]) if numbers else {}
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
    """Tell whether there is anything where the locks of a stack lie, be it half a file."""
    try:
        return any(_locks(folder, project, stack).iterdir())
    except FileNotFoundError:
        return False


def lock_fields(found: dict[str, object]) -> tuple[str, str, int, str]:
    """Return user, host, process id and time in a lock. Raises KeyError, ValueError, TypeError."""
    return (
        str(found["username"]),
        str(found["hostname"]),
        int(str(found["pid"])),
        str(found["timestamp"]),
    )
