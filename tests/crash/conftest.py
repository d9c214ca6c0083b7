"""A folder for each test, in memory if the machine supports it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.lab import Lab
from tests.e2e.conftest import scratch

__all__ = ["lab", "scratch"]


@pytest.fixture
def lab(scratch: Path) -> Iterator[Lab]:
    """A stack and a new emulator; call `configure` first."""
    with Lab(scratch) as lab:
        yield lab
