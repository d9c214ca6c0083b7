"""Searches for users, and changes to users (https://qlik.dev/apis/rest/users).

Qlik does not say who created a user, so the subject identifies a user: it is unique and never changes. E-mail
addresses are also unique, and are compared without regard to case.
"""

from __future__ import annotations

from typing import Any

from tenantry.providers.framework.errors import EmailTaken, NoRecoveryAdmin, PersonAmbiguous, PersonNotFound
from tenantry.providers.framework.properties import nearest
from tenantry.providers.lookups import roles, scim
from tenantry.providers.qlik import Host, QlikError

PATH = "/api/v1/users"
SIMILAR = 5
"""How many similar users an error lists."""

DELETED = "deleted"
"""The status of a deleted user, whom Qlik may still list."""

User = dict[str, Any]
"""A user in Qlik's JSON."""


def status_of(user: User) -> str:
    """Return the status. Users that the identity provider provisioned may log in, and count as active."""
    status = user.get("status", "active")
    return "active" if status == "provisioned" else str(status)


def with_subject(host: Host, subject: str) -> User | None:
    """Return the user with exactly that subject."""
    found = _listed(host, scim.equals("subject", subject))
    return next((user for user in found if user["subject"] == subject), None)


def with_email(host: Host, email: str) -> list[User]:
    """Return the users with that address, ignoring case."""
    found = _listed(host, scim.equals("email", email))
    return [user for user in found if same_email(user.get("email"), email)]


def same_email(one: str | None, other: str | None) -> bool:
    """Tell whether two addresses are the same to Qlik, which ignores case."""
    return bool(one and other) and str(one).casefold() == str(other).casefold()


def refuse_taken(
    host: Host, email: str | None, *, by_other_than: str = "", refusal: QlikError | None = None
) -> None:
    """Raise EmailTaken if a user other than the one with the id `by_other_than` has the address.

    `refusal` is the error with which Qlik refused the address, if there was one.
    """
    others = [user for user in with_email(host, email) if user["id"] != by_other_than] if email else []
    if others:
        raise EmailTaken(
            email or "", host.hostname, describe(others[0]), others[0]["id"], refusal
        ) from refusal


def find(host: Host, *, email: str | None = None, subject: str | None = None) -> User:
    """Return the only user with that e-mail address, or with that subject.

    Raises PersonNotFound with similar users, and PersonAmbiguous with the matching users.
    """
    if subject is not None:
        match = with_subject(host, subject)
        found = [match] if match else []
    else:
        found = with_email(host, email or "")
    named = f"subject {subject!r}" if subject is not None else f"e-mail address {email!r}"
    if not found:
        raise PersonNotFound(f"no user of {host.hostname} has the {named}{_similar(host, email, subject)}")
    if len(found) > 1:
        raise PersonAmbiguous(
            f"{len(found)} users of {host.hostname} have the {named}. Select one with `subject`: "
            f"{'; '.join(map(describe, found))}"
        )
    return found[0]


def describe(user: User) -> str:
    """Describe a user in a message."""
    email = f", {user['email']}" if user.get("email") else ""
    return (
        f"{user['name']} (subject {user['subject']}{email}, {user.get('status', 'active')}, id {user['id']})"
    )


def check_recovery_admin(host: Host) -> None:
    """Raise NoRecoveryAdmin unless a person with the role TenantAdmin is active, apart from the bot user."""
    bot = host.get("/api/v1/users/me")["id"]
    for user in _listed(host, scim.equals("assignedRoles.name", roles.TENANT_ADMIN)):
        if user["id"] != bot and status_of(user) == "active" and not user.get("clientId"):
            return
    raise NoRecoveryAdmin(host.hostname)


def patch(host: Host, id: str, operations: list[dict[str, Any]]) -> str:
    """PATCH a user. Return Qlik's reasons for the operations that it did not carry out (207), or ""."""
    response = host.patch(f"{PATH}/{id}", operations, repeatable=True)
    problems = response.get("errors", []) if isinstance(response, dict) else []
    texts = (" ".join(filter(None, map(found.get, ("code", "title", "detail")))) for found in problems)
    return f"{'; '.join(texts)} (traceId {response.get('traceId', 'none')})" if problems else ""


def not_applied(found: dict[str, Any] | None, changes: dict[str, Any]) -> dict[str, Any]:
    """Return the requested changes that Qlik did not apply, with the current values."""
    return {
        name: (found or {}).get(name) for name, value in changes.items() if (found or {}).get(name) != value
    }


def admin_mark(id: str) -> str:
    """Return the text with which a run records that a user must keep TenantAdmin."""
    return f"{roles.TENANT_ADMIN} {id}"


def replace_value(name: str, value: Any) -> dict[str, Any]:
    """Return the operation that sets a value."""
    return {"op": "replace", "path": f"/{name}", "value": value}


def add_role(name: str) -> dict[str, Any]:
    """Return the operation that adds a role and keeps all others."""
    return {"op": "add", "path": "/assignedRoles/-", "value": roles.references([name])[0]}


def remove_role(name: str) -> dict[str, Any]:
    """Return the operation that removes a role and keeps all others."""
    return {"op": "remove-value", "path": "/assignedRoles", "value": roles.references([name])[0]}


def _listed(host: Host, query: str) -> list[User]:
    return [user for user in host.list(PATH, {"filter": query}) if user.get("status") != DELETED]


def _similar(host: Host, email: str | None, subject: str | None) -> str:
    """Return the end of the message that no user was found: users with a similar address or subject."""
    if subject is not None:
        attribute, part = "subject", subject.rpartition("|")[2]
    else:
        attribute, part = "email", (email or "").partition("@")[0]
    near = _listed(host, scim.has(attribute, part)) if part else []
    hint = nearest(email or subject or "", [user[attribute] for user in near])
    similar = "; ".join(map(describe, near[:SIMILAR]))
    return f"{hint}; similar: {similar}" if near else "; no similar user exists"
