"""CSP origins: the origins that the tenant's content security policy allows."""

from __future__ import annotations

import fnmatch
import re

from tenantry.emulator.call import Call, Reply, operation
from tenantry.emulator.clock import iso
from tenantry.emulator.errors import Refusal
from tenantry.emulator.paging import page
from tenantry.emulator.store import Doc
from tenantry.emulator.world import new_id

KIND = "csp-origin"
LIMIT = 256
HEADER_LIMIT = 6144
ORIGIN = re.compile(r"(?:[a-z][a-z0-9+.-]*://)?(?:\*\.)?[^/*?#@\s]+", re.IGNORECASE)
DIRECTIVES = (
    "childSrc",
    "connectSrc",
    "connectSrcWSS",
    "fontSrc",
    "formAction",
    "frameAncestors",
    "frameSrc",
    "imgSrc",
    "mediaSrc",
    "objectSrc",
    "scriptSrc",
    "styleSrc",
    "workerSrc",
)


@operation("csp-origins", "listCSPEntries")
def listing(call: Call) -> Reply:
    """Return a page. Filters for names and origins can have wildcards, and ignore case."""
    found = [entry for entry in call.store.all(call.tenant_id, KIND) if _matches(entry, call.query)]
    data, links = page(call, found, default=20, sort="createdDate")
    return Reply(200, {"data": data, "links": links})


@operation("csp-origins", "createCSPEntry")
def create(call: Call) -> Reply:
    """Create an entry. Neither names nor origins are unique."""
    existing = call.store.all(call.tenant_id, KIND)
    if len(existing) >= LIMIT:
        raise Refusal(400, detail=f"a tenant has at most {LIMIT} entries")
    now = iso(call.world.now())
    created = {"id": new_id(), **_content(call), "createdDate": now, "modifiedDate": now}
    _check_header([*existing, created])
    call.store.put(call.tenant_id, KIND, created)
    return Reply(201, created)


@operation("csp-origins", "getCSPEntry")
def get(call: Call) -> Reply:
    """Read an entry."""
    return Reply(200, _find(call))


@operation("csp-origins", "updateCSPEntry")
def put(call: Call) -> Reply:
    """Replace an entry. A directive missing from the body is off. A missing text is empty."""
    old = _find(call)
    new = {
        "id": old["id"],
        **_content(call),
        "createdDate": old["createdDate"],
        "modifiedDate": iso(call.world.now()),
    }
    others = [entry for entry in call.store.all(call.tenant_id, KIND) if entry["id"] != old["id"]]
    _check_header([*others, new])
    call.store.put(call.tenant_id, KIND, new)
    return Reply(200, new)


@operation("csp-origins", "deleteCSPEntry")
def delete(call: Call) -> Reply:
    """Delete an entry."""
    call.store.delete(call.tenant_id, KIND, _find(call)["id"])
    return Reply(204)


def _find(call: Call) -> Doc:
    found = call.store.get(call.tenant_id, KIND, call.path["id"])
    if found is None:
        raise Refusal(404)
    return found


def _content(call: Call) -> Doc:
    body = call.body
    if not ORIGIN.fullmatch(body["origin"]):
        raise Refusal(400, detail="origin must be [scheme://]host[:port]", source={"pointer": "/origin"})
    texts = {"name": body.get("name", ""), "description": body.get("description", "")}
    return {**texts, "origin": body["origin"], **{name: body.get(name, False) for name in DIRECTIVES}}


def _check_header(entries: list[Doc]) -> None:
    length = sum(len(entry["origin"]) + 1 for entry in entries for name in DIRECTIVES if entry[name])
    if length > HEADER_LIMIT:
        raise Refusal(400, detail=f"the CSP header is limited to {HEADER_LIMIT} characters")


def _matches(entry: Doc, query: Doc) -> bool:
    texts = all(
        fnmatch.fnmatchcase(entry[name].casefold(), query[name].casefold())
        for name in ("name", "origin")
        if name in query
    )
    return texts and all(entry[name] == query[name] for name in DIRECTIVES if name in query)
