"""Collections that come in pages: `{data: [...], links: {next: {href}}}`, an opaque cursor in the href."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tenantry.providers.qlik import answers
from tenantry.providers.qlik.messages import Answer, Request


def pages(fetch: Callable[[Request], tuple[Answer, Any]], request: Request) -> Iterator[dict[str, Any]]:
    """Yield the objects of all pages, fetching each page when it is needed.

    Only the query of the href is used: host and path stay those asked, as the organisation API's hrefs name
    another host. Raises UnexpectedAnswer if a page is none, or if a cursor comes back.
    """
    seen: list[dict[str, Any]] = [request.query]
    while True:
        answer, page = fetch(request)
        data = page.get("data") if isinstance(page, dict) else None
        if not isinstance(data, list):
            raise answers.unexpected(request, answer, "no list of `data` in it")
        yield from data
        query = _next_query(page)
        if query is None:
            return
        request = replace(request, params={**request.query, **query})
        if request.query in seen:
            raise answers.unexpected(
                request, answer, "its link to the next page leads back to an earlier one"
            )
        seen.append(request.query)


def _next_query(page: dict[str, Any]) -> dict[str, Any] | None:
    """Return the query of `links.next.href`, None on the last page."""
    link = (page.get("links") or {}).get("next")
    href = link.get("href") if isinstance(link, dict) else link
    return dict(parse_qs(urlsplit(href).query)) if href else None
