"""Paged collections: `{data: [...], links: {next: {href}}}` with an opaque cursor in the href."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tenantry.providers.qlik import responses, shapes
from tenantry.providers.qlik.messages import Request, Response

MAX_PAGES = 2000
"""The most pages of a list. No collection at Qlik is larger, as a page has a hundred objects."""


def pages(fetch: Callable[[Request], tuple[Response, Any]], request: Request) -> Iterator[dict[str, Any]]:
    """Yield the objects of all pages. Each page is fetched when it is needed.

    Only the query of the href is used, because the organisation API's hrefs name another host. Raises
    UnexpectedResponse if a page or an object has the wrong shape, if a cursor repeats, or if the pages do
    not end.
    """
    seen: set[str] = {repr(request.query)}
    for _ in range(MAX_PAGES):
        response, page = fetch(request)
        yield from _objects(request, response, page)
        query = _next_query(page)
        if query is None:
            return
        request = replace(request, params={**request.query, **query})
        if repr(request.query) in seen:
            raise responses.unexpected(
                request, response, "with a link to the next page that leads back to an earlier one"
            )
        seen.add(repr(request.query))
    raise responses.unexpected(request, response, f"with more than {MAX_PAGES} pages")


def _objects(request: Request, response: Response, page: Any) -> list[dict[str, Any]]:
    data = page.get("data") if isinstance(page, dict) else None
    if not isinstance(data, list):
        raise responses.unexpected(request, response, "without a list of `data`")
    for number, member in enumerate(data):
        if problem := shapes.member_problem(request.plain_path, member):
            raise responses.unexpected(request, response, f"with {problem} (object {number + 1} of the page)")
    return data


def _next_query(page: dict[str, Any]) -> dict[str, Any] | None:
    """Return the query of `links.next.href`, None on the last page.

    An unreadable query is returned as an empty one, which leads back to the first page.
    """
    links = page.get("links") or {}
    link = links.get("next") if isinstance(links, dict) else links
    href = link.get("href") if isinstance(link, dict) else link
    if not href:
        return None
    try:
        return dict(parse_qs(urlsplit(href).query)) if isinstance(href, str) else {}
    except ValueError:
        return {}
