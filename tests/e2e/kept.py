"""What the first `up` of a customer makes, kept for the tests that begin with the same one.

A test that is about what comes after the first `up` need not run it: stack and Qlik are put back as an
earlier test of this process had them. Both must be fresh, and a stack is in the same folder in every test,
since its backend's address is part of what is kept. The first test runs it, whichever that is.
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
    """Run `up`, or put back what came of it when it was run for the same file and environment."""
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
    """Whether nothing was done to an emulator since it began."""
    world = qlik._world
    return (
        changes(qlik) == _changes_of_the_seed()
        and world.settings.as_dict() == world._initial
        and not qlik.control.faults
    )


def changes(qlik: Emulator) -> int:
    """How many rows an emulator has written or removed since it began."""
    return qlik._world.store.db.total_changes


@cache
def _changes_of_the_seed() -> int:
    with Emulator() as qlik:
        return changes(qlik)


def _digest(stack: Stack) -> str:
    """What decides on the outcome of a first `up`: where, the stack file, and the environment."""
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
