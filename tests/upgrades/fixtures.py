"""The folder of a version: stack files, plans and program of an operator, their states, and Qlik's content.

```
tests/upgrades/0.1.0/project/       Pulumi.yaml, __main__.py, stacks/, stacks/plans/: as an operator had them
tests/upgrades/0.1.0/states/        for each stack what `pulumi stack export` gave
tests/upgrades/0.1.0/cloud.json     what the emulator held, without what it forgets anyway, such as tokens
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
"""Stacks that have nothing to do: one customer with every kind of resource, and one that is protected."""

UNFINISHED = "unfinished"
"""The stack of a customer whose app was imported and could not be named: its run has failed there."""

POSTPONED = "postponed"
"""The stack whose groups exchange their names: the run could do only a part, and the rest is in its state."""

ASKED = "asked"
"""The stack that asked for a tenant, and the answer was lost: the tenant is in no state."""

STACKS = (*SETTLED, UNFINISHED, POSTPONED, ASKED)

DATABASE = "emulator.sqlite3"
NOT_KEPT = ("token",)


def state_of(version: str, stack: str) -> dict[str, Any]:
    """The state of a stack, as that version wrote it."""
    state: dict[str, Any] = json.loads((HERE / version / "states" / f"{stack}.json").read_text("utf-8"))
    return state


def set_up(stack: Stack, version: str) -> None:
    """Give a stack the operator's files of that version, and its state."""
    shutil.rmtree(stack.folder / "stacks")
    for file in ("__main__.py", "Pulumi.yaml"):
        (stack.folder / file).unlink()
    shutil.copytree(HERE / version / "project", stack.folder, dirs_exist_ok=True)
    state = stack.folder / "state.json"
    shutil.copy(HERE / version / "states" / f"{stack.name}.json", state)
    stack.pulumi("stack", "import", "--file", str(state))


def fill(folder: Path, version: str) -> None:
    """Fill the folder of an emulator that does not run yet with what there was at Qlik."""
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
    """What the folder of an emulator holds that runs no more, for `fill`."""
    store = Store(folder / DATABASE)
    rows = store.db.execute("SELECT tenant, kind, parent, doc FROM objects ORDER BY seq").fetchall()
    store.close()
    files = sorted(file for file in (folder / "files").iterdir() if file.suffix != ".part")
    assert all(file.name == hashlib.sha256(file.read_bytes()).hexdigest() for file in files)
    return {
        "objects": [
            {"tenant": tenant, "kind": kind, "parent": parent, "doc": json.loads(doc)}
            for tenant, kind, parent, doc in rows
            if kind not in NOT_KEPT
        ],
        "files": {file.name: base64.b64encode(zlib.compress(file.read_bytes())).decode() for file in files},
    }
