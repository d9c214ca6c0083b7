"""A request and a response, as plain values that do not depend on the HTTP library."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

MAX_DEPTH = 60
"""The deepest nesting of a response. Qlik's responses have fewer than ten levels."""

JsonBody = dict[str, Any] | list[Any]
Params = Mapping[str, Any]


class Part(NamedTuple):
    """One part of a form (multipart/form-data): a text, or a file if it has a file name.

    `file` is a file on this machine, which is streamed instead of `content`.
    """

    content: bytes
    media_type: str
    file_name: str | None = None
    file: Path | None = None


Form = Mapping[str, Part]
"""The parts of a form by name."""


class Waiting(str):
    """A line of output about a wait. It is of interest only while the wait lasts."""

    __slots__ = ()


@dataclass(frozen=True)
class Request:
    """A request to one Qlik host.

    `path` starts with a slash, and `tenantry.providers.qlik.paths` checks it. `body` is JSON. Instead of it,
    `file` is sent as an octet stream, or `form` as a form. `into` is the file for the body of a successful
    response. `repeatable`: sending it twice does no harm. `client_source` says where the OAuth client is
    configured, for token requests only. `login_headers` authenticate someone other than the OAuth client.
    `max_bytes` is the most that a response may take in memory.
    """

    method: str
    host: str
    path: str
    params: Params = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: JsonBody | None = field(default=None, repr=False)
    file: Path | None = None
    form: Form | None = field(default=None, repr=False)
    into: Path | None = None
    repeatable: bool = False
    client_source: str = ""
    login_headers: Mapping[str, str] | None = field(default=None, repr=False)
    max_bytes: int = 64 << 20

    def __post_init__(self) -> None:
        if not self.path.startswith("/"):
            raise ValueError(f"a path starts with a slash: {self.path!r}")

    @property
    def may_change(self) -> bool:
        """True if the request may change something at Qlik. Only reads and token requests do not."""
        return self.method != "GET" and not self.client_source

    @property
    def plain_path(self) -> str:
        """The path without a query."""
        return urlsplit(self.path).path

    @property
    def query(self) -> dict[str, Any]:
        """The parameters in Qlik's form: true and false in lower case, without None."""
        return {
            name: str(value).lower() if isinstance(value, bool) else value
            for name, value in self.params.items()
            if value is not None
        }


@dataclass(frozen=True)
class Response:
    """A response. `headers` ignore the case of names. `length` is the size of the body in bytes."""

    status: int
    headers: Mapping[str, str]
    content: bytes = field(default=b"", repr=False)
    length: int = 0

    @property
    def ok(self) -> bool:
        """True if Qlik carried out the request."""
        return 200 <= self.status < 300

    @cached_property
    def json(self) -> Any:
        """The parsed JSON body, None if the body is empty.

        Raises ValueError if the body is not JSON, is nested too deeply, or has text that cannot be encoded.
        """
        if not self.content.strip():
            return None
        try:
            value = json.loads(self.content, parse_constant=_refuse)
        except RecursionError:
            raise ValueError("nested too deeply") from None
        if self.content.count(b"[") + self.content.count(b"{") > MAX_DEPTH and _too_deep(value):
            raise ValueError("nested too deeply")
        if b"\\u" in self.content:
            json.dumps(value, ensure_ascii=False).encode()  # fails for half a surrogate pair
        return value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        nested = [value for value in level if isinstance(value, dict | list)]
        level = [item for value in nested for item in (value.values() if isinstance(value, dict) else value)]
        if not level:
            return False
    return True
