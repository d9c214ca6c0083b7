"""Requests to the API of a forge, with paging, retries, and errors that name the next step."""

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
"""The pauses before each retry, if there was no response or a 5xx."""

MAX_WAIT_SECONDS = 180.0
"""The longest wait that a forge may request. If it requests more, the request fails."""

DEFAULT_WAIT_SECONDS = 60.0
"""The wait that GitHub recommends if a refusal does not name one."""

PAGE_SIZE = 100
MAX_PAGES = 500

Entry = Mapping[str, Any]


class ForgeError(TenantryError):
    """A request to a forge failed: one line with the request, the status, and the next step.

    `status` is None if there was no response.
    """

    def __init__(self, line: str, status: int | None = None) -> None:
        super().__init__(line)
        self.status = status


class NoForge(ForgeError):
    """The environment names neither GitHub nor GitLab."""


@dataclass(frozen=True)
class Endpoint:
    """The paths of one type of entries, and the names of their properties.

    `purpose` is the purpose of a request, for messages. `advice` has the next step by status. The path of an
    entry is `entry_path` with the value of its `key`. `text` is the property with its text, and `change` is
    the method that changes it. `closing` is the body that closes an entry. Without it, surplus entries are
    deleted.
    """

    purpose: str
    collection_path: str
    entry_path: str = ""
    query: str = ""
    key: str = "id"
    text: str = "body"
    change: str = "PATCH"
    closing: Entry | None = None
    advice: Entry = field(default_factory=dict)

    def path(self, entry: Entry) -> str:
        """Return the path of one entry."""
        return f"{self.entry_path}/{entry[self.key]}"


@dataclass(frozen=True)
class Api:
    """Requests to one API. The token is sent in `header`."""

    url: str
    header: str
    token: str

    def send(self, endpoint: Endpoint, method: str, path: str, body: Entry | None = None) -> Any:
        """Send a request and return its JSON."""
        return self._exchange(endpoint, method, f"{self.url}{path}", body)[0]

    def pages(self, endpoint: Endpoint) -> Iterator[Entry]:
        """Yield the entries of all pages."""
        first = url = f"{self.url}{endpoint.collection_path}?per_page={PAGE_SIZE}{endpoint.query}"
        for _ in range(MAX_PAGES):
            entries, response = self._exchange(endpoint, "GET", url)
            if not isinstance(entries, list):
                raise ForgeError(
                    f"{endpoint.purpose}: {_request_text('GET', url)} did not answer with a list."
                )
            yield from entries
            if page := response.headers.get("x-next-page", "").strip():
                url = f"{first}&page={quote(page)}"
            elif next_link := response.links.get("next"):
                url = next_link["url"]
            else:
                return
            if not url.startswith(f"{self.url}/"):
                raise ForgeError(f"{endpoint.purpose}: the next page is on another host. It gets no token.")

    def _exchange(
        self, endpoint: Endpoint, method: str, url: str, body: Entry | None = None
    ) -> tuple[Any, requests.Response]:
        response = self._response(endpoint, method, url, body)
        request_line, status = f"{endpoint.purpose}: {_request_text(method, url)}", response.status_code
        if status >= 300:
            message = _error_message(response).replace(self.token, "[secret]")
            line = f"{request_line} answered {status} {message}".rstrip(" .")
            raise ForgeError(f"{line}. {endpoint.advice.get(str(status), '')}".rstrip(), status)
        try:
            return (response.json() if response.content else None), response
        except ValueError:
            raise ForgeError(f"{request_line} did not answer with JSON.") from None

    def _response(self, endpoint: Endpoint, method: str, url: str, body: Entry | None) -> requests.Response:
        """Send a request, at most three times. The caller removes entries that were created twice."""
        request_line = f"{endpoint.purpose}: {_request_text(method, url)}"
        for pause in (*RETRY_PAUSES_SECONDS, None):
            wait = pause or 0.0
            try:
                response = requests.request(
                    method, url, json=body, auth=self._sign, timeout=TIMEOUT_SECONDS, allow_redirects=False
                )
            except requests.RequestException as error:
                if pause is None:
                    # The error is not chained, because it contains the request with the token.
                    raise ForgeError(
                        f"{request_line} got no response ({type(error).__name__}). Check the network and the "
                        "URL of the API."
                    ) from None
            else:
                limit = _wait_of(response)
                if limit is None and (response.status_code < 500 or pause is None):
                    return response
                if limit is not None:
                    if pause is None or limit > MAX_WAIT_SECONDS:
                        raise ForgeError(
                            f"{request_line} answered {response.status_code}, too many requests. Run it "
                            f"again in {limit:.0f} seconds.",
                            response.status_code,
                        )
                    wait = limit
            sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    def _sign(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the token to the request. An entry in .netrc would replace a plain header."""
        request.headers[self.header] = (
            f"Bearer {self.token}" if self.header == "Authorization" else self.token
        )
        return request


def sleep(seconds: float) -> None:
    """Wait. Tests replace this function."""
    time.sleep(seconds)


def _wait_of(response: requests.Response) -> float | None:
    """Return the requested wait in seconds, or None if the response is not about too many requests.

    Sources: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api and
    https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits/.
    """
    headers = response.headers
    retry_after, remaining = headers.get("retry-after", ""), headers.get("x-ratelimit-remaining", "")
    is_limited = response.status_code == 429 or (
        response.status_code == 403 and (retry_after or remaining == "0")
    )
    if not is_limited:
        return None
    if retry_after.isdecimal():
        return float(retry_after)
    reset = headers.get("x-ratelimit-reset") or headers.get("ratelimit-reset") or ""
    return max(0.0, float(reset) - time.time()) if reset.isdecimal() else DEFAULT_WAIT_SECONDS


def _request_text(method: str, url: str) -> str:
    return f"{method} {url.partition('?')[0]}"


def _error_message(response: requests.Response) -> str:
    """Return the error message of a response, on one line."""
    try:
        content = response.json()
        parts = [content.get(name) for name in ("message", "error", "errors")]
    except (ValueError, AttributeError):
        return response.reason or ""
    return " ".join(" ".join(str(part) for part in parts if part).split())[:300]
