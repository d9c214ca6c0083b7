"""The fixture with stack files to check."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenantry.emulator import Emulator
from tests.checks.bench import Bench


@pytest.fixture
def bench(qlik: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Return a bench whose folder is the current folder."""
    monkeypatch.chdir(tmp_path)
    return Bench(qlik, tmp_path)
