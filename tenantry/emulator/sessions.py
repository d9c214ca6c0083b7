"""Sessions of people, who send cookies instead of a token."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from http.cookies import CookieError, SimpleCookie

from tenantry.emulator.call import Call
from tenantry.emulator.clock import DAY
from tenantry.emulator.store import Doc

IDLE_SECONDS = 30 * 60.0
MAX_SECONDS = DAY
"""A session ends after IDLE_SECONDS without a request, or MAX_SECONDS in total (Qlik's defaults)."""

ID, SIGNATURE, CSRF, CSRF_SIGNATURE = "eas.sid", "eas.sid.sig", "_csrfToken", "_csrfToken.sig"
CSRF_HEADER = "qlik-csrf-token"


def start(call: Call, user: Doc) -> dict[str, str]:
    """Start a session of a user on the tenant of the call. Return its cookies, and store only digests."""
    cookies = {name: secrets.token_urlsafe(24) for name in (ID, SIGNATURE, CSRF, CSRF_SIGNATURE)}
    now = call.world.now()
    session = {
        "id": digest(cookies[ID]),
        "signature": digest(cookies[SIGNATURE]),
        "csrf": digest(cookies[CSRF]),
        "user": user["id"],
        "started_at": now,
        "used_at": now,
    }
    for old in call.store.all(call.tenant_id, "session", parent=user["id"]):
        if _has_ended(old, now):
            call.store.delete(call.tenant_id, "session", old["id"])
    # Stored under the user, so that deleting the user deletes the session.
    call.store.put(call.tenant_id, "session", session, parent=user["id"])
    return cookies


def find(call: Call) -> Doc | None:
    """Return the active session of a request's cookies, or None. Mark the session as used now."""
    session = call.store.get(call.tenant_id, "session", digest(call.cookies.get(ID, "")))
    if session is None or session["signature"] != digest(call.cookies.get(SIGNATURE, "")):
        return None
    now = call.world.now()
    if _has_ended(session, now):
        call.store.delete(call.tenant_id, "session", session["id"])
        return None
    return call.store.put(call.tenant_id, "session", session | {"used_at": now})


def carries_csrf_token(call: Call, session: Doc) -> bool:
    """Return whether a request has the session's CSRF token. All methods except GET need it."""
    sent_digest = digest(call.headers.get(CSRF_HEADER, ""))
    return hmac.compare_digest(sent_digest, str(session["csrf"]))


def cookies_of(header: str) -> dict[str, str]:
    """Return name -> value of a Cookie header; empty if the header is invalid."""
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(header).items()}
    except CookieError:
        return {}


def digest(secret: str) -> str:
    """Return the digest that is stored instead of a cookie's value."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _has_ended(session: Doc, now: float) -> bool:
    return bool(now - session["used_at"] > IDLE_SECONDS or now - session["started_at"] > MAX_SECONDS)
