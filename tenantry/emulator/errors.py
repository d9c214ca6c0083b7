"""Error responses, in the style of each Qlik API."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

STATUS_TYPES = {
    "tenants": str,
    "organization": str,
    "oauth": str,
    "web-integrations": str,
    "login": str,
    "data-connections": int,
    "groups": int,
    "users": int,
    "identity-providers": int,
}
"""How an API writes `status` in an error: as a string or an integer. The other APIs leave it out."""

APIS_WITHOUT_SOURCE = {
    "automations",
    "brands",
    "csp-origins",
    "data-connections",
    "data-files",
    "oauth",
    "oauth-clients",
    "apps",
    "items",
    "licenses",
    "login",
    "reloads",
    "temp-contents",
    "ui-config",
    "webhooks",
}
"""APIs whose errors have no `source`. It goes into `detail` there. The Spaces API keeps it under `meta`."""

KNOWN_CODES = {
    ("tenants", 404): "TENANTS-8",
    ("groups", 404): "GROUPS-7",
    ("users", 404): "USERS-7",
    ("roles", 404): "IDENTITIES-10402",
    ("web-integrations", 400): "WEBINTEGRATIONS-6",
    ("web-integrations", 403): "WEBINTEGRATIONS_FORBIDDEN",
    ("web-integrations", 404): "WEBINTEGRATIONS_NOT_FOUND",
}
"""Published codes. For the rest, the emulator uses its own code, `<API>-<status>`."""

PUBLISHED_404 = {code for (_, status), code in KNOWN_CODES.items() if status == 404} | {"CSRF-TOKEN-3"}
"""Every code in the contract for a 404."""

PATCH_CODES = {
    "tenants": ("TENANTS-10", "Invalid PATCH request"),
    "web-integrations": ("WEBINTEGRATIONS-4", "Invalid patch"),
}
"""API -> code and title for a patch that the contract does not allow."""

MISSING_CODES = {
    "tenants": ("TENANTS-21", "Missing licenseKey property"),
    "web-integrations": ("WEBINTEGRATIONS-5", "Missing required field"),
}
"""API -> code and title for a body without a required member."""

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
    """Qlik's error response to a request.

    Args:
        status: HTTP status.
        title: Qlik's short text. By default, the usual text for the status.
        code: Qlik's code. By default, the published code of the API and status, or else `<API>-<status>`.
        detail: what exactly is wrong.
        headers: further response headers.
        api: the API whose style to use. By default, the API of the request.
        source: the wrong part: `{"pointer": ...}` in the body or `{"parameter": ...}` in the query.
        extra: further members of the entry in `errors`, such as `meta`.
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
        source: dict[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail or title)
        self.status = status
        self.title = title or TITLES.get(status, "Error")
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})
        self.api = api
        self.source = source or {}
        self.extra = extra

    def code_in(self, api: str) -> str:
        """Return the error code in the response of an API."""
        api = self.api or api
        return self.code or KNOWN_CODES.get((api, self.status)) or f"{(api or 'http').upper()}-{self.status}"

    def body(self, api: str) -> dict[str, Any]:
        """Return the JSON in the style of an API (the name of a contract file; empty for none)."""
        code = self.code_in(api)
        api = self.api or api
        entry: dict[str, Any] = {"code": code, "title": self.title}
        detail = self.detail
        extra = dict(self.extra)
        if self.source and api in APIS_WITHOUT_SOURCE:
            detail = f"{next(iter(self.source.values()))}: {detail}"
        elif self.source and api == "spaces":
            extra["meta"] = {"source": self.source}
        elif self.source:
            extra["source"] = self.source
        if detail:
            entry["detail"] = detail
        if api in STATUS_TYPES:
            entry["status"] = STATUS_TYPES[api](self.status)
        body: dict[str, Any] = {"errors": [entry | extra], "traceId": secrets.token_hex(16)}
        if api == "spaces":
            # Deprecated there, but clients still read them.
            body |= {name: entry[name] for name in ("code", "title", "detail") if name in entry}
        if api == "licenses":
            # Deprecated there, but the published schema still requires them.
            body |= {"error": self.title, "message": self.detail or self.title}
        if api == "ui-config":
            # Published without `errors`. All other APIs have it.
            body |= {"code": self.status, "message": self.detail or self.title}
        return body


class Invalid(Exception):
    """A request that the contract does not allow.

    Args:
        pointer: the wrong part of the body, as a JSON pointer.
        parameter: the wrong query parameter.
        missing: the name of the missing member.
    """

    def __init__(self, detail: str, *, pointer: str = "", parameter: str = "", missing: str = "") -> None:
        super().__init__(detail)
        self.pointer = pointer
        self.parameter = parameter
        self.missing = missing

    def refusal(self, api: str, method: str) -> Refusal:
        """Convert this to a 400 in the style of an API, for a request with that method."""
        special = PATCH_CODES if method == "PATCH" else MISSING_CODES if self.missing else {}
        code, title = special.get(api, ("", ""))
        source = {"parameter": self.parameter} if self.parameter else {"pointer": self.pointer or "/"}
        if code == "TENANTS-10":
            return _rejected_patch(source, str(self))
        if code == "WEBINTEGRATIONS-5":
            return Refusal(400, title, code=code, meta={"requiredFields": [self.missing]})
        return Refusal(400, title, code=code, detail=str(self), source=source)


def rejected_patch(pointer: str, cause: str) -> Refusal:
    """Return the Tenants API's own error for a refused patch: no status, the cause under `meta`."""
    return _rejected_patch({"pointer": pointer}, cause)


def _rejected_patch(source: dict[str, str], cause: str) -> Refusal:
    code, title = PATCH_CODES["tenants"]
    meta = {"code": code, "title": cause}
    return Refusal(400, title, code=code, api="tenants-patch", meta=meta, source=source)
