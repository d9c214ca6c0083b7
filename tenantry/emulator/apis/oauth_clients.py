"""The OAuth clients of a tenant. Only the digests of their secrets are stored."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import Any
from urllib.parse import urlsplit

from tenantry.emulator.call import Call, Reply, operation
from tenantry.emulator.clock import iso
from tenantry.emulator.errors import Refusal
from tenantry.emulator.paging import page
from tenantry.emulator.scim import compile_filter
from tenantry.emulator.store import Doc, Store, public
from tenantry.emulator.world import new_id

KIND = "oauth-client"
MAX_SECRETS = 5
HINT_LENGTH = 5
IMPERSONATION = "urn:qlik:oauth:user-impersonation"
ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/*?#@\s]+", re.IGNORECASE)
FILTERABLE = dict.fromkeys(("clientId", "clientName", "appType", "tenantId", "createdByType"), "eq co")


@operation("oauth-clients", "readAllOAuthClients")
def listing(call: Call) -> Reply:
    """Return a page. A filter can select names."""
    matches = compile_filter(call.query["filter"], FILTERABLE) if "filter" in call.query else None
    found = [doc for doc in call.store.all(call.tenant_id, KIND) if matches is None or matches(doc)]
    data, links = page(call, found, default=20)
    return Reply(200, {"data": [_view(doc) for doc in data], "links": links})


@operation("oauth-clients", "createOAuthClient")
def create(call: Call) -> Reply:
    """Create a client. Names are not unique. A `web` client has a secret, which only this response shows."""
    now, id = iso(call.world.now()), new_id()
    created: Doc = {
        "ownerId": call.tenant_id,
        "createdByType": "service",
        "createdAt": now,
        "updatedAt": now,
        "connectionConfig": {"consentMethod": "required"},
        **call.body,
        "id": id,
        "clientId": id,
        "_secrets": [],
    }
    if created["appType"] == "web":
        created.setdefault("allowedAuthMethods", ["client_secret"])
    _check(created)
    secret = {}
    if "client_secret" in created.get("allowedAuthMethods", []):
        secret = {"clientSecret": _new_secret(call, created)}
    call.store.put(call.tenant_id, KIND, created)
    return Reply(201, _view(created) | secret)


@operation("oauth-clients", "readOAuthClient")
def get(call: Call) -> Reply:
    """Read a client. Its consent method has its own operation."""
    return Reply(
        200, {name: value for name, value in _view(_find(call)).items() if name != "connectionConfig"}
    )


@operation("oauth-clients", "patchOAuthClient")
def patch(call: Call) -> Reply:
    """Change a client. If the change adds the authentication method `client_secret`, create a secret."""
    doc = _find(call)
    old_methods = doc.get("allowedAuthMethods", [])
    for change in call.body:
        name = change["path"][1:]
        if change["op"] == "remove":
            doc.pop(name, None)
            continue
        if "value" not in change or isinstance(change["value"], str) != (name in _TEXT_MEMBERS):
            raise Refusal(400, detail=f"{change['path']}: value is missing or has the wrong type")
        doc[name] = change["value"]
    _check(doc)
    secret = None
    if "client_secret" in set(doc.get("allowedAuthMethods", [])) - set(old_methods):
        secret = {"clientSecret": _new_secret(call, doc)}
    call.store.put(call.tenant_id, KIND, doc | {"updatedAt": iso(call.world.now())})
    return Reply(202, secret) if secret else Reply(204)


@operation("oauth-clients", "deleteOAuthClient")
def delete(call: Call) -> Reply:
    """Delete a client. The confirmation header must have its id."""
    doc = _find(call)
    if call.headers.get("qlik-confirm-delete") != doc["id"]:
        raise Refusal(400, detail="the header qlik-confirm-delete must be the id of the client")
    call.store.delete(call.tenant_id, KIND, doc["id"])
    return Reply(204)


@operation("oauth-clients", "createOAuthClientSecret")
def create_secret(call: Call) -> Reply:
    """Create another secret. Only this response shows it."""
    doc = _find(call)
    if doc["appType"] != "web":
        raise Refusal(400, detail="only a web client has secrets")
    if len(doc["_secrets"]) >= MAX_SECRETS:
        raise Refusal(409, detail=f"a client has at most {MAX_SECRETS} secrets")
    secret = _new_secret(call, doc)
    call.store.put(call.tenant_id, KIND, doc)
    return Reply(201, {"clientId": doc["id"], "clientSecret": secret, **public(doc["_secrets"][-1])})


@operation("oauth-clients", "deleteOAuthClientSecret")
def delete_secret(call: Call) -> Reply:
    """Delete a secret by its hint."""
    doc = _find(call)
    remaining = [entry for entry in doc["_secrets"] if entry["hint"] != call.path["hint"]]
    if len(remaining) == len(doc["_secrets"]):
        raise Refusal(404)
    call.store.put(call.tenant_id, KIND, doc | {"_secrets": remaining})
    return Reply(204)


@operation("oauth-clients", "readConnectionConfig")
def consent(call: Call) -> Reply:
    """Return whether users must give consent."""
    return Reply(200, _find(call)["connectionConfig"])


@operation("oauth-clients", "patchConnectionConfig")
def change_consent(call: Call) -> Reply:
    """Change whether users must give consent."""
    doc = _find(call)
    for change in call.body:
        doc["connectionConfig"] = {"consentMethod": change["value"]}
    call.store.put(call.tenant_id, KIND, doc)
    return Reply(204)


def by_secret(store: Store, tenant_id: str, id: str, secret: str) -> Doc | None:
    """Return the machine-to-machine client of a tenant with this id and this secret, or None."""
    doc = store.get(tenant_id, KIND, id)
    if doc is None or "client_credentials" not in doc.get("allowedGrantTypes", []):
        return None
    digest = _digest(secret)
    return doc if any(hmac.compare_digest(entry["_digest"], digest) for entry in doc["_secrets"]) else None


_TEXT_MEMBERS = ("clientName", "clientUri", "description", "logoUri", "jwksUri")


def _find(call: Call) -> Doc:
    doc = call.store.get(call.tenant_id, KIND, call.path["id"])
    if doc is None:
        raise Refusal(404)
    return doc


def _view(doc: Doc) -> Doc:
    result = {name: value for name, value in public(doc).items() if name != "id"}
    if doc["appType"] == "web":
        result["clientSecrets"] = [public(entry) for entry in doc["_secrets"]]
    return result


def _new_secret(call: Call, doc: Doc) -> str:
    secret = secrets.token_hex(32)
    created: dict[str, Any] = {
        "hint": secret[:HINT_LENGTH],
        "createdAt": iso(call.world.now()),
        "createdBy": call.user_id,
        "_digest": _digest(secret),
    }
    doc["_secrets"] = [*doc["_secrets"], created]
    return secret


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _check(doc: Doc) -> None:
    kind, grants = doc["appType"], doc.get("allowedGrantTypes", [])
    if not doc["clientName"]:
        raise Refusal(400, detail="/clientName: must not be empty")
    if grants and kind != "web":
        raise Refusal(400, detail="/allowedGrantTypes: only a web client has grant types")
    if doc.get("allowedOrigins") and not (kind == "spa" or IMPERSONATION in grants):
        raise Refusal(400, detail="/allowedOrigins: only spa and impersonation clients have origins")
    if "private_key_jwt" in doc.get("allowedAuthMethods", []) and not doc.get("publicKeys"):
        raise Refusal(400, detail="/publicKeys: private_key_jwt needs a key")
    for origin in doc.get("allowedOrigins", []):
        if not ORIGIN.fullmatch(origin):
            raise Refusal(400, detail=f"/allowedOrigins: {origin} is not an origin")
    for uri in doc.get("redirectUris", []):
        _check_redirect(uri, kind)


def _check_redirect(uri: str, kind: str) -> None:
    """Check a redirect URI. Qlik publishes no rule. Its documentation shows https, and http on localhost."""
    try:
        parts = urlsplit(uri)
        is_local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    except ValueError:
        raise Refusal(400, detail="/redirectUris: not an address") from None
    is_custom_scheme = kind == "native" and parts.scheme not in ("", "http", "https")
    if not (
        is_custom_scheme
        or (parts.scheme == "https" and parts.hostname)
        or (parts.scheme == "http" and is_local)
    ):
        raise Refusal(400, detail=f"/redirectUris: {uri} is neither https nor on localhost")
