"""What every test may ask for."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenantry.emulator import Emulator
from tests.contract import ContractChecker

HERE = Path(__file__).parent

UNMEASURED = ("crash", "e2e", "protocol")
"""Folders whose tests run the product in other processes, or for so long that measuring takes minutes."""


def pytest_configure(config: pytest.Config) -> None:
    """Leave the notes of this user alone, and what other runs have noted of rate limits."""
    folder = tempfile.TemporaryDirectory(prefix="tenantry-tests-")
    config.add_cleanup(folder.cleanup)
    os.environ["TENANTRY_STATE"] = folder.name


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Measure no coverage in those folders: `-m "not no_cover"` leaves them out."""
    for item in items:
        if item.path.is_relative_to(HERE) and item.path.relative_to(HERE).parts[0] in UNMEASURED:
            item.add_marker(pytest.mark.no_cover)


@pytest.fixture
def qlik() -> Iterator[Emulator]:
    """A fresh local Qlik Cloud; the test fails if it ever answers what Qlik's contract does not allow."""
    checker = ContractChecker()
    with Emulator(middleware=checker.wrap) as emulator:
        yield emulator
    assert not checker.violations, "\n".join(checker.violations)
