"""Pages of a list, with opaque cursors."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from tenantry.emulator.call import Call
from tenantry.emulator.errors import Invalid
from tenantry.emulator.store import Doc

Links = dict[str, dict[str, str]]


def page(
    call: Call,
    docs: list[Doc],
    *,
    default: int,
    sort: str = "createdAt",
    key: Callable[[Doc, str], Any] | None = None,
    base: str = "",
    cursors: tuple[str, str] = ("next", "prev"),
) -> tuple[list[Doc], Links]:
    """Return the page of `docs` that the query selects.

    A cursor holds the position of an entry in the requested order, not a number of entries to skip. So no
    entry is repeated or skipped if another one is created or deleted between two pages.

    Args:
        call: its query may have `limit`, `next`, `prev` and `sort`.
        docs: all documents that match.
        default: the page size without `limit`.
        sort: the order without `sort`: a field, with a leading `-` for descending.
        key: returns the sort value of a field. By default, the field as text, ignoring case.
        cursors: the parameters with the cursors forward and back. If the second is empty, there are no links
            back.
        base: the address of the list, if the links need another host than the request.

    Returns:
        The entries and the links. `next` and `prev` are present only if there is such a page.

    Raises:
        Invalid: the cursor is not from this list.
    """
    order = str(call.query.get("sort") or sort).split(",")[0].strip()
    name = order.lstrip("+-")
    sort_value = key or _text

    def position(doc: Doc) -> list[Any]:
        return [sort_value(doc, name), doc["id"]]

    docs = sorted(docs, key=position, reverse=order.startswith("-"))
    forward, back = cursors
    if forward in call.query and back in call.query:
        raise Invalid(f"{forward} and {back} cannot be combined", parameter=forward)
    size = int(call.query.get("limit", default))
    start = 0
    if forward in call.query:
        start = _after(docs, position, _decode(call.query[forward], forward), order.startswith("-"))
    elif back in call.query:
        end_position = _decode(call.query[back], back)
        start = max(0, _before(docs, position, end_position, order.startswith("-")) - size)
    entries = docs[start : start + size]
    address = base or call.url(call.operation.path.format(**call.path))
    parameters = {name: value for name, value in call.query.items() if name not in cursors}
    links = {"self": {"href": _address_with(address, call.query)}}
    if entries and start + size < len(docs):
        links["next"] = {
            "href": _address_with(address, parameters, **{forward: _encode(position(entries[-1]))})
        }
    if back and entries and start > 0:
        links["prev"] = {"href": _address_with(address, parameters, **{back: _encode(position(entries[0]))})}
    return entries, links


def page_by_ids(call: Call, docs: list[Doc], *, default: int) -> tuple[list[Doc], Links]:
    """Return the page of `docs` that `limit` and the id in `startingAfter` or `endingBefore` select.

    `docs` must be in order. The result is the entries and the links.

    Raises:
        Invalid: the id is not in the list, or both parameters are given.
    """
    query, ids = call.query, [doc["id"] for doc in docs]
    if "startingAfter" in query and "endingBefore" in query:
        raise Invalid("startingAfter and endingBefore cannot be combined", parameter="startingAfter")
    for name in ("startingAfter", "endingBefore"):
        if name in query and query[name] not in ids:
            raise Invalid("not an id of this list", parameter=name)
    size = int(query.get("limit", default))
    if "endingBefore" in query:
        end = ids.index(query["endingBefore"])
        start = max(0, end - size)
    else:
        start = ids.index(query["startingAfter"]) + 1 if "startingAfter" in query else 0
        end = min(start + size, len(ids))
    parameters = {
        name: value for name, value in query.items() if name not in ("startingAfter", "endingBefore")
    }
    address = call.url(call.operation.path)
    links = {"self": {"href": _address_with(address, parameters)}}
    if start < end < len(ids):
        links["next"] = {"href": _address_with(address, parameters, startingAfter=ids[end - 1])}
    if 0 < start < end:
        links["prev"] = {"href": _address_with(address, parameters, endingBefore=ids[start])}
    return docs[start:end], links


def _text(doc: Doc, name: str) -> Any:
    return str(doc.get(name, "")).casefold()


def _after(docs: list[Doc], position: Callable[[Doc], Any], cursor: Any, descending: bool) -> int:
    for index, doc in enumerate(docs):
        if position(doc) < cursor if descending else position(doc) > cursor:
            return index
    return len(docs)


def _before(docs: list[Doc], position: Callable[[Doc], Any], cursor: Any, descending: bool) -> int:
    for index, doc in enumerate(docs):
        if position(doc) <= cursor if descending else position(doc) >= cursor:
            return index
    return len(docs)


def _encode(position: list[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def _decode(cursor: str, parameter: str) -> list[Any]:
    try:
        value = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        value = None
    if not (isinstance(value, list) and len(value) == 2 and all(isinstance(part, str) for part in value)):
        raise Invalid("not a cursor of this list", parameter=parameter)
    return value


def _address_with(address: str, query: dict[str, Any], **cursor: str) -> str:
    texts = {name: _as_text(value) for name, value in (query | cursor).items()}
    return f"{address}?{urlencode(texts)}" if texts else address


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, list) else str(value)
