"""Garbage collection pauses while modules load, and continues afterwards."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tenantry.garbage import paused_collection


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    """Restore the garbage collector after the test."""
    yield
    gc.enable()
    gc.unfreeze()


@pytest.mark.parametrize("is_enabled", [True, False])
def test_garbage_collection_pauses_inside_the_context(is_enabled: bool) -> None:
    if not is_enabled:
        gc.disable()
    with suppress(KeyError), paused_collection():
        assert not gc.isenabled()
        raise KeyError
    assert gc.isenabled() is is_enabled


def test_loaded_objects_are_not_collected_again() -> None:
    gc.unfreeze()
    with paused_collection():
        loaded: list[list[int]] = [[] for _ in range(1000)]
    assert gc.get_freeze_count() > len(loaded)
    assert not any(object_ is loaded for object_ in gc.get_objects())


def test_the_program_and_the_provider_load_without_collection() -> None:
    """No collection happens between the first import of the package and the last."""
    program = (
        "import gc, pulumi.dynamic; gc.collect(); seen = []\n"
        "gc.callbacks.append(lambda phase, info: seen.append(info['generation']))\n"
        "from tenantry import QlikCustomerTenant, provider\n"
        "provider('app')\n"
        "print(seen)"
    )
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "[]"
