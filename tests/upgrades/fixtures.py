"""The folder of a version: the files of an operator, the states of the stacks, and Qlik's content.

```
tests/upgrades/0.1.0/project/       Pulumi.yaml, __main__.py, stacks/, stacks/plans/ of the operator
tests/upgrades/0.1.0/states/        the output of `pulumi stack export` for each stack
tests/upgrades/0.1.0/cloud.json     the content of the emulator, without short-lived data such as tokens
```
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import zlib
from pathlib import Path
from typing import Any

from tenantry.emulator.files import Files
from tenantry.emulator.store import Store
from tests.e2e.harness import Stack

HERE = Path(__file__).parent
VERSIONS = sorted(file.parent.name for file in HERE.glob("*/cloud.json"))

SETTLED = ("everything", "production")
"""Stacks without changes: one customer with every resource type, and one protected customer."""

UNFINISHED = "unfinished"
"""The stack of a customer whose run failed because the imported app could not be renamed."""

POSTPONED = "postponed"
"""The stack whose groups swap names. The run did one part of it, and the state holds the rest."""

REQUESTED = "asked"
"""The stack that requested a tenant and lost the response. The tenant is in no state."""

STACKS = (*SETTLED, UNFINISHED, POSTPONED, REQUESTED)

DATABASE = "emulator.sqlite3"
EXCLUDED_KINDS = ("token",)


def state_of(version: str, stack: str) -> dict[str, Any]:
    """Return the state of a stack, as that version wrote it."""
    state: dict[str, Any] = json.loads((HERE / version / "states" / f"{stack}.json").read_text("utf-8"))
    return state


def set_up(stack: Stack, version: str) -> None:
    """Copy the operator's files of that version and the state into a stack."""
    shutil.rmtree(stack.folder / "stacks")
    for file in ("__main__.py", "Pulumi.yaml"):
        (stack.folder / file).unlink()
    shutil.copytree(HERE / version / "project", stack.folder, dirs_exist_ok=True)
    state = stack.folder / "state.json"
    shutil.copy(HERE / version / "states" / f"{stack.name}.json", state)
    stack.pulumi("stack", "import", "--file", str(state))


def fill(folder: Path, version: str) -> None:
    """Write Qlik's content of that version into the folder of an emulator that is not running yet."""
    folder.mkdir(parents=True, exist_ok=True)
    cloud = json.loads((HERE / version / "cloud.json").read_text("utf-8"))
    store = Store(folder / DATABASE)
    with store.transaction():
        for row in cloud["objects"]:
            store.put(row["tenant"], row["kind"], row["doc"], parent=row["parent"])
    store.close()
    files = Files(folder / "files")
    for name, content in cloud["files"].items():
        files.path(name).write_bytes(zlib.decompress(base64.b64decode(content)))


def contents(folder: Path) -> dict[str, Any]:
    """Return the content of a stopped emulator's folder, for `fill`."""
    store = Store(folder / DATABASE)
    rows = store.db.execute("SELECT tenant, kind, parent, doc FROM objects ORDER BY seq").fetchall()
    store.close()
    files = sorted(file for file in (folder / "files").iterdir() if file.suffix != ".part")
    assert all(file.name == hashlib.sha256(file.read_bytes()).hexdigest() for file in files)
    return {
        "objects": [
            {"tenant": tenant, "kind": kind, "parent": parent, "doc": json.loads(doc)}
            for tenant, kind, parent, doc in rows
            if kind not in EXCLUDED_KINDS
        ],
        "files": {file.name: base64.b64encode(zlib.compress(file.read_bytes())).decode() for file in files},
    }
