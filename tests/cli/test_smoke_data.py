"""Tests of `tenantry smoke`: the data of published apps."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.state.backend import Backend
from tests.cli.site import Site

SCRIPT = """
SET vCustomer = 'template';
Orders:
LOAD [RunOrder id], '$(vCustomer)' AS Customer FROM [lib://DataFiles/orders.csv] (txt);
COMMENT FIELD Customer WITH '$(vCustomer)';
"""
EXPECTED: dict[str, Any] = {
    "rows": {"Orders": 10},
    "distinct_values": {"Customer": 1},
    "field_comments": {"Customer": "Globex"},
    "reloaded_within_hours": 26,
}
DATA_OK = "Overview in Sales: ok, has the data that the stack file expects"


@pytest.fixture
def loaded(site: Site) -> Site:
    """Load ten orders of the customer into both published apps, and expect them in the stack file."""
    site.tenant.qlik.control.settings(reload_rows=10)
    site.load_data(SCRIPT, {"vCustomer": "Globex"})
    site.expect(**EXPECTED)
    return site


def test_the_data_of_each_published_app_is_checked(loaded: Site) -> None:
    output = loaded.smoke("Viewers")
    assert DATA_OK in output
    assert "Overview in Board: ok" in output
    assert "1 stack: 1 ok" in output


def test_without_expectations_no_data_is_requested(site: Site) -> None:
    assert "the data" not in site.smoke("Viewers")
    assert not [request for request in site.tenant.qlik.control.requests() if "metadata" in request["path"]]


def test_an_empty_expectation_only_requires_some_data(site: Site) -> None:
    site.expect()
    output = site.smoke("Viewers", code=1)
    assert (
        f"Overview in Sales: FAILED app {site.apps['Sales']} has no data: all of its tables are empty"
        in output
    )
    assert "1 stack: 1 failed" in output
    site.load_data(SCRIPT, {})
    assert DATA_OK in site.smoke("Viewers")


def test_template_data_is_detected(loaded: Site) -> None:
    """A reload without the variables of the customer loads the data of the template."""
    loaded.load_data(SCRIPT, {})
    difference = 'Overview in Sales: FAILED field "Customer" has the comment "template" instead of "Globex"'
    assert difference in loaded.smoke("Viewers", code=1)


@pytest.mark.parametrize(
    ("expectations", "words"),
    [
        ({"rows": {"Orders": 11}}, 'table "Orders" has 10 rows, but at least 11 are expected'),
        ({"rows": {"RunOrder": 1}}, 'there is no table "RunOrder"; the closest is "Orders"; tables: Orders'),
        (
            {"distinct_values": {"RunOrder id": 9}},
            'field "RunOrder id" has 10 distinct values instead of 9',
        ),
        (
            {"distinct_values": {"Client": 1}},
            'there is no field "Client"; fields: Customer, RunOrder id',
        ),
        ({"field_comments": {"RunOrder id": "x"}}, 'field "RunOrder id" has no comment instead of "x"'),
    ],
)
def test_each_difference_is_named(loaded: Site, expectations: dict[str, Any], words: str) -> None:
    loaded.expect(**expectations)
    assert f"Overview in Sales: FAILED {words} globex, Overview in Board" in loaded.smoke("Viewers", code=1)


def test_unexpected_additional_data_is_accepted(loaded: Site) -> None:
    loaded.expect(rows={"Orders": 0}, distinct_values={"RunOrder id": 10, "Customer": 1})
    assert DATA_OK in loaded.smoke("Viewers")


def test_the_age_of_data_uses_the_clock_of_qlik(loaded: Site) -> None:
    """The logins fail here, because the clock of this machine differs."""
    loaded.tenant.qlik.control.advance(25 * 3600)
    assert DATA_OK in loaded.smoke("Viewers", code=1)
    loaded.tenant.qlik.control.advance(5 * 3600)
    output = loaded.smoke("Viewers", code=1)
    assert "Overview in Sales: FAILED was reloaded at 2" in output
    assert ", 30 hours ago; at most 26 hours are allowed" in output


def test_smoke_waits_for_an_app_that_can_be_read_late(loaded: Site) -> None:
    control = loaded.tenant.qlik.control
    control.add_fault(path=f"/api/v1/apps/{loaded.apps['Board']}", status=403, times=2)
    assert "Overview in Board: ok" in loaded.smoke("Viewers")
    control.add_fault(path=f"/api/v1/apps/{loaded.apps['Board']}", status=403)
    output = loaded.smoke("Viewers", code=1, wait="0")
    assert f"Overview in Board: FAILED GET {loaded.tenant.host}" in output
    assert DATA_OK in output, "the error of one app does not hide the results of others"


def test_an_unpublished_app_is_reported(loaded: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Backend, "outputs", lambda self, stack: {**loaded.outputs, "apps": {}})
    words = "Overview in Sales: FAILED is not in the outputs of the stack; run `pulumi up` first"
    assert words in loaded.smoke("Data", code=1)


def test_hostile_names_do_not_control_the_terminal(loaded: Site) -> None:
    loaded.load_data(SCRIPT.replace("Orders:", "[Or\x1b(B\nders]:"), {})
    output = loaded.smoke("Viewers", code=1)
    assert 'there is no table "Orders"' in output
    assert "(B\\u000aders" in output, "a line feed in a name starts no new line"
    assert "\x1b" not in output
