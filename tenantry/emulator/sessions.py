"""Sessions of people: cookies in place of a token."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from http.cookies import CookieError, SimpleCookie

from tenantry.emulator.call import Call
from tenantry.emulator.clock import DAY
from tenantry.emulator.store import Doc

IDLE = 30 * 60.0
LONGEST = DAY
"""Seconds without a request, and seconds in all, after which a session has ended (Qlik's defaults)."""

ID, SIGNATURE, CSRF, CSRF_SIGNATURE = "eas.sid", "eas.sid.sig", "_csrfToken", "_csrfToken.sig"
CSRF_HEADER = "qlik-csrf-token"


def begin(call: Call, user: Doc) -> dict[str, str]:
    """Make a session of a user on the tenant that was asked; returns its cookies. Only digests are kept."""
    cookies = {name: secrets.token_urlsafe(24) for name in (ID, SIGNATURE, CSRF, CSRF_SIGNATURE)}
    now = call.world.now()
    session = {
        "id": digest(cookies[ID]),
        "signature": digest(cookies[SIGNATURE]),
        "csrf": digest(cookies[CSRF]),
        "user": user["id"],
        "began": now,
        "used": now,
    }
    for old in call.store.all(call.tenant_id, "session", parent=user["id"]):
        if _ended(old, now):
            call.store.delete(call.tenant_id, "session", old["id"])
    # Filed under the user, so that both go together.
    call.store.put(call.tenant_id, "session", session, parent=user["id"])
    return cookies


def find(call: Call) -> Doc | None:
    """The living session that the cookies of a request name, or None; it counts as used now."""
    session = call.store.get(call.tenant_id, "session", digest(call.cookies.get(ID, "")))
    if session is None or session["signature"] != digest(call.cookies.get(SIGNATURE, "")):
        return None
    now = call.world.now()
    if _ended(session, now):
        call.store.delete(call.tenant_id, "session", session["id"])
        return None
    return call.store.put(call.tenant_id, "session", session | {"used": now})


def carries_csrf_token(call: Call, session: Doc) -> bool:
    """Whether a request of a session has the CSRF token that all but GET need."""
    sent = digest(call.headers.get(CSRF_HEADER, ""))
    return hmac.compare_digest(sent, str(session["csrf"]))


def cookies_of(header: str) -> dict[str, str]:
    """Name -> value of a Cookie header; empty when it cannot be read."""
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(header).items()}
    except CookieError:
        return {}


def digest(secret: str) -> str:
    """What is kept of a cookie's value."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _ended(session: Doc, now: float) -> bool:
    return bool(now - session["used"] > IDLE or now - session["began"] > LONGEST)
