"""Requests to the API of a forge: paged, tried again, and with errors that say what to do."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import requests

from tenantry.errors import TenantryError

TIMEOUT_SECONDS = 30.0
RETRY_PAUSES_SECONDS = (1.0, 3.0)
"""Seconds before another try, where there was no answer or a 5xx."""

MAX_WAIT_SECONDS = 180.0
"""The longest that a forge may have a request wait, in seconds, before it is given up."""

DEFAULT_WAIT_SECONDS = 60.0
"""What GitHub asks to wait where a refusal does not say how long."""

PAGE_SIZE = 100
MAX_PAGES = 500

Entry = Mapping[str, Any]


class ForgeError(TenantryError):
    """It could not be said there: one line with what was tried, the status, and what to do. `status` is that
    of the answer, None if there was none.
    """

    def __init__(self, line: str, status: int | None = None) -> None:
        super().__init__(line)
        self.status = status


class NoForge(ForgeError):
    """The environment names neither GitHub nor GitLab."""


@dataclass(frozen=True)
class Endpoint:
    """Where entries of one sort are, and what their fields are called.

    `what` says what a request is for and `advice` what to do about a status. An entry is at `one`, by its
    `key`. `closing` is what closes one; without it, one too many is deleted.
    """

    what: str
    every: str
    one: str = ""
    query: str = ""
    key: str = "id"
    text: str = "body"
    change: str = "PATCH"
    closing: Entry | None = None
    advice: Entry = field(default_factory=dict)

    def path(self, entry: Entry) -> str:
        """Return the path of one entry."""
        return f"{self.one}/{entry[self.key]}"


@dataclass(frozen=True)
class Api:
    """Requests to one API, whose token is sent in this header."""

    url: str
    header: str
    token: str

    def send(self, place: Endpoint, method: str, path: str, body: Entry | None = None) -> Any:
        """Send a request and return its JSON."""
        return self._answer(place, method, f"{self.url}{path}", body)[0]

    def pages(self, place: Endpoint) -> Iterator[Entry]:
        """Yield what is there, from the first page to the last."""
        first = url = f"{self.url}{place.every}?per_page={PAGE_SIZE}{place.query}"
        for _ in range(MAX_PAGES):
            found, response = self._answer(place, "GET", url)
            if not isinstance(found, list):
                raise ForgeError(
                    f"{place.what}: {_shown('GET', url)} answered with something else than a list."
                )
            yield from found
            if page := response.headers.get("x-next-page", "").strip():
                url = f"{first}&page={quote(page)}"
            elif following := response.links.get("next"):
                url = following["url"]
            else:
                return
            if not url.startswith(f"{self.url}/"):
                raise ForgeError(f"{place.what}: the next page is at another host, which gets no token.")

    def _answer(
        self, place: Endpoint, method: str, url: str, body: Entry | None = None
    ) -> tuple[Any, requests.Response]:
        response = self._response(place, method, url, body)
        tried, status = f"{place.what}: {_shown(method, url)}", response.status_code
        if status >= 300:
            line = f"{tried} answered {status} {_said(response).replace(self.token, '[secret]')}".rstrip(" .")
            raise ForgeError(f"{line}. {place.advice.get(str(status), '')}".rstrip(), status)
        try:
            return (response.json() if response.content else None), response
        except ValueError:
            raise ForgeError(f"{tried} answered with something that is no JSON.") from None

    def _response(self, place: Endpoint, method: str, url: str, body: Entry | None) -> requests.Response:
        """Send a request, three times if need be; what was made twice by that is found afterwards."""
        for pause in (*RETRY_PAUSES_SECONDS, None):
            wait = pause or 0.0
            try:
                response = requests.request(
                    method, url, json=body, auth=self._sign, timeout=TIMEOUT_SECONDS, allow_redirects=False
                )
            except requests.RequestException as error:
                if pause is None:
                    # Not chained: the exception holds the request, and that the token.
                    raise ForgeError(
                        f"{place.what}: {_shown(method, url)} had no answer ({type(error).__name__}). Is the "
                        "network up, and the URL of the API right?"
                    ) from None
            else:
                limit = _wait_of(response)
                if limit is None and (response.status_code < 500 or pause is None):
                    return response
                if limit is not None:
                    if pause is None or limit > MAX_WAIT_SECONDS:
                        raise ForgeError(
                            f"{place.what}: {_shown(method, url)} answered {response.status_code}, too many "
                            f"requests. Run it again in {limit:.0f} seconds.",
                            response.status_code,
                        )
                    wait = limit
            sleep(wait)
        raise AssertionError("the last try returns or raises")

    def _sign(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the token; given as a header it would have to give way to a .netrc."""
        request.headers[self.header] = (
            f"Bearer {self.token}" if self.header == "Authorization" else self.token
        )
        return request


def sleep(seconds: float) -> None:
    """Wait; tests put something quicker in its place."""
    time.sleep(seconds)


def _wait_of(response: requests.Response) -> float | None:
    """Return how many seconds a forge asks to wait; None if this is not about too many requests.

    Sources: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api and
    https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits/.
    """
    headers = response.headers
    after, left = headers.get("retry-after", ""), headers.get("x-ratelimit-remaining", "")
    limited = response.status_code == 429 or (response.status_code == 403 and (after or left == "0"))
    if not limited:
        return None
    if after.isdecimal():
        return float(after)
    reset = headers.get("x-ratelimit-reset") or headers.get("ratelimit-reset") or ""
    return max(0.0, float(reset) - time.time()) if reset.isdecimal() else DEFAULT_WAIT_SECONDS


def _shown(method: str, url: str) -> str:
    return f"{method} {url.partition('?')[0]}"


def _said(response: requests.Response) -> str:
    """Return what an answer says went wrong, on one line."""
    try:
        answer = response.json()
        said = [answer.get(name) for name in ("message", "error", "errors")]
    except (ValueError, AttributeError):
        return response.reason or ""
    return " ".join(" ".join(str(part) for part in said if part).split())[:300]
