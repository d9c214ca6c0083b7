"""Logins of a customer's users. They exchange a JWT, which the customer has signed, for a session."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import jwt
from jwt.api_jws import PyJWS

from tenantry.emulator import sessions
from tenantry.emulator.apis import group_settings, groups, licenses, users
from tenantry.emulator.apis.identity_providers import public_key
from tenantry.emulator.call import Call, Reply, operation
from tenantry.emulator.errors import Refusal
from tenantry.emulator.store import Doc

MAX_VALIDITY_SECONDS = 3600
"""The longest validity of a token, from nbf to exp, in seconds."""

CLAIMS = {"$ref": "#/components/schemas/JwtClaims"}


@operation("login", "postLoginJwtSession")
def login(call: Call) -> Reply:
    """Start a session and return its cookies. At the first login, create the user as well."""
    provider, claims = _verified(call, _bearer(call))
    _check_claims(call, claims)
    _check_times(call, provider, claims)
    _use_jti(call, claims["jti"])
    user = _user(call, claims)
    licenses.assign_automatically(call, user["subject"])
    return Reply(200, {}, cookies=sessions.start(call, user))


@operation("login", "getCsrfToken")
def csrf_token(call: Call) -> Reply:
    """Return the token that all requests of a session need, except GET."""
    if not call.session:
        raise Refusal(400, "Unsupported authentication", code="CSRF-TOKEN-4")
    token = call.cookies.get(sessions.CSRF, "")
    if sessions.digest(token) != call.session["csrf"]:
        raise Refusal(
            404, code="CSRF-TOKEN-3", detail=f"the cookie {sessions.CSRF} of this session is missing"
        )
    return Reply(204, headers={sessions.CSRF_HEADER: token})


def _bearer(call: Call) -> str:
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Refusal(401, detail="send the signed JWT as the bearer token")
    return token.strip()


def _verified(call: Call, token: str) -> tuple[Doc, dict[str, Any]]:
    """Return the identity provider whose key signed the token, and the token's claims."""
    jws = PyJWS()
    try:
        unverified = jws.decode_complete(token, options={"verify_signature": False})
        claims = json.loads(unverified["payload"])
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        raise Refusal(401, detail="not a JWT") from None
    if not isinstance(claims, dict):
        raise Refusal(401, detail="not a JWT")
    if unverified["header"].get("alg") != "RS256":
        raise Refusal(401, detail="the token must be signed with RS256")
    provider = _provider(call, claims.get("iss"), unverified["header"].get("kid"))
    key = public_key(provider["options"]["staticKeys"][0]["pem"])
    if key is None:
        raise Refusal(401, detail="the identity provider's key cannot verify RS256")
    try:
        jws.decode_complete(token, key, algorithms=["RS256"])
    except jwt.InvalidTokenError:
        raise Refusal(401, detail="the signature does not match the identity provider's key") from None
    return provider, claims


def _provider(call: Call, issuer: Any, kid: Any) -> Doc:
    for doc in call.store.all(call.tenant_id, "identity-provider"):
        options = doc.get("options", {})
        if doc["protocol"] != "jwtAuth" or options.get("jwtLoginEnabled") is False:
            continue
        if options["issuer"] == issuer and options["staticKeys"][0]["kid"] == kid:
            return doc
    raise Refusal(401, detail="no JWT identity provider has the token's issuer (iss) and key id (kid)")


def _check_claims(call: Call, claims: dict[str, Any]) -> None:
    """Check the required claims and their types. Ignore claims that Qlik does not read."""
    document = call.operation.document
    known = document.resolve(CLAIMS)["properties"]
    known_claims = {name: value for name, value in claims.items() if name in known}
    for error in document.validator(CLAIMS).iter_errors(known_claims):
        missing = getattr(error.kind, "property", "")
        if missing == "subType" and call.tolerates("sub-type"):
            continue
        name = missing or str(next(iter(error.instance_path), ""))
        if name == "aud" and not missing:
            raise Refusal(401, detail="the token is for another audience (aud)")
        problem = "Missing required claim" if missing else "Invalid claim"
        detail = f"JWT_LOGIN_VALIDATIONS {problem}: {name}"
        raise Refusal(400, "Invalid token request", code="INTERNAL-TOKEN-1", detail=detail)


def _check_times(call: Call, provider: Doc, claims: dict[str, Any]) -> None:
    now, tolerance = call.world.now(), provider["clockToleranceSec"]
    if claims["exp"] - claims["nbf"] > MAX_VALIDITY_SECONDS:
        raise Refusal(
            401, detail=f"the token is valid for longer than {MAX_VALIDITY_SECONDS} seconds (nbf to exp)"
        )
    if claims["nbf"] > now + tolerance:
        raise Refusal(401, detail="the token is not valid yet (nbf)")
    if claims["exp"] <= now - tolerance:
        raise Refusal(401, detail="the token has expired (exp)")


def _use_jti(call: Call, jti: str | int) -> None:
    key = hashlib.sha256(json.dumps(jti).encode()).hexdigest()
    if call.store.get(call.tenant_id, "jti", key):
        raise Refusal(401, detail="a token with this jti was used before")
    call.store.put(call.tenant_id, "jti", {"id": key})


def _user(call: Call, claims: dict[str, Any]) -> Doc:
    """Return the user of `sub`, with the groups of the token. No other value changes (unpublished)."""
    user = users.by_subject(call.world, call.tenant_id, claims["sub"])
    if user is None:
        try:
            users.check_email(call, claims["email"])
        except Refusal as refusal:
            raise Refusal(401, detail=refusal.detail) from None
        user = users.add_user(
            call.world,
            call.tenant,
            subject=claims["sub"],
            name=claims["name"],
            roles=[],
            email=claims["email"],
        )
    if user["status"] == "disabled":
        raise Refusal(401, detail="the user is disabled")
    user["status"] = "active"
    user.pop("inviteExpiry", None)
    custom_groups = [group for group in user["assignedGroups"] if group["providerType"] == "custom"]
    user["assignedGroups"] = custom_groups + _groups(call, user, claims.get("groups", []))
    return call.store.put(call.tenant_id, "user", user)


def _groups(call: Call, user: Doc, names: list[str]) -> list[Doc]:
    """Return the groups with these names. If autoCreateGroups is on, create the missing ones."""
    found = []
    for name in filter(None, dict.fromkeys(names)):
        group = next(
            (
                doc
                for doc in call.store.by_name(call.tenant_id, "group", name)
                if doc["providerType"] == "idp"
            ),
            None,
        )
        if group is None and group_settings.read(call)["autoCreateGroups"]:
            group = groups.add_group(call.world, call.tenant_id, user, name=name, kind="idp")
        if group:
            found.append(groups.membership(group))
    return found
