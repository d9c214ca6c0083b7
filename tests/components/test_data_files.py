"""Data files in a customer's component."""

from __future__ import annotations

from tests.components.program import run
from tests.e2e.customers import GLOBEX, with_changes
from tests.providers.test_data_file import EXAMPLE, FILE


def test_a_reload_waits_for_the_data_files() -> None:
    """Data files refer to their space and have an absolute path."""
    customer = with_changes(GLOBEX, ("data_files", EXAMPLE), ("apps/Sales Overview/reload", {}))
    resources, outputs = run(customer)
    file = resources["DataFile rates.csv"]
    assert "rates.csv" in resources["AppReload Sales Overview"].depends_on
    assert file.references["space"] == ["Staging"]
    assert (file.inputs["name"], file.inputs["path"]) == ("rates.csv", str(FILE))
    assert "data_files" not in outputs
