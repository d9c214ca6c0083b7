"""Who asks: an OAuth client by its token, or a person by the cookies of a session."""

from __future__ import annotations

from tenantry.emulator import sessions
from tenantry.emulator.apis import oauth
from tenantry.emulator.call import Call
from tenantry.emulator.errors import Refusal
from tenantry.emulator.store import Doc

OPEN = {("oauth", "postOauthToken"), ("login", "postLoginJwtSession")}
"""What is asked without either, because it gives them out."""

CSRF = ("login", "getCsrfToken")


def authenticate(call: Call) -> None:
    """Set `user`, and `client` or `session`.

    A session counts before a token, as Qlik's own samples send both (unpublished).

    Raises:
        Refusal: 401, neither of them is valid here and now; 403, a session's CSRF token is missing.
    """
    key = (call.operation.api, call.operation.id)
    if key in OPEN:
        return
    session = sessions.find(call) if call.tenant and call.cookies else None
    if session:
        if call.operation.method != "GET" and not sessions.carries_csrf_token(call, session):
            raise Refusal(403, detail=f"needs the header {sessions.CSRF_HEADER} of this session")
        call.session = session
        call.user = _user(call, session["user"])
        return
    scheme, _, secret = call.headers.get("authorization", "").partition(" ")
    entry = None
    if scheme.lower() == "bearer":
        entry = oauth.find(call.world, secret.strip(), oauth.audience(call.host, call.tenant))
    if entry is None:
        detail = "the token is missing, expired or of another host, and there is no session"
        raise Refusal(401, code="HTTP-401", detail=detail)
    call.client = entry["client"]
    if entry["user"]:
        call.user = _user(call, entry["user"])


def renew(call: Call) -> None:
    """Look the user up again, for a call that is carried out later than it was accepted.

    Raises:
        Refusal: 401, the user is gone or disabled by now.
    """
    if call.user:
        call.user = _user(call, call.user["id"])


def _user(call: Call, user_id: str) -> Doc:
    user = call.store.get(call.tenant_id, "user", user_id)
    if user is None or user["status"] == "disabled":
        raise Refusal(401, code="HTTP-401", detail="the user of this token or session is gone or disabled")
    return user
