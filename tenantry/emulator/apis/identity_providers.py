"""Identity providers of a tenant."""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from tenantry.emulator.call import Call, Reply, operation
from tenantry.emulator.clock import iso
from tenantry.emulator.errors import Refusal
from tenantry.emulator.paging import page
from tenantry.emulator.store import Doc, public
from tenantry.emulator.world import new_id

WRITE_ONLY = {
    "jwtAuth": {"jwtLoginEnabled"},
    "OIDC": {"clientSecret", "useClaimsFromIdToken", "idTokenSignatureAlg", "audience", "allowedClientIds"},
    "SAML": {"metadata"},
}
"""Members of `options` that are never returned. Qlik does not publish whether it masks a client secret."""

PATCHABLE_PATHS = {
    "jwtAuth": ("/description",),
    "OIDC": (
        "/active",
        "/description",
        "/meta",
        "/options",
        "/options/realm",
        "/options/discoveryUrl",
        "/options/claimsMapping",
        "/pendingOptions",
        "/pendingOptions/realm",
        "/pendingOptions/discoveryUrl",
        "/pendingOptions/clientId",
        "/pendingOptions/clientSecret",
        "/pendingOptions/emailVerifiedAlwaysTrue",
        "/pendingOptions/claimsMapping",
        "/pendingOptions/idTokenSignatureAlg",
        "/pendingOptions/decryptingKey",
        "/postLogoutRedirectUri",
        "/clockToleranceSec",
    ),
    "SAML": (
        "/active",
        "/description",
        "/pendingOptions",
        "/pendingOptions/nameIdFormat",
        "/pendingOptions/allowIdpInitiatedLogin",
        "/pendingOptions/entityId",
        "/pendingOptions/signOnUrl",
        "/pendingOptions/metadata",
        "/pendingOptions/certificates",
        "/pendingOptions/claimsMapping",
        "/postLogoutRedirectUri",
        "/clockToleranceSec",
    ),
}
"""Protocol -> the paths that a PATCH may replace, as published."""

PROVIDERS_WITHOUT_EMAIL_CHECK = ("adfs", "azureAD")

PEM = re.compile(r"\s*-----BEGIN (?P<kind>[A-Z ]+)-----(?P<body>.*)-----END (?P=kind)-----\s*", re.DOTALL)


@operation("identity-providers", "getIdps")
def listing(call: Call) -> Reply:
    """List the identity providers. Qlik offers no search."""
    found = [doc for doc in _all(call) if doc["active"] == call.query.get("active", doc["active"])]
    data, links = page(call, found, default=20, sort="created")
    return Reply(200, {"data": [_view(doc) for doc in data], "links": links})


@operation("identity-providers", "createIdp")
def create(call: Call) -> Reply:
    """Create an identity provider.

    A JWT provider has one key. Its issuer and key id must be unique. A second one is a 400, because Qlik
    publishes no 409 here.
    """
    body = call.body
    if body is None:
        raise Refusal(400, detail="the body is missing", source={"pointer": "/"})
    if call.tenant_id not in body.get("tenantIds", [call.tenant_id]):
        raise Refusal(403, detail="tenantIds must contain the caller's tenant")
    if body["protocol"] == "jwtAuth":
        _check_key(call, body["options"])
    elif body.get("interactive"):
        _check_interactive(body)
    now = iso(call.world.now())
    is_verified = body["protocol"] == "jwtAuth" or "pendingOptions" not in body
    doc: Doc = {
        "id": new_id(),
        "tenantIds": [call.tenant_id],
        "description": "",
        "clockToleranceSec": 5,
        "interactive": False,
        "active": bool(is_verified),
        "created": now,
        "lastUpdated": now,
        **{name: value for name, value in body.items() if name not in ("skipVerify", "active")},
        "_popts": str(uuid.uuid4()),
    }
    if "pendingOptions" in doc:
        doc["pendingState"] = "pending"
    if body["protocol"] != "jwtAuth":
        doc.setdefault("createNewUsersOnLogin", True)
    _deactivate_others(call, doc)
    call.store.put(call.tenant_id, "identity-provider", doc)
    return Reply(201, _view(doc), headers={"qlik-idp-popts": doc["_popts"]})


@operation("identity-providers", "getStatus")
def status(call: Call) -> Reply:
    """Return which identity providers are active, without their ids."""
    docs = _all(call)
    entries = [{name: doc[name] for name in ("active", "provider", "interactive")} for doc in docs]
    active = sum(1 for doc in docs if doc["active"] and doc["interactive"])
    return Reply(200, {"idps_metadata": entries, "active_interactive_idps_count": active})


@operation("identity-providers", "getMeMeta")
def meta(call: Call) -> Reply:
    """Return the links of Qlik's default login, if no interactive identity provider is active."""
    if any(doc["active"] and doc["interactive"] for doc in _all(call)):
        return Reply(200, {})
    return Reply(200, {"userPortalLink": "https://account.myqlik.qlik.com", "upgradeSubscriptionLink": ""})


@operation("identity-providers", "getWellKnownMetaData")
def well_known(call: Call) -> Reply:
    """Return the supported protocols."""
    return Reply(200, {"protocols": list(WRITE_ONLY)})


@operation("identity-providers", "getIdp")
def get(call: Call) -> Reply:
    """Read an identity provider."""
    doc = _find(call)
    return Reply(200, _view(doc), headers={"qlik-idp-popts": doc["_popts"]})


