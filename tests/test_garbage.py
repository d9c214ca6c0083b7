"""Garbage collection is paused while modules load, and restored afterwards."""

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


@pytest.mark.parametrize("collecting", [True, False])
def test_garbage_collection_is_paused_inside(collecting: bool) -> None:
    if not collecting:
        gc.disable()
    with suppress(KeyError), paused_collection():
        assert not gc.isenabled()
        raise KeyError
    assert gc.isenabled() is collecting


def test_loaded_objects_are_not_collected_again() -> None:
    gc.unfreeze()
    with paused_collection():
        loaded: list[list[int]] = [[] for _ in range(1000)]
    assert gc.get_freeze_count() > len(loaded)
    assert not any(object_ is loaded for object_ in gc.get_objects())


def test_the_program_and_the_provider_load_without_collection() -> None:
    """No collection happens from the first name of the package to the last module."""
    program = (
        "import gc, pulumi.dynamic; gc.collect(); seen = []\n"
        "gc.callbacks.append(lambda phase, info: seen.append(info['generation']))\n"
        "from tenantry import QlikCustomerTenant, provider\n"
        "provider('app')\n"
        "print(seen)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
