"""Webhooks. The emulator stores and shows them as Qlik does, but never calls them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tenantry.emulator.call import Call, Reply, operation
from tenantry.emulator.clock import iso
from tenantry.emulator.errors import Refusal
from tenantry.emulator.paging import page
from tenantry.emulator.scim import compile_filter
from tenantry.emulator.store import Doc, public
from tenantry.emulator.world import new_id

KIND = "webhook"
MAX_WEBHOOKS_PER_USER = 150
MAX_HEADER_BYTES = 2048
RELOAD_FINISHED = "com.qlik.v1.app.reload.finished"
DEFAULTS: Doc = {
    "description": "",
    "level": "tenant",
    "enabled": False,
    "eventTypes": [],
    "filter": "",
    "headers": {},
    "checkCertificateRevocation": False,
}
SECRETS = ("secret", "encryptedHeaders")
READ_ONLY = (
    "id",
    "createdAt",
    "updatedAt",
    "createdByUserId",
    "updatedByUserId",
    "disabledReason",
    "disabledReasonCode",
    "origin",
    "secretKeyAdded",
)


@operation("webhooks", "listWebhookEntriesCore")
def listing(call: Call) -> Reply:
    """Return a page. Administrators see all webhooks, other callers their own."""
    found = [doc for doc in _visible(call) if _matches(doc, call.query)]
    data, links = page(call, found, default=20, sort="-createdAt")
    return Reply(200, {"data": [_view(doc) for doc in data], "links": links})


@operation("webhooks", "createWebhookCore")
def create(call: Call) -> Reply:
    """Create a webhook. Neither names nor URLs are unique."""
    own = [doc for doc in call.store.all(call.tenant_id, KIND) if doc["createdByUserId"] == call.user_id]
    if len(own) >= MAX_WEBHOOKS_PER_USER:
        raise Refusal(403, detail=f"a user has at most {MAX_WEBHOOKS_PER_USER} webhooks")
    now, body = iso(call.world.now()), dict(call.body)
    created: Doc = {
        "id": new_id(),
        "origin": "api",
        **DEFAULTS,
        **{name: value for name, value in body.items() if name not in SECRETS},
        "enableCloudEventDelivery": True,
        "createdAt": now,
        "updatedAt": now,
        "createdByUserId": call.user_id,
        "updatedByUserId": call.user_id,
        "_secret": body.get("secret"),
        "_encryptedHeaders": body.get("encryptedHeaders", {}),
    }
    _check(call, created)
    call.store.put(call.tenant_id, KIND, created)
    return Reply(201, _view(created))


@operation("webhooks", "getWebhookCore")
def get(call: Call) -> Reply:
    """Read a webhook without its secrets."""
    return Reply(200, _view(_find(call)))


@operation("webhooks", "patchWebhookCore")
def patch(call: Call) -> Reply:
    """Change fields or single headers. A new URL needs every encrypted header in the same request."""
    old = _find(call)
    new: Doc = {**old, "headers": dict(old["headers"]), "_encryptedHeaders": dict(old["_encryptedHeaders"])}
    sent_headers: set[str] = set()
    for change in call.body:
        field, _, member = change["path"][1:].partition("/")
        if field in READ_ONLY:
            raise Refusal(409, detail=f"{change['path']} cannot be changed")
        name = f"_{field}" if field in SECRETS else field
        if field not in (*DEFAULTS, *SECRETS, "name", "url", "enableCloudEventDelivery"):
            raise Refusal(400, detail=f"unknown path: {change['path']}")
        if field == "encryptedHeaders":
            sent_headers |= {member} if member else {*old["_encryptedHeaders"]}
        if member and field in ("headers", "encryptedHeaders"):
            _change_member(new[name], member, change)
        elif change["op"] == "remove":
            new[name] = {} if field == "encryptedHeaders" else DEFAULTS.get(field)
        else:
            new[name] = change.get("value")
    if new["url"] != old["url"] and not sent_headers >= old["_encryptedHeaders"].keys():
        raise Refusal(400, detail="a new url needs all encrypted headers in the same request")
    if not new["enableCloudEventDelivery"]:
        raise Refusal(403, detail="enableCloudEventDelivery cannot be turned off")
    _check(call, new)
    new |= {"updatedAt": iso(call.world.now()), "updatedByUserId": call.user_id}
    call.store.put(call.tenant_id, KIND, new)
    return Reply(204)


@operation("webhooks", "deleteWebhookCore")
def delete(call: Call) -> Reply:
    """Delete a webhook."""
    call.store.delete(call.tenant_id, KIND, _find(call)["id"])
    return Reply(204)


def _visible(call: Call) -> Iterator[Doc]:
    for doc in call.store.all(call.tenant_id, KIND):
        if call.is_admin or call.user_id in (doc["createdByUserId"], doc.get("ownerId")):
            yield doc


def _find(call: Call) -> Doc:
    for doc in _visible(call):
        if doc["id"] == call.path["id"]:
            return doc
    raise Refusal(404)


def _view(doc: Doc) -> Doc:
    return public(doc) | {
        "secretKeyAdded": bool(doc["_secret"]),
        "encryptedHeaders": sorted(doc["_encryptedHeaders"]),
    }


def _matches(doc: Doc, query: Doc) -> bool:
    if query.get("name", "").casefold() not in doc["name"].casefold():
        return False
    if "url" in query and query["url"].casefold() != doc["url"].casefold():
        return False
    if not set(filter(None, query.get("eventTypes", "").split(","))) <= {*doc["eventTypes"]}:
        return False
    if "origins" in query and doc["origin"] not in query["origins"].split(","):
        return False
    exact = ("enabled", "level", "ownerId", "createdByUserId", "updatedByUserId")
    return all(doc.get(name) == query[name] for name in exact if name in query)


def _change_member(headers: Doc, name: str, change: Doc) -> None:
    if change["op"] == "remove":
        headers.pop(name, None)
    else:
        headers[name] = change.get("value")


TEXT_LENGTHS = {"name": 512, "url": 2048, "description": 1024, "filter": None}
SWITCHES = ("enabled", "checkCertificateRevocation", "enableCloudEventDelivery")


def _check(call: Call, doc: Doc) -> None:
    """Check the whole webhook against Qlik's rules, because a patch can set any value."""
    for name, max_length in TEXT_LENGTHS.items():
        if not isinstance(doc[name], str) or (max_length and len(doc[name]) > max_length):
            limit = f" of at most {max_length} characters" if max_length else ""
            raise Refusal(400, detail=f"{name} must be text{limit}")
    if not doc["name"] or not doc["url"].startswith("https://"):
        raise Refusal(400, detail="a name is required, and a url that starts with https://")
    if not all(isinstance(doc[name], bool) for name in SWITCHES):
        raise Refusal(400, detail=f"{', '.join(SWITCHES)} must be true or false")
    types = doc["eventTypes"]
    if not isinstance(types, list) or not all(isinstance(event_type, str) for event_type in types):
        raise Refusal(400, detail="eventTypes must be a list of strings")
    secret = doc["_secret"]
    if secret is not None and not (isinstance(secret, str) and 32 <= len(secret) <= 64):
        raise Refusal(400, detail="secret must have 32 to 64 characters")
    for name in ("headers", "_encryptedHeaders"):
        _check_headers(name.removeprefix("_"), doc[name])
    if doc["level"] not in ("tenant", "user"):
        raise Refusal(400, detail="level must be tenant or user")
    if doc["level"] == "tenant" and not call.is_admin:
        raise Refusal(403, detail="a webhook of the tenant needs the role TenantAdmin")
    if doc["level"] == "tenant" and "ownerId" in doc:
        raise Refusal(400, detail="only a webhook of a user can have an owner")
    if doc["filter"]:
        only_reload_events = types == [RELOAD_FINISHED]
        names = ("id", "spaceId", "topLevelResourceId", *(["data.status"] if only_reload_events else []))
        compile_filter(doc["filter"], dict.fromkeys(names, "eq ne"))


def _check_headers(name: str, headers: Any) -> None:
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        raise Refusal(400, detail=f"{name} must be an object with string values")
    if len({header.lower() for header in headers}) < len(headers):
        raise Refusal(400, detail=f"{name} has the same name twice")
    if sum(len(f"{key}{value}".encode()) for key, value in headers.items()) > MAX_HEADER_BYTES:
        raise Refusal(400, detail=f"{name} has more than {MAX_HEADER_BYTES} bytes")
