from __future__ import annotations

from typing import Any

import pytest

from tenantry.providers.qlik import NotFound, UnexpectedAnswer
from tenantry.providers.qlik.testing import Reply
from tests.providers.qlik.conftest import TENANT, MakeSky, failed


def page(*names: str, href: Any = None, **more: Any) -> Reply:
    return Reply(200, {"data": [{"name": name} for name in names], "links": {"next": {"href": href}}, **more})


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
def test_until_there_is_no_next(make_sky: MakeSky, last: dict[str, Any]) -> None:
    sky = make_sky(
        [page("a", "b", href="/api/v1/x?next=2&limit=100"), Reply(200, {"data": [{"name": "c"}], **last})]
    )
    assert names(sky.tenant.list("/api/v1/x")) == ["a", "b", "c"]
    assert [call.params for call in sky.asked] == [{"limit": ["100"]}, {"limit": ["100"], "next": ["2"]}]


def test_an_empty_page_is_not_the_last(make_sky: MakeSky) -> None:
    sky = make_sky([page(href="?next=2"), page("a")])
    assert names(sky.tenant.list("/x")) == ["a"]


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
def test_only_the_cursor_is_taken_from_a_link(make_sky: MakeSky, href: str) -> None:
    sky = make_sky([page("a", href=href), page("b")])
    assert names(sky.tenant.list("/api/v1/x", {"name": "n"}, limit=1)) == ["a", "b"]
    second = sky.asked[1]
    assert (second.host, second.path) == (TENANT, "/api/v1/x")
    assert second.params == {"name": ["n"], "limit": ["1"], "next": ["c/1="]}


def test_the_link_wins_over_what_was_asked(make_sky: MakeSky) -> None:
    sky = make_sky([page("a", href="/x?limit=5&next=2"), page("b", href="/x?limit=5&next=3"), page("c")])
    assert names(sky.tenant.list("/x")) == ["a", "b", "c"]
    assert [call.params["limit"] for call in sky.asked] == [["100"], ["5"], ["5"]]
    assert sky.asked[2].params["next"] == ["3"]


def test_qliks_own_page_size(make_sky: MakeSky) -> None:
    sky = make_sky([page("a")])
    assert names(sky.tenant.list("/x", limit=None)) == ["a"]
    assert sky.asked[0].params == {}


def test_pages_are_fetched_when_they_are_needed(make_sky: MakeSky) -> None:
    sky = make_sky([page("a", "b", href="?next=2")])
    items = sky.tenant.list("/x")
    assert sky.asked == []
    assert [next(items)["name"], next(items)["name"]] == ["a", "b"]
    assert len(sky.asked) == 1


@pytest.mark.parametrize(
    "hrefs", [["?next=1", "?next=1"], ["?next=1", "?next=2", "?next=1"], ["/x", "/x"]], ids=str
)
def test_a_cursor_that_comes_back_ends_it(make_sky: MakeSky, hrefs: list[str]) -> None:
    sky = make_sky([page("a", href=href) for href in hrefs])
    with pytest.raises(UnexpectedAnswer, match="leads back"):
        list(sky.tenant.list("/x"))


@pytest.mark.parametrize("body", [None, [], "x", {}, {"data": None}, {"data": {"id": "1"}}], ids=repr)
def test_what_is_no_page(make_sky: MakeSky, body: Any) -> None:
    with pytest.raises(UnexpectedAnswer, match="data"):
        list(make_sky([Reply(200, body)]).tenant.list("/x"))


def test_errors_of_a_page(make_sky: MakeSky) -> None:
    items = make_sky([page("a", href="?next=2"), failed(404)]).tenant.list("/x")
    assert next(items) == {"name": "a"}
    with pytest.raises(NotFound):
        next(items)


def test_a_page_is_repeated_alone(make_sky: MakeSky) -> None:
    sky = make_sky([page("a", href="?next=2"), failed(503), page("b")])
    assert names(sky.tenant.list("/x")) == ["a", "b"]
    assert len(sky.asked) == 3


def test_an_abandoned_list_leaves_no_deadline_behind(make_sky: MakeSky) -> None:
    from tenantry.providers.qlik import current_deadline

    next(make_sky([page("a", href="?next=2")]).tenant.list("/x"))
    assert current_deadline() is None
