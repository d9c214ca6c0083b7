from __future__ import annotations

from typing import Any

import pytest

from tenantry.providers.qlik import NotFound, UnexpectedResponse
from tenantry.providers.qlik.testing import Reply
from tests.providers.qlik.conftest import TENANT, MakeHarness, error_reply


def page(*names: str, href: Any = None) -> Reply:
    """Return a page of objects with a link to the next page."""
    return Reply(200, {"data": [{"name": name} for name in names], "links": {"next": {"href": href}}})


def names(items: Any) -> list[str]:
    return [item["name"] for item in items]


@pytest.mark.parametrize(
    "last",
    [
        {"links": {"next": {"href": None}}},
        {"links": {"next": {"href": ""}}},
        {"links": {"next": {}}},
        {"links": {"next": None}},
        {"links": {}},
        {"links": None},
        {},
    ],
    ids=str,
)
def test_a_list_ends_at_a_page_without_a_next_link(make_harness: MakeHarness, last: dict[str, Any]) -> None:
    harness = make_harness(
        [page("a", "b", href="/api/v1/x?next=2&limit=100"), Reply(200, {"data": [{"name": "c"}], **last})]
    )
    assert names(harness.tenant.list("/api/v1/x")) == ["a", "b", "c"]
    assert [call.params for call in harness.api_calls] == [
        {"limit": ["100"]},
        {"limit": ["100"], "next": ["2"]},
    ]


def test_a_list_continues_after_an_empty_page(make_harness: MakeHarness) -> None:
    harness = make_harness([page(href="?next=2"), page("a")])
    assert names(harness.tenant.list("/x")) == ["a"]


@pytest.mark.parametrize(
    "href",
    [
        "https://api.qlikcloud.com/api/core/tenants?next=c%2F1%3D",
        "http://evil.example:81/other?next=c%2F1%3D",
        f"https://{TENANT}/api/v1/x?next=c%2F1%3D",
        "/api/v1/x?next=c%2F1%3D",
        "?next=c%2F1%3D",
    ],
)
def test_only_the_query_of_a_link_is_used(make_harness: MakeHarness, href: str) -> None:
    harness = make_harness([page("a", href=href), page("b")])
    assert names(harness.tenant.list("/api/v1/x", {"name": "n"}, limit=1)) == ["a", "b"]
    second = harness.api_calls[1]
    assert (second.host, second.path) == (TENANT, "/api/v1/x")
    assert second.params == {"name": ["n"], "limit": ["1"], "next": ["c/1="]}


def test_parameters_of_the_link_override_those_of_the_request(make_harness: MakeHarness) -> None:
    harness = make_harness(
        [page("a", href="/x?limit=5&next=2"), page("b", href="/x?limit=5&next=3"), page("c")]
    )
    assert names(harness.tenant.list("/x")) == ["a", "b", "c"]
    assert [call.params["limit"] for call in harness.api_calls] == [["100"], ["5"], ["5"]]
    assert harness.api_calls[2].params["next"] == ["3"]


def test_without_a_limit_qlik_chooses_the_page_size(make_harness: MakeHarness) -> None:
    harness = make_harness([page("a")])
    assert names(harness.tenant.list("/x", limit=None)) == ["a"]
    assert harness.api_calls[0].params == {}


def test_pages_are_requested_when_they_are_needed(make_harness: MakeHarness) -> None:
    harness = make_harness([page("a", "b", href="?next=2")])
    items = harness.tenant.list("/x")
    assert harness.api_calls == []
    assert [next(items)["name"], next(items)["name"]] == ["a", "b"]
    assert len(harness.api_calls) == 1


@pytest.mark.parametrize(
    "hrefs", [["?next=1", "?next=1"], ["?next=1", "?next=2", "?next=1"], ["/x", "/x"]], ids=str
)
def test_a_repeated_cursor_is_an_error(make_harness: MakeHarness, hrefs: list[str]) -> None:
    harness = make_harness([page("a", href=href) for href in hrefs])
    with pytest.raises(UnexpectedResponse, match="leads back"):
        list(harness.tenant.list("/x"))


@pytest.mark.parametrize("body", [None, [], "x", {}, {"data": None}, {"data": {"id": "1"}}], ids=repr)
def test_a_body_that_is_not_a_page_is_an_error(make_harness: MakeHarness, body: Any) -> None:
    with pytest.raises(UnexpectedResponse, match="data"):
        list(make_harness([Reply(200, body)]).tenant.list("/x"))


def test_an_error_of_a_later_page_is_raised_when_it_is_reached(make_harness: MakeHarness) -> None:
    items = make_harness([page("a", href="?next=2"), error_reply(404)]).tenant.list("/x")
    assert next(items) == {"name": "a"}
    with pytest.raises(NotFound):
        next(items)


def test_a_failed_page_is_repeated_without_the_earlier_ones(make_harness: MakeHarness) -> None:
    harness = make_harness([page("a", href="?next=2"), error_reply(503), page("b")])
    assert names(harness.tenant.list("/x")) == ["a", "b"]
    assert len(harness.api_calls) == 3


def test_an_abandoned_list_leaves_no_deadline_behind(make_harness: MakeHarness) -> None:
    from tenantry.providers.qlik import current_deadline

    next(make_harness([page("a", href="?next=2")]).tenant.list("/x"))
    assert current_deadline() is None
