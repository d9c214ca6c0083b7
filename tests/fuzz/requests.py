"""Requests that no client sends: garbage, and requests with one or more errors."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from tenantry.emulator.apis import apps  # noqa: F401 - registers the handlers
from tenantry.emulator.call import HANDLERS
from tenantry.emulator.contract import Operation, contract
from tests.emulator.api import CONSOLE, REGISTER, SOURCE

ODD_TEXTS = (
    "", " ", "\0", "\r\n", "a\nb", "%", "%00", "%zz", "%ff", "..", "../..", "/", "//", "?", "#", "&",
    "=", ",", ";",
    '"', "'", "\\", "{id}", "*", "-1", "0", "9" * 5000, "1e999", "NaN", "true", "TRUE", "null", "[]",
    "{}", "a" * 3000,
    "\u00e9", "\u202e", "\U0001f600", 'name eq "', "not not not", "(" * 60, "a eq b or", "+name", "-", "me",
    "bytes=0-", "Bearer", "Basic", "Basic Zg==", "chunked", "2026-12-31", "-----BEGIN PUBLIC KEY-----",
    "~spaceId0~", "~spaceId1~", "~appId0~", "~appId1~", "~userId0~", "~groupId0~", "~id2~", "~id3~",
    "TenantAdmin", "custom",
)  # fmt: skip
ODD_VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 1e308, 10**30, "", [], {}, [[]], [None], {"": None}, "\ud800", "a" * 3000,
    [1] * 300,
    {"op": "replace", "path": "/name", "value": {}}, [{"op": "add", "path": "", "value": 1}], [{}],
)  # fmt: skip
ODD_BODIES = (
    b"", b"\xff\xfe", b"{", b"[" * 20_000, b'{"a":' * 5_000, b"NaN", b"1e999", b'"\\ud800"', b"\0",
    b'{"a":1,"a":2}',
    b"9" * 5000, b"a=b&&=&a=%zz", b"{}" * 300_000, b"\xef\xbb\xbf{}",
)  # fmt: skip
ODD_LINES = (
    b"\r\n", b"\0", b"\xff", b": x", b"a", b" a: b", b"a b: c", b"Host: x", b"Host: " + SOURCE.encode(),
    b"Host:",
    b"Content-Length: -1", b"Content-Length: 5, 6", b"Content-Length: 99999999999999999999",
    b"Content-Length: x",
    b"Content-Length: 3", b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip", b"Expect: 100-continue",
    b"Upgrade: websocket", b"Connection: upgrade", b"Content-Type: text/plain", b"Content-Type:",
    b"Cookie: eas.sid",
    b"Cookie: =;;=", b"Authorization: Bearer", b"Authorization: Basic %%%", b"Range: bytes=5-1",
    b"X: " + b"a" * 70_000,
    b"Tus-Resumable: 1.0.0", b"Upload-Length: 99999999999999999999", b"Upload-Offset: -1",
    b"Upload-Metadata: ,,",
)  # fmt: skip
METHODS = (
    "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "PRI", "get", "",
    "\0", "A" * 99,
)  # fmt: skip
VERSIONS = (b"HTTP/1.1",) * 40 + (b"HTTP/1.0", b"HTTP/0.9", b"HTTP/2.0", b"HTTP/9", b"", b"HTTP/1.1 x")
HOST_OF = {"tenant": "~tenant~", "any": "~tenant~", "register": REGISTER, "console": CONSOLE}
HOSTS = (
    "~tenant~", SOURCE, REGISTER, CONSOLE, "127.0.0.1", "127.0.0.1", "localhost",
    "none.eu.qlikcloud.com", "", "x" * 300,
    "[::1", "a:b",
)  # fmt: skip
CONTROL = (
    "health", "requests", "faults", "clock", "settings", "dump", "tokens", "faults/x",
    "faults/x/release", "",
)  # fmt: skip

texts = st.one_of(st.sampled_from(ODD_TEXTS), st.text(max_size=12))
values = st.recursive(
    st.one_of(st.sampled_from(ODD_VALUES), texts, st.integers(), st.floats(allow_nan=False)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=6,
)


COVERED = [operation for operation in contract().operations if (operation.api, operation.id) in HANDLERS]
ID_COUNTS = {
    "spaceId": 2, "assignmentId": 1, "userId": 1, "groupId": 3, "appId": 2, "itemId": 2, "id": 12,
    "tenantId": 1, "qID": 1, "hint": 1, "reloadId": 1, "brandId": 1, "fileId": 1,
}  # fmt: skip
"""The number of existing ids for each parameter of a path. A request contains an id as `~spaceId0~`."""


def garbage() -> st.SearchStrategy[bytes]:
    """Generate bytes that are not a request, although some begin like one."""
    starts = st.sampled_from(
        (b"", b"GET ", b"GET / HTTP/1.1\r\n", b"\x16\x03\x01", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    )
    return st.builds(lambda start, rest: start + rest, starts, st.binary(max_size=200))


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """Draw a request that is mostly correct. The sender replaces the text between tildes."""
    operation = draw(st.sampled_from(COVERED if _usually(draw) else contract().operations))
    host = HOST_OF[operation.host] if _usually(draw) else draw(st.sampled_from(HOSTS))
    method = operation.method if _usually(draw) else draw(st.sampled_from(METHODS))
    target = _target(draw, operation, host)
    lines = [b" ".join((method.encode(), target, draw(st.sampled_from(VERSIONS)))), b"Host: " + host.encode()]
    if _usually(draw):
        lines.append(b"Authorization: Bearer ~token~")
    body = _body(draw, operation)
    if body and _usually(draw):
        types = [*operation.media_types, "application/json"]
        lines.append(b"Content-Type: " + draw(st.sampled_from(types)).encode())
    if _usually(draw):
        lines.append(b"Content-Length: ~length~")
    if _usually(draw):
        lines.append(b"Connection: close")
    for _ in range(draw(st.sampled_from((0,) * 8 + (1, 2)))):
        lines.insert(
            draw(st.integers(0, len(lines))),
            draw(st.one_of(st.sampled_from(ODD_LINES), st.binary(max_size=30))),
        )
    raw = b"\r\n".join(lines) + b"\r\n\r\n" + body
    if _usually(draw):
        return raw
    position = draw(st.integers(0, min(len(raw), 400)))
    return raw[:position] + draw(st.binary(max_size=3)) + raw[position + draw(st.integers(0, 3)) :]


def _usually(draw: st.DrawFn) -> bool:
    """Draw True in 15 of 16 cases."""
    return draw(st.integers(0, 15)) > 0


def _target(draw: st.DrawFn, operation: Operation, host: str) -> bytes:
    if host in ("127.0.0.1", "localhost"):
        path = f"/_emulator/{draw(st.sampled_from(CONTROL))}"
    else:
        path = operation.path
        for name in operation.pattern.groupindex:
            ids = [f"~{name}{number}~" for number in range(ID_COUNTS.get(name, 0))]
            id = draw(st.sampled_from(ids)) if ids and _usually(draw) else _quoted(draw(texts))
            path = path.replace(f"{{{name}}}", id)
    names = [parameter["name"] for parameter in operation.parameters if parameter["in"] == "query"]
    if not names or not _usually(draw):
        names = ["colour"] if not _usually(draw) else []
    pairs = draw(st.lists(st.tuples(st.sampled_from(names), texts), max_size=2)) if names else []
    query = "&".join(f"{name}={_quoted(text)}" for name, text in pairs)
    target = (f"{path}?{query}" if query else path).encode("utf-8", "surrogatepass")
    return (
        target
        if _usually(draw)
        else draw(st.sampled_from((b"*", b"", b"http://x/", b"/" + target, target + b"?")))
    )


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="~")


def _body(draw: st.DrawFn, operation: Operation) -> bytes:
    if not operation.body or not _usually(draw):
        return draw(st.sampled_from((b"", b"{}", *ODD_BODIES)))
    if operation.is_upload:
        return draw(st.binary(max_size=100))
    if not _usually(draw):
        return draw(st.sampled_from(ODD_BODIES))
    return json.dumps(_allowed(draw, operation, _schema(operation), 0)).encode()


def _schema(operation: Operation) -> dict[str, Any]:
    content = (operation.body or {})["content"]
    return dict(next(iter(content.values())).get("schema", {}))


def _allowed(draw: st.DrawFn, operation: Operation, schema: dict[str, Any], depth: int) -> Any:
    """Draw a value that the schema allows, and occasionally another one."""
    if depth > 6 or not _usually(draw):
        return draw(values)
    schema = operation.document.resolve(schema)
    for key in ("oneOf", "anyOf"):
        if options := [option for option in schema.get(key, []) if option.keys() - {"required"}]:
            return _allowed(draw, operation, draw(st.sampled_from(options)), depth + 1)
    if "enum" in schema:
        return draw(st.sampled_from(schema["enum"]))
    if "const" in schema:
        return schema["const"]
    if "allOf" in schema or "properties" in schema:
        parts = [operation.document.resolve(part) for part in (*schema.get("allOf", []), schema)]
        members = {
            name: part for subschema in parts for name, part in subschema.get("properties", {}).items()
        }
        required = {name for subschema in parts for name in subschema.get("required", [])}
        return {
            name: _allowed(draw, operation, part, depth + 1)
            for name, part in members.items()
            if (name in required and _usually(draw)) or draw(st.integers(0, 3)) == 0
        }
    type_ = schema.get("type")
    type_ = type_[0] if isinstance(type_, list) else type_
    if type_ == "array":
        return [
            _allowed(draw, operation, schema.get("items", {}), depth + 1)
            for _ in range(draw(st.integers(0, 3)))
        ]
    scalars: dict[Any, st.SearchStrategy[Any]] = {
        "string": texts,
        "integer": st.integers(),
        "number": st.floats(allow_nan=False),
        "boolean": st.booleans(),
    }
    return draw(scalars.get(type_, values))
