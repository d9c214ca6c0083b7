"""A fixed sample of the crash matrix: cells spread over all requests, faults and machines."""

from __future__ import annotations

from collections import Counter
from contextlib import redirect_stdout
from io import StringIO

import pytest

from tests.crash.faults import FAULTS
from tests.crash.matrix import OPERATIONS, Bench, Operation, sample, table

SAMPLE = 14
"""Cells per operation. `make crash-matrix` runs the whole matrix."""


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_a_sample(operation: Operation) -> None:
    """In the end, each object exists exactly once, the state agrees, and a further run has nothing to do."""
    with Bench(operation) as bench:
        chosen = sample(operation, bench.requests(), SAMPLE)
        wrong = {str(cell): problem for cell in chosen if (problem := bench.cell(cell))}
    assert len(chosen) == SAMPLE
    assert not wrong, "\n".join(f"{cell}\n    {problem}" for cell, problem in wrong.items())


def test_a_loss_is_reported() -> None:
    """The bench reports objects that somebody created or deleted outside Pulumi."""
    (create,) = (operation for operation in OPERATIONS if operation.name == "create")
    with redirect_stdout(StringIO()), Bench(create) as bench:
        bench.put_back()
        bench.run().expect_ok()
        assert bench._wrong() == ""
        bench.lab.world.request("POST", "groups", {"name": "Strangers"})
        assert "Strangers" in bench._wrong()
        bench.put_back()
        bench.run().expect_ok()
        space = bench.lab.state["Space Staging"]
        state = bench.lab.state
        next(resource for resource in state if resource.id == space.id).id = "5" * 24
        bench.lab.engine.state = state
        assert "which is not at Qlik" in bench._wrong()


def test_the_table_counts_by_fault_and_operation() -> None:
    tried = Counter({(fault, "create"): 3 for fault in FAULTS})
    lost = Counter({("cut after", "create"): 1})
    lines = table(tried, lost).splitlines()
    assert len(lines) == len(FAULTS) + 1
    assert next(line for line in lines if line.startswith("cut after")).split()[2] == "2/3"
