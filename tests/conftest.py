"""Fixtures for all tests."""

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
"""Folders without measured coverage: their tests run the product in other processes, or take too long."""


def pytest_configure(config: pytest.Config) -> None:
    """Use a temporary folder for notes, to protect the notes of this user and of other runs."""
    folder = tempfile.TemporaryDirectory(prefix="tenantry-tests-")
    config.add_cleanup(folder.cleanup)
    os.environ["TENANTRY_STATE"] = folder.name


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests in those folders, so that `-m "not no_cover"` excludes them from coverage."""
    for item in items:
        if item.path.is_relative_to(HERE) and item.path.relative_to(HERE).parts[0] in UNMEASURED:
            item.add_marker(pytest.mark.no_cover)


@pytest.fixture
def qlik() -> Iterator[Emulator]:
    """A new emulator. The test fails if a response breaks Qlik's contract."""
    checker = ContractChecker()
    with Emulator(middleware=checker.wrap) as emulator:
        yield emulator
    assert not checker.violations, "\n".join(checker.violations)
