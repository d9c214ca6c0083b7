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
FINE = "Overview in Sales: ok, has the data that the stack file expects"


@pytest.fixture
def loaded(site: Site) -> Site:
    """The customer's ten orders in both published apps, and a stack file that expects them."""
    site.tenant.qlik.control.settings(reload_rows=10)
    site.load_data(SCRIPT, {"vCustomer": "Globex"})
    site.expect(**EXPECTED)
    return site


def test_the_data_of_each_published_app_is_checked(loaded: Site) -> None:
    output = loaded.smoke("Viewers")
    assert FINE in output
    assert "Overview in Board: ok" in output
    assert "1 stack: 1 ok" in output


def test_without_expectations_no_request_is_sent(site: Site) -> None:
    assert "the data" not in site.smoke("Viewers")
    assert not [request for request in site.tenant.qlik.control.requests() if "metadata" in request["path"]]


def test_an_empty_expectation_accepts_any_data(site: Site) -> None:
    site.expect()
    output = site.smoke("Viewers", code=1)
    assert (
        f"Overview in Sales: FAILED app {site.apps['Sales']} has no data: all of its tables are empty"
        in output
    )
    assert "1 stack: 1 failed" in output
    site.load_data(SCRIPT, {})
    assert FINE in site.smoke("Viewers")


def test_template_data_is_detected(loaded: Site) -> None:
    """A reload without the customer's variables."""
    loaded.load_data(SCRIPT, {})
    wrong = 'Overview in Sales: FAILED field "Customer" has the comment "template" instead of "Globex"'
    assert wrong in loaded.smoke("Viewers", code=1)


@pytest.mark.parametrize(
    ("expected", "words"),
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
def test_each_difference_is_named(loaded: Site, expected: dict[str, Any], words: str) -> None:
    loaded.expect(**expected)
    assert f"Overview in Sales: FAILED {words} globex, Overview in Board" in loaded.smoke("Viewers", code=1)


def test_additional_data_is_accepted(loaded: Site) -> None:
    loaded.expect(rows={"Orders": 0}, distinct_values={"RunOrder id": 10, "Customer": 1})
    assert FINE in loaded.smoke("Viewers")


def test_the_age_of_data_uses_qliks_clock(loaded: Site) -> None:
    """The logins fail, because the machine's clock differs."""
    loaded.tenant.qlik.control.advance(25 * 3600)
    assert FINE in loaded.smoke("Viewers", code=1)
    loaded.tenant.qlik.control.advance(5 * 3600)
    output = loaded.smoke("Viewers", code=1)
    assert "Overview in Sales: FAILED was reloaded at 2" in output
    assert ", 30 hours ago; at most 26 hours are allowed" in output


def test_smoke_waits_for_an_app_that_can_be_read_late(loaded: Site) -> None:
    faults = loaded.tenant.qlik.control
    faults.add_fault(path=f"/api/v1/apps/{loaded.apps['Board']}", status=403, times=2)
    assert "Overview in Board: ok" in loaded.smoke("Viewers")
    faults.add_fault(path=f"/api/v1/apps/{loaded.apps['Board']}", status=403)
    output = loaded.smoke("Viewers", code=1, wait="0")
    assert f"Overview in Board: FAILED GET {loaded.tenant.host}" in output
    assert FINE in output, "the error of one app hides no other"


def test_an_unpublished_app_is_reported(loaded: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Backend, "outputs", lambda self, stack: {**loaded.outputs, "apps": {}})
    words = "Overview in Sales: FAILED is not in the outputs of the stack; run `pulumi up` first"
    assert words in loaded.smoke("Data", code=1)


def test_hostile_names_do_nothing_to_a_terminal(loaded: Site) -> None:
    loaded.load_data(SCRIPT.replace("Orders:", "[Or\x1b(B\nders]:"), {})
    output = loaded.smoke("Viewers", code=1)
    assert 'there is no table "Orders"' in output
    assert "(B\\u000aders" in output, "a line feed begins no line of its own"
    assert "\x1b" not in output
