"""A cache of the results of a first `up`, for tests that start with the same customer.

The first test with a customer runs the `up`. For later tests in the same process, the cache restores the
stack and Qlik, which must both be unused. A stack is in the same folder in every test, because the cached
data contains the address of its backend.
"""

from __future__ import annotations

import functools
import hashlib
import json
import shutil
from pathlib import Path

from tenantry.emulator import Emulator
from tests.e2e.harness import MARK, Stack

ENDPOINT = "QLIK_CLOUD_ENDPOINT"
DIFFERENT_IN_EACH_TEST = (ENDPOINT, MARK)
RELEVANT_PREFIXES = ("PULUMI_", "QLIK_", "TENANTRY_")


def first_up(stack: Stack, qlik: Emulator, cache: Path) -> None:
    """Run `up`, or restore its earlier result for the same file and environment."""
    if stack.deployment() or not is_fresh(qlik):
        stack.up()
        return
    entry = cache / _digest(stack)
    if entry.exists():
        _restore(entry, stack, qlik, cache / "live")
        return
    stack.up()
    shutil.copytree(stack.folder, entry / "stack", symlinks=True)
    shutil.copytree(qlik._folder, entry / "qlik")


def is_fresh(qlik: Emulator) -> bool:
    """Tell whether an emulator is unchanged since its start."""
    world = qlik._world
    return (
        count_changes(qlik) == _count_changes_at_start()
        and world.settings.as_dict() == world._initial
        and not qlik.control.faults
    )


def count_changes(qlik: Emulator) -> int:
    """Count the rows that an emulator has written or removed since its start."""
    return qlik._world.store.db.total_changes


@functools.cache
def _count_changes_at_start() -> int:
    with Emulator() as qlik:
        return count_changes(qlik)


def _digest(stack: Stack) -> str:
    """Return a digest of the inputs of a first `up`: the folder, the stack file, and the environment."""
    environment = {
        name: value
        for name, value in sorted(stack.env.items())
        if name.startswith(RELEVANT_PREFIXES) and name not in DIFFERENT_IN_EACH_TEST
    }
    inputs = [str(stack.folder), stack.file.read_text("utf-8"), environment]
    return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()


def _restore(entry: Path, stack: Stack, qlik: Emulator, live: Path) -> None:
    qlik.stop()
    for source, target in ((entry / "stack", stack.folder), (entry / "qlik", live)):
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target, symlinks=True)
    qlik._data = live
    qlik.start()
    stack.env[ENDPOINT] = qlik.url
