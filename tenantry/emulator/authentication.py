"""Authentication: an OAuth client by its token, or a person by the cookies of a session."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import unquote_plus

from tenantry.emulator import sessions
from tenantry.emulator.apis import oauth
from tenantry.emulator.call import Call
from tenantry.emulator.errors import Invalid, Refusal
from tenantry.emulator.store import Doc

TOKEN_OPERATION = ("oauth", "postOauthToken")
UNAUTHENTICATED = {TOKEN_OPERATION, ("login", "postLoginJwtSession")}
"""Operations without authentication, because they return the token or the cookies."""

CSRF = ("login", "getCsrfToken")


def authenticate(call: Call) -> None:
    """Set the call's `user`, and its `client` or `session`.

    If a request has both a session and a token, the session is used (unpublished). Qlik's own samples send
    both.

    Raises:
        Refusal: 401 if neither the token nor the session is valid, 403 if the CSRF token of the session is
            missing.
    """
    key = (call.operation.api, call.operation.id)
    if key in UNAUTHENTICATED:
        return
    session = sessions.find(call) if call.tenant and call.cookies else None
    if session:
        if call.operation.method != "GET" and not sessions.carries_csrf_token(call, session):
            raise Refusal(403, detail=f"the header {sessions.CSRF_HEADER} of this session is required")
        call.session = session
        call.user = _user(call, session["user"])
        return
    scheme, _, secret = call.headers.get("authorization", "").partition(" ")
    entry = None
    if scheme.lower() == "bearer":
        entry = oauth.find(call.world, secret.strip(), oauth.audience(call.host, call.tenant))
    if entry is None:
        detail = "the token is missing, expired or from another host, and there is no session"
        raise Refusal(401, code="HTTP-401", detail=detail)
    call.client = entry["client"]
    if entry["user"]:
        call.user = _user(call, entry["user"])


def with_basic_credentials(call: Call, body: Any) -> Any:
    """Return the body of a token request with the client of HTTP Basic added (RFC 6749, section 2.3.1).

    Raises:
        Invalid: the header cannot be read, or it names a different client or secret than the body.
    """
    scheme, _, text = call.headers.get("authorization", "").partition(" ")
    if (call.operation.api, call.operation.id) != TOKEN_OPERATION or scheme.lower() != "basic":
        return body
    if not isinstance(body, dict):
        return body
    try:
        client, colon, secret = base64.b64decode(text.strip(), validate=True).decode().partition(":")
    except ValueError:
        colon = ""
    if not colon:
        raise Invalid("the header authorization is not client id and secret in HTTP Basic")
    credentials = {"client_id": unquote_plus(client), "client_secret": unquote_plus(secret)}
    for name, value in credentials.items():
        if body.get(name, value) != value:
            raise Invalid("the header authorization has a different value", pointer=f"/{name}")
    return body | credentials


def refresh_user(call: Call) -> None:
    """Look the user up again, for a call that runs some time after it was accepted.

    Raises:
        Refusal: 401 if the user has been deleted or disabled since.
    """
    if call.user:
        call.user = _user(call, call.user["id"])


def _user(call: Call, user_id: str) -> Doc:
    user = call.store.get(call.tenant_id, "user", user_id)
    if user is None or user["status"] == "disabled":
        raise Refusal(401, code="HTTP-401", detail="the user of this token or session is deleted or disabled")
    return user
