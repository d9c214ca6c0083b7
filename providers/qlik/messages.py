"""One request and one answer, as plain values that know nothing of the HTTP library."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

MAX_DEPTH = 60
"""Levels of an answer in each other. Qlik's have fewer than ten."""

JsonBody = dict[str, Any] | list[Any]
Params = Mapping[str, Any]


class Part(NamedTuple):
    """One part of a form (multipart/form-data): a text, or a file where it has a file name.

    `file` is a file on this machine that is streamed in place of `content`.
    """

    content: bytes
    media_type: str
    file_name: str | None = None
    file: Path | None = None


Form = Mapping[str, Part]
"""The parts of a form by name."""


class Waiting(str):
    """A line for the user that is of use only while something takes its time."""

    __slots__ = ()


@dataclass(frozen=True)
class Request:
    """A request to one Qlik host.

    `path` starts with a slash; what it may hold says `tenantry.providers.qlik.paths`. `body` is JSON, `file`
    a file sent as an octet stream instead, `form` the parts of a form that is sent instead, `into` the file
    that takes the body of a good answer. `repeatable` says that sending it twice does no harm. `credentials`
    names where the OAuth client came from, for token requests only. `proof` holds headers that say who asks,
    where that is not the OAuth client. `most` is the number of bytes of an answer that goes into memory.
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
    credentials: str = ""
    proof: Mapping[str, str] | None = field(default=None, repr=False)
    max_bytes: int = 64 << 20

    def __post_init__(self) -> None:
        if not self.path.startswith("/"):
            raise ValueError(f"a path starts with a slash: {self.path!r}")

    @property
    def changes(self) -> bool:
        """Whether it changes something at Qlik: everything but reads and fetching a token."""
        return self.method != "GET" and not self.credentials

    @property
    def plain_path(self) -> str:
        """The path without a query."""
        return urlsplit(self.path).path

    @property
    def query(self) -> dict[str, Any]:
        """The parameters as Qlik writes them: true and false in small letters, None left out."""
        return {
            name: str(value).lower() if isinstance(value, bool) else value
            for name, value in self.params.items()
            if value is not None
        }


@dataclass(frozen=True)
class Answer:
    """What came back: `headers` find their names in any case; `length` counts the bytes of the body."""

    status: int
    headers: Mapping[str, str]
    content: bytes = field(default=b"", repr=False)
    length: int = 0

    @property
    def ok(self) -> bool:
        """Whether Qlik did what was asked."""
        return 200 <= self.status < 300

    @cached_property
    def json(self) -> Any:
        """The body as JSON, None if it is empty; raises ValueError if it is something else, or if it is
        nested too deeply or has text that cannot be written.
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
            json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is no text
        return value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        nested = [each for each in level if isinstance(each, dict | list)]
        level = [item for each in nested for item in (each.values() if isinstance(each, dict) else each)]
        if not level:
            return False
    return True
