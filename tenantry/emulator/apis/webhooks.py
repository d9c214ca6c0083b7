"""Webhooks: kept and shown as Qlik does. Nothing is ever called."""

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
PER_USER = 150
BYTES_OF_HEADERS = 2048
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
    """A page. Administrators see all webhooks, others their own."""
    found = [each for each in _visible(call) if _fits(each, call.query)]
    data, links = page(call, found, default=20, sort="-createdAt")
    return Reply(200, {"data": [_view(each) for each in data], "links": links})


@operation("webhooks", "createWebhookCore")
def create(call: Call) -> Reply:
    """Make one; neither names nor URLs are unique."""
    own = [each for each in call.store.all(call.tenant_id, KIND) if each["createdByUserId"] == call.user_id]
    if len(own) >= PER_USER:
        raise Refusal(403, detail=f"a user has at most {PER_USER} webhooks")
    now, body = iso(call.world.now()), dict(call.body)
    made: Doc = {
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
    _check(call, made)
    call.store.put(call.tenant_id, KIND, made)
    return Reply(201, _view(made))


@operation("webhooks", "getWebhookCore")
def get(call: Call) -> Reply:
    """Read one, without its secrets."""
    return Reply(200, _view(_find(call)))


@operation("webhooks", "patchWebhookCore")
def patch(call: Call) -> Reply:
    """Change fields, or single headers. A new URL takes every encrypted header along."""
    old = _find(call)
    new: Doc = {**old, "headers": dict(old["headers"]), "_encryptedHeaders": dict(old["_encryptedHeaders"])}
    sent: set[str] = set()
    for change in call.body:
        field, _, member = change["path"][1:].partition("/")
        if field in READ_ONLY:
            raise Refusal(409, detail=f"{change['path']} cannot be changed")
        name = f"_{field}" if field in SECRETS else field
        if field not in (*DEFAULTS, *SECRETS, "name", "url", "enableCloudEventDelivery"):
            raise Refusal(400, detail=f"there is no {change['path']}")
        if field == "encryptedHeaders":
            sent |= {member} if member else {*old["_encryptedHeaders"]}
        if member and field in ("headers", "encryptedHeaders"):
            _change_member(new[name], member, change)
        elif change["op"] == "remove":
            new[name] = {} if field == "encryptedHeaders" else DEFAULTS.get(field)
        else:
            new[name] = change.get("value")
    if new["url"] != old["url"] and not sent >= old["_encryptedHeaders"].keys():
        raise Refusal(400, detail="a new url takes all encrypted headers in the same request")
    if not new["enableCloudEventDelivery"]:
        raise Refusal(403, detail="enableCloudEventDelivery cannot be turned off")
    _check(call, new)
    new |= {"updatedAt": iso(call.world.now()), "updatedByUserId": call.user_id}
    call.store.put(call.tenant_id, KIND, new)
    return Reply(204)


@operation("webhooks", "deleteWebhookCore")
def delete(call: Call) -> Reply:
    """Remove one."""
    call.store.delete(call.tenant_id, KIND, _find(call)["id"])
    return Reply(204)


def _visible(call: Call) -> Iterator[Doc]:
    for each in call.store.all(call.tenant_id, KIND):
        if call.is_admin or call.user_id in (each["createdByUserId"], each.get("ownerId")):
            yield each


def _find(call: Call) -> Doc:
    for each in _visible(call):
        if each["id"] == call.path["id"]:
            return each
    raise Refusal(404)


def _view(doc: Doc) -> Doc:
    return public(doc) | {
        "secretKeyAdded": bool(doc["_secret"]),
        "encryptedHeaders": sorted(doc["_encryptedHeaders"]),
    }


def _fits(doc: Doc, query: Doc) -> bool:
    if query.get("name", "").casefold() not in doc["name"].casefold():
        return False
    if "url" in query and query["url"].casefold() != doc["url"].casefold():
        return False
    if not {each for each in query.get("eventTypes", "").split(",") if each} <= {*doc["eventTypes"]}:
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


TEXTS = {"name": 512, "url": 2048, "description": 1024, "filter": None}
SWITCHES = ("enabled", "checkCertificateRevocation", "enableCloudEventDelivery")


def _check(call: Call, doc: Doc) -> None:
    """Hold the whole webhook against Qlik's rules, as a patch may bring any value."""
    for name, most in TEXTS.items():
        if not isinstance(doc[name], str) or (most and len(doc[name]) > most):
            raise Refusal(400, detail=f"{name} must be text of {most} characters at most")
    if not doc["name"] or not doc["url"].startswith("https://"):
        raise Refusal(400, detail="a webhook has a name, and a url with https://")
    if not all(isinstance(doc[name], bool) for name in SWITCHES):
        raise Refusal(400, detail=f"{', '.join(SWITCHES)} are true or false")
    types = doc["eventTypes"]
    if not isinstance(types, list) or not all(isinstance(each, str) for each in types):
        raise Refusal(400, detail="eventTypes must be a list of texts")
    secret = doc["_secret"]
    if secret is not None and not (isinstance(secret, str) and 32 <= len(secret) <= 64):
        raise Refusal(400, detail="secret must have 32 to 64 characters")
    for name in ("headers", "_encryptedHeaders"):
        _check_headers(name.removeprefix("_"), doc[name])
    if doc["level"] not in ("tenant", "user"):
        raise Refusal(400, detail="level is tenant or user")
    if doc["level"] == "tenant" and not call.is_admin:
        raise Refusal(403, detail="a webhook of the tenant takes the role TenantAdmin")
    if doc["level"] == "tenant" and "ownerId" in doc:
        raise Refusal(400, detail="only a webhook of a user has an owner")
    if doc["filter"]:
        alone = types == [RELOAD_FINISHED]
        names = ("id", "spaceId", "topLevelResourceId", *(["data.status"] if alone else []))
        compile_filter(doc["filter"], dict.fromkeys(names, "eq ne"))


def _check_headers(name: str, headers: Any) -> None:
    if not isinstance(headers, dict) or not all(isinstance(each, str) for each in headers.values()):
        raise Refusal(400, detail=f"{name} must be texts by name")
    if len({each.lower() for each in headers}) < len(headers):
        raise Refusal(400, detail=f"{name} has a name twice")
    if sum(len(f"{key}{value}".encode()) for key, value in headers.items()) > BYTES_OF_HEADERS:
        raise Refusal(400, detail=f"{name} has more than {BYTES_OF_HEADERS} bytes")
