"""Tests of licences that end soon."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from tenantry.audit.findings import Finding, Unread
from tenantry.audit.licences import ending
from tenantry.audit.tenants import Ledger, ListedTenant
from tenantry.providers.lookups.preflight import Preflight
from tenantry.providers.qlik import Cloud
from tenantry.providers.qlik.testing import ENVIRONMENT, Call, FakeClock, MockTransport, Reply
from tests.audit.states import listed

TODAY = datetime(2026, 3, 1, 12, tzinfo=UTC)
SOURCE = listed("templates", licenseNumber="L-1")


def find_ending(
    tenants: list[ListedTenant], respond: Callable[[Call], Reply] = lambda _: Reply(500)
) -> tuple[list[Finding], list[Unread]]:
    """Return the findings on TODAY, and the licences that could not be read."""
    clock = FakeClock(TODAY.timestamp())
    cloud = Cloud(ENVIRONMENT, adapter=MockTransport(respond), clock=clock)
    unread: list[Unread] = []
    ledger = Ledger([], frozenset({"templates.eu.qlikcloud.com"}))
    return list(ending(tenants, ledger, Preflight(cloud), unread)), unread


def overview(ends: str) -> Callable[[Call], Reply]:
    """Return a handler that responds with the licence of the source tenant."""
    return lambda _: Reply(200, {"status": "Ok", "trial": False, "valid": f"2025-01-01/{ends}"})


@pytest.mark.parametrize("key", ["licenseEndsAt", "licenceEndsAt"])
@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ("2026-03-31", "ends on 2026-03-31, in 30 days"),
        ("2026-04-01", ""),
        ("2026-03-02T00:00:00Z", "ends on 2026-03-02, in 1 day;"),
        ("2026-03-01", "ends on 2026-03-01, in 0 days"),
        ("2026-02-28", "ended on 2026-02-28"),
        ("2026-02-01", "ended on 2026-02-01"),
        ("never", ""),
    ],
)
def test_a_licence_that_ends_soon_is_found_in_the_list(key: str, ends: str, expected: str) -> None:
    """Each licence has one finding, for any number of tenants. The list alone is enough."""
    fields: dict[str, Any] = {"licenseNumber": "L-1", key: ends}
    found, unread = find_ending(
        [listed("x1", **fields), listed("x2", **fields), listed("templates", **fields)]
    )
    assert unread == []
    assert len(found) == bool(expected)
    for finding in found:
        assert (finding.about, finding.facts["tenants"]) == ("L-1", 3)
        assert expected in finding.text


def test_the_end_comes_from_the_source_tenant_if_the_list_does_not_have_it() -> None:
    found, _ = find_ending([SOURCE, listed("x1", licenseNumber="L-1")], overview("2026-03-11"))
    assert [(finding.about, finding.facts["ends"]) for finding in found] == [("L-1", "2026-03-11")]
    assert find_ending([SOURCE], overview("2026-09-30")) == ([], [])


def test_an_unreadable_licence_is_reported() -> None:
    found, unread = find_ending([SOURCE], lambda _: Reply(403, {"errors": [{"code": "LICENSES-403"}]}))
    assert found == []
    assert [entry.subject for entry in unread] == ["the licence of source tenant templates.eu.qlikcloud.com"]
    assert "LICENSES-403" in unread[0].reason
