"""One host of Qlik Cloud, and the requests that resources send to it."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tenantry.providers.qlik import files, hostnames, paging, paths, redirects, responses, shapes
from tenantry.providers.qlik.messages import Form, JsonBody, Params, Request, Response
from tenantry.providers.qlik.sender import Sender

PAGE = 100
"""The number of objects per page. Nearly all of Qlik's collections allow no more."""


class Host:
    """A tenant, a register host or the organisation's host. It is cheap to create.

    Paths start with a slash ("/api/v1/spaces/123"). JSON becomes Python values, None for an empty body.
    If a response does not have its shape in `shapes`, UnexpectedResponse is raised. Every method may raise
    ApiError, ConnectionFailed, DeadlineExceeded and ConfigurationError. GET, PUT and DELETE
    are repeated after a failure of the network or of Qlik. POST and PATCH are repeated only if `repeatable`,
    and otherwise raise ResponseLost.
    """

    def __init__(self, cloud: Sender, hostname: str) -> None:
        self.cloud = cloud
        self.hostname = hostname

    def __repr__(self) -> str:
        return f"Host({self.hostname!r})"

    @property
    def region(self) -> str:
        """The region that the host is in ("eu"), empty for the organisation's host."""
        return hostnames.region(self.hostname)

    @property
    def time(self) -> float | None:
        """The time of the host's last response in seconds since 1970. None if it had no date."""
        return self.cloud.time_at(self.hostname)

    def authenticate(self) -> None:
        """Get a token, so that a failure occurs here and not in the next request."""
        self.cloud.authenticate(self.hostname)

    def get(self, path: str, params: Params | None = None) -> Any:
        """Return the object at `path`. Redirects on this host are followed."""
        return self._json(Request("GET", self.hostname, path, params or {}))

    def post(
        self,
        path: str,
        json: JsonBody | None = None,
        *,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = False,
    ) -> Any:
        """Create an object, or carry out an action."""
        return self._json(
            Request("POST", self.hostname, path, params or {}, headers or {}, json, repeatable=repeatable)
        )

    def put(
        self,
        path: str,
        json: JsonBody | None = None,
        *,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Replace an object."""
        return self._json(Request("PUT", self.hostname, path, params or {}, headers or {}, json))

    def patch(
        self,
        path: str,
        json: JsonBody | None = None,
        *,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = False,
    ) -> Any:
        """Change an object by a JSON Patch (a list of operations), or by properties if the API allows it."""
        return self._json(
            Request("PATCH", self.hostname, path, params or {}, headers or {}, json, repeatable=repeatable)
        )

    def delete(
        self, path: str, *, params: Params | None = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        """Delete an object. A retry may raise NotFound if the first try has deleted it."""
        return self._json(Request("DELETE", self.hostname, path, params or {}, headers or {}))

    def list(
        self, path: str, params: Params | None = None, *, limit: int | None = PAGE
    ) -> Iterator[dict[str, Any]]:
        """Yield the objects of a collection page by page. `limit` is the page size (None: Qlik's default)."""
        request = Request("GET", self.hostname, path, {**(params or {}), "limit": limit})
        return paging.pages(self._send_and_parse, request)

    def find(
        self, path: str, name: str, params: Params | None = None, key: str = "name", *, search: str = "name"
    ) -> builtins.list[dict[str, Any]]:
        """Return the objects whose `key` is exactly `name`.

        Qlik's parameter `search` matches parts of names and ignores case, so the results are compared here.
        """
        results = self.list(path, {**(params or {}), search: name})
        return [found for found in results if found.get(key) == name]

    def export(self, path: str, params: Params | None = None) -> str:
        """Create temporary content (`POST /apps/{id}/export`) and return its path on this host.

        The request is repeated after a failure, because Qlik deletes surplus copies after an hour.
        """
        request = Request("POST", self.hostname, path, params or {}, repeatable=True)
        return redirects.location(request, self._send(request))

    def download(self, location: str, to: Path) -> int:
        """Stream `location` into the file `to`, which appears once complete. Return its size in bytes."""
        request = Request("GET", self.hostname, location)
        with self.cloud.default_deadline():
            return files.download(self._send, request, to, self.pause)

    def upload(self, path: str, file: Path, *, params: Params | None = None, repeatable: bool = False) -> Any:
        """Stream `file` as the body of a POST, and return the response."""
        return self._json(
            Request("POST", self.hostname, path, params or {}, file=file, repeatable=repeatable)
        )

    def send_form(self, method: str, path: str, form: Form, *, repeatable: bool = False) -> Any:
        """POST, PUT or PATCH the parts of a form (multipart/form-data)."""
        return self._json(Request(method, self.hostname, path, form=form, repeatable=repeatable))

    def pause(self, seconds: float, waiting_for: str) -> None:
        """Wait. Raises DeadlineExceeded, which names `waiting_for`, if the pause would reach the deadline."""
        self.cloud.pause(seconds, waiting_for)

    def _send(self, request: Request) -> Response:
        paths.check(request)
        return redirects.follow(self.cloud.send, request)

    def _send_and_parse(self, request: Request) -> tuple[Response, Any]:
        response = self._send(request)
        responses.remember(request, response)
        try:
            return response, response.json
        except ValueError:
            pass  # raise below, because a ValueError as context would contain the body
        raise responses.unexpected(request, response, "without complete JSON")

    def _json(self, request: Request) -> Any:
        response, value = self._send_and_parse(request)
        if problem := shapes.problem(request.method, request.plain_path, response.status, value):
            raise responses.unexpected(request, response, f"with {problem}")
        return value
