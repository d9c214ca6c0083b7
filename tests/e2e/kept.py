"""A cache of the results of a first `up`, for tests that start with the same customer.

A test of later behaviour does not need to run the first `up`: the cache restores the stack and Qlik from an
earlier test of this process. Both must be fresh. A stack is in the same folder in every test, because the
cached data contains the address of its backend. The first test that needs it runs the `up`.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from functools import cache
from pathlib import Path

from tenantry.emulator import Emulator
from tests.e2e.harness import MARK, Stack

ENDPOINT = "QLIK_CLOUD_ENDPOINT"
OF_A_TEST = (ENDPOINT, MARK)
DECIDES = ("PULUMI_", "QLIK_", "TENANTRY_")


def first_up(stack: Stack, qlik: Emulator, shelf: Path) -> None:
    """Run `up`, or restore its earlier result for the same file and environment."""
    if stack.deployment() or not is_fresh(qlik):
        stack.up()
        return
    kept = shelf / _digest(stack)
    if kept.exists():
        _put_back(kept, stack, qlik, shelf / "live")
        return
    stack.up()
    shutil.copytree(stack.folder, kept / "stack", symlinks=True)
    shutil.copytree(qlik._folder, kept / "qlik")


def is_fresh(qlik: Emulator) -> bool:
    """Tell whether an emulator is unchanged since its start."""
    world = qlik._world
    return (
        changes(qlik) == _changes_of_the_seed()
        and world.settings.as_dict() == world._initial
        and not qlik.control.faults
    )


def changes(qlik: Emulator) -> int:
    """Count the rows that an emulator has written or removed since its start."""
    return qlik._world.store.db.total_changes


@cache
def _changes_of_the_seed() -> int:
    with Emulator() as qlik:
        return changes(qlik)


def _digest(stack: Stack) -> str:
    """Return a digest of the inputs of a first `up`: the folder, the stack file, and the environment."""
    environment = {
        name: value
        for name, value in sorted(stack.env.items())
        if name.startswith(DECIDES) and name not in OF_A_TEST
    }
    whole = [str(stack.folder), stack.file.read_text("utf-8"), environment]
    return hashlib.sha256(json.dumps(whole).encode()).hexdigest()


def _put_back(kept: Path, stack: Stack, qlik: Emulator, live: Path) -> None:
    qlik.stop()
    for source, target in ((kept / "stack", stack.folder), (kept / "qlik", live)):
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target, symlinks=True)
    qlik._data = live
    qlik.start()
    stack.env[ENDPOINT] = qlik.url