@operation("identity-providers", "updateIdp")
def patch(call: Call) -> Reply:
    """Change an identity provider. A JWT provider allows only a new description."""
    doc = _find(call)
    for change in call.body or []:
        path = change.get("path", "")
        if change["op"] == "replace" and path not in PATCHABLE_PATHS[doc["protocol"]]:
            allowed = ", ".join(PATCHABLE_PATHS[doc["protocol"]])
            detail = f"a {doc['protocol']} provider allows changes of {allowed} only"
            raise Refusal(400, detail=detail, source={"pointer": path or "/"})
        if path.startswith("/pendingOptions") or change["op"] == "promote-options":
            _require_match(call, doc)
        _apply(doc, change)
    doc["lastUpdated"] = iso(call.world.now())
    _deactivate_others(call, doc)
    call.store.put(call.tenant_id, "identity-provider", doc)
    return Reply(204)


@operation("identity-providers", "deleteIdp")
def delete(call: Call) -> Reply:
    """Delete an identity provider. Refuse the active interactive one."""
    doc = _find(call)
    if doc["interactive"] and doc["active"]:
        raise Refusal(400, detail="the tenant's interactive identity provider cannot be deleted")
    call.store.delete(call.tenant_id, "identity-provider", doc["id"])
    return Reply(204)


def public_key(pem: str) -> RSAPublicKey | None:
    """Return the RSA key of a PEM public key or certificate, with or without line breaks; None if invalid."""
    found = PEM.fullmatch(pem)
    try:
        der = base64.b64decode("".join(found["body"].split()), validate=True) if found else b""
        if found and found["kind"] == "CERTIFICATE":
            key: Any = x509.load_der_x509_certificate(der).public_key()
        else:
            key = load_der_public_key(der)
    except (ValueError, binascii.Error):
        return None
    return key if isinstance(key, RSAPublicKey) else None


def _all(call: Call) -> list[Doc]:
    return call.store.all(call.tenant_id, "identity-provider")


def _find(call: Call) -> Doc:
    doc = call.store.get(call.tenant_id, "identity-provider", call.path["id"])
    if doc is None:
        raise Refusal(404)
    return doc


def _view(doc: Doc) -> Doc:
    result = public(doc)
    hidden = WRITE_ONLY[doc["protocol"]]
    for part in ("options", "pendingOptions"):
        if part in result:
            result[part] = {name: value for name, value in result[part].items() if name not in hidden}
    return result


def _check_key(call: Call, options: dict[str, Any]) -> None:
    key = options["staticKeys"][0]
    if public_key(key["pem"]) is None:
        # Qlik does not publish whether it checks the key, but nobody can log in with any other value.
        detail = "pem must be an RSA public key or certificate"
        raise Refusal(400, detail=detail, source={"pointer": "/options/staticKeys/0/pem"})
    for other in _all(call):
        if other["protocol"] != "jwtAuth" or other["options"]["issuer"] != options["issuer"]:
            continue
        if other["options"]["staticKeys"][0]["kid"] == key["kid"]:
            raise Refusal(400, detail="an identity provider with this issuer and kid exists")


def _check_interactive(body: Doc) -> None:
    """Refuse an interactive provider with which nobody can log in."""
    is_unverified = "options" in body
    if is_unverified and not body.get("skipVerify"):
        detail = "an interactive provider needs pendingOptions, or options with skipVerify"
        raise Refusal(400, detail=detail, source={"pointer": "/options"})
    member = "options" if is_unverified else "pendingOptions"
    options = body.get(member) or {}
    if body["protocol"] == "OIDC":
        required = ["clientId", "clientSecret"]
        required += [] if "openid_configuration" in options else ["discoveryUrl"]
    else:
        required = [] if "metadata" in options else ["entityId", "signOnUrl", "certificates"]
    for name in required:
        if not options.get(name):
            raise Refusal(400, detail=f"{name} is missing", source={"pointer": f"/{member}/{name}"})
    if "emailVerifiedAlwaysTrue" in options and body["provider"] not in PROVIDERS_WITHOUT_EMAIL_CHECK:
        detail = f"allowed only for {' and '.join(PROVIDERS_WITHOUT_EMAIL_CHECK)}"
        raise Refusal(400, detail=detail, source={"pointer": f"/{member}/emailVerifiedAlwaysTrue"})


def _deactivate_others(call: Call, doc: Doc) -> None:
    """Deactivate the other interactive providers if this one is active. A tenant has at most one."""
    if not (doc["interactive"] and doc["active"]):
        return
    for other in _all(call):
        if other["interactive"] and other["active"] and other["id"] != doc["id"]:
            call.store.put(call.tenant_id, "identity-provider", other | {"active": False})


def _require_match(call: Call, doc: Doc) -> None:
    if call.headers.get("qlik-idp-popts-match") != doc["_popts"]:
        raise Refusal(412, detail="header QLIK-IDP-POPTS-MATCH must be the hash from the last response")


def _apply(doc: Doc, change: dict[str, Any]) -> None:
    if change["op"] == "promote-options":
        if "pendingOptions" not in doc:
            raise Refusal(400, detail="there are no pendingOptions", source={"pointer": "/pendingOptions"})
        doc |= {"options": doc.pop("pendingOptions"), "active": True}
        doc.pop("pendingState", None)
        return
    *parents, name = change.get("path", "/").strip("/").split("/")
    expected_type = bool if name == "active" else int if name == "clockToleranceSec" else None
    value = change.get("value")
    if not name or value is None or (expected_type and type(value) is not expected_type):
        raise Refusal(
            400, detail="path or value is missing or invalid", source={"pointer": change.get("path", "/")}
        )
    if name == "description" and (not isinstance(value, str) or len(value) > 128):
        raise Refusal(
            400, detail="description has at most 128 characters", source={"pointer": "/description"}
        )
    target = doc
    for parent in parents:
        target = target.setdefault(parent, {})
    target[name] = value
