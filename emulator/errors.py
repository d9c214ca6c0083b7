"""Refusals, in the style of each Qlik API."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

STATUS_AS = {
    "tenants": str,
    "organization": str,
    "oauth": str,
    "web-integrations": str,
    "groups": int,
    "users": int,
    "identity-providers": int,
}
"""How an API writes `status` in an error: string, integer; the others leave it out."""

KNOWN_CODES = {
    ("tenants", 404): "TENANTS-8",
    ("groups", 404): "GROUPS-7",
    ("users", 404): "USERS-7",
    ("roles", 404): "IDENTITIES-10402",
    ("web-integrations", 400): "WEBINTEGRATIONS-6",
    ("web-integrations", 403): "WEBINTEGRATIONS_FORBIDDEN",
    ("web-integrations", 404): "WEBINTEGRATIONS_NOT_FOUND",
}
"""Published codes. Where none is published the code is `<API>-<status>`, which is the emulator's own."""

TITLES = {
    400: "Bad request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not found",
    409: "Conflict",
    410: "Gone",
    412: "Precondition failed",
    413: "Payload too large",
    416: "Range not satisfiable",
}


class Refusal(Exception):
    """What Qlik answers instead of doing it.

    Args:
        status: HTTP status.
        title: Qlik's short text; a plain one by default.
        code: Qlik's code; by default the published one of the API and status, else `<API>-<status>`.
        detail: what exactly is wrong.
        headers: further response headers.
        api: whose style to use, when it is not that of the API asked.
        extra: further members of the entry in `errors`, such as `meta` or `source`.
    """

    def __init__(
        self,
        status: int,
        title: str = "",
        *,
        code: str = "",
        detail: str = "",
        headers: Mapping[str, str] | None = None,
        api: str = "",
        **extra: Any,
    ) -> None:
        super().__init__(detail or title)
        self.status = status
        self.title = title or TITLES.get(status, "Error")
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})
        self.api = api
        self.extra = extra

    def body(self, api: str) -> dict[str, Any]:
        """The answer's JSON, in the style of that API (a contract file's name; empty for none)."""
        api = self.api or api
        code = self.code or KNOWN_CODES.get((api, self.status)) or f"{(api or 'http').upper()}-{self.status}"
        entry: dict[str, Any] = {"code": code, "title": self.title}
        if self.detail:
            entry["detail"] = self.detail
        if api in STATUS_AS:
            entry["status"] = STATUS_AS[api](self.status)
        body: dict[str, Any] = {"errors": [entry | self.extra], "traceId": secrets.token_hex(16)}
        if api == "licenses":
            # Deprecated there, and still required by the published schema.
            body |= {"error": self.title, "message": self.detail or self.title}
        return body


class Invalid(Exception):
    """A request that the contract does not allow; `pointer` or `parameter` names the part."""

    def __init__(self, detail: str, *, pointer: str = "", parameter: str = "") -> None:
        super().__init__(detail)
        self.pointer = pointer
        self.parameter = parameter

    def refusal(self, api: str) -> Refusal:
        """The same as a 400 of that API."""
        source = {"parameter": self.parameter} if self.parameter else {"pointer": self.pointer or "/"}
        if api in ("items", "apps", "licenses"):
            where = next(iter(source.values()))
            return Refusal(400, detail=f"{where}: {self}")
        extra = {"meta": {"source": source}} if api == "spaces" else {"source": source}
        return Refusal(400, detail=str(self), **extra)
