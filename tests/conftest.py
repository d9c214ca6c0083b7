"""What every test may ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tenantry.emulator import Emulator
from tests.contract import ContractChecker


@pytest.fixture
def qlik() -> Iterator[Emulator]:
    """A fresh local Qlik Cloud; the test fails if it ever answers what Qlik's contract does not allow."""
    checker = ContractChecker()
    with Emulator(middleware=checker.wrap) as emulator:
        yield emulator
    assert not checker.violations, "\n".join(checker.violations)
