"""A fixed sample of the crash matrix: cells spread over all requests, faults and machines."""

from __future__ import annotations

from collections import Counter
from contextlib import redirect_stdout
from io import StringIO

import pytest

from tests.crash.faults import FAULTS
from tests.crash.matrix import OPERATIONS, CellRunner, Operation, sample, table

SAMPLE = 14
"""Cells per operation. `make crash-matrix` runs the whole matrix."""


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_no_cell_of_a_sample_has_a_problem(operation: Operation) -> None:
    """In the end, each object exists exactly once, the state agrees, and another run has nothing to do."""
    with CellRunner(operation) as runner:
        chosen = sample(operation, runner.requests(), SAMPLE)
        problems = {str(cell): problem for cell in chosen if (problem := runner.try_cell(cell))}
    assert len(chosen) == SAMPLE
    assert not problems, "\n".join(f"{cell}\n    {problem}" for cell, problem in problems.items())


def test_the_runner_reports_changes_from_outside() -> None:
    """Somebody creates an object outside Pulumi, or the state has an unknown id."""
    (create,) = (operation for operation in OPERATIONS if operation.name == "create")
    with redirect_stdout(StringIO()), CellRunner(create) as runner:
        runner.restore()
        runner.run().expect_ok()
        assert runner.find_problem() == ""
        runner.lab.world.request("POST", "groups", {"name": "Strangers"})
        assert "Strangers" in runner.find_problem()
        runner.restore()
        runner.run().expect_ok()
        space = runner.lab.state["Space Staging"]
        state = runner.lab.state
        next(resource for resource in state if resource.id == space.id).id = "5" * 24
        runner.lab.engine.state = state
        assert "which is not at Qlik" in runner.find_problem()


def test_the_table_counts_by_fault_and_operation() -> None:
    tried = Counter({(fault, "create"): 3 for fault in FAULTS})
    failed = Counter({("cut after", "create"): 1})
    lines = table(tried, failed).splitlines()
    assert len(lines) == len(FAULTS) + 1
    assert next(line for line in lines if line.startswith("cut after")).split()[2] == "2/3"
