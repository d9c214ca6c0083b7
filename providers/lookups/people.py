"""Users as they are found and changed (https://qlik.dev/apis/rest/users).

Qlik names no maker of a user, so the subject, which is unique and never changes, decides who is who. E-mail
addresses are unique, too, and compare without regard to case.
"""

from __future__ import annotations

from typing import Any

from tenantry.providers.framework.errors import EmailTaken, NoRecoveryAdmin, PersonAmbiguous, PersonNotFound
from tenantry.providers.framework.properties import nearest
from tenantry.providers.lookups import roles, scim
from tenantry.providers.qlik import Host, QlikError

PATH = "/api/v1/users"
SIMILAR = 5

DELETED = "deleted"
"""Status of a user who is gone: Qlik may go on showing it."""

User = dict[str, Any]
"""A user in Qlik's JSON."""


def status_of(user: User) -> str:
    """Return the status; one that the identity provider provisioned may log in, and counts as active."""
    status = user.get("status", "active")
    return "active" if status == "provisioned" else str(status)


def with_subject(host: Host, subject: str) -> User | None:
    """Return the user with exactly that subject."""
    found = _listed(host, scim.equals("subject", subject))
    return next((user for user in found if user["subject"] == subject), None)


def with_email(host: Host, email: str) -> list[User]:
    """Return the users with that address, in any spelling of capitals."""
    found = _listed(host, scim.equals("email", email))
    return [user for user in found if same_email(user.get("email"), email)]


def same_email(one: str | None, other: str | None) -> bool:
    """Tell whether two addresses are one to Qlik, which does not tell capitals apart."""
    return bool(one and other) and str(one).casefold() == str(other).casefold()


def refuse_taken(
    host: Host, email: str | None, *, by_other_than: str = "", refusal: QlikError | None = None
) -> None:
    """Raise EmailTaken if somebody has the address, other than the user of that id. `refusal`: what Qlik
    answered to the request for it.
    """
    others = [user for user in with_email(host, email) if user["id"] != by_other_than] if email else []
    if others:
        raise EmailTaken(email or "", host.hostname, shown(others[0]), others[0]["id"], refusal) from refusal


def find(host: Host, *, email: str | None = None, subject: str | None = None) -> User:
    """Return the one user with that e-mail address, or with that subject.

    Raises PersonNotFound, with those that resemble, and PersonAmbiguous, with those that fit.
    """
    if subject is not None:
        there = with_subject(host, subject)
        found = [there] if there else []
    else:
        found = with_email(host, email or "")
    named = f"subject {subject!r}" if subject is not None else f"e-mail address {email!r}"
    if not found:
        raise PersonNotFound(f"no user of {host.hostname} has the {named}{_similar(host, email, subject)}")
    if len(found) > 1:
        raise PersonAmbiguous(
            f"{len(found)} users of {host.hostname} have the {named}; name the one you mean by `subject`: "
            f"{'; '.join(map(shown, found))}"
        )
    return found[0]


def shown(user: User) -> str:
    """Return a user for a message."""
    email = f", {user['email']}" if user.get("email") else ""
    return (
        f"{user['name']} (subject {user['subject']}{email}, {user.get('status', 'active')}, id {user['id']})"
    )


def check_recovery_admin(host: Host) -> None:
    """Raise NoRecoveryAdmin unless a person with the role TenantAdmin is active, apart from our bot user."""
    bot = host.get("/api/v1/users/me")["id"]
    for user in _listed(host, scim.equals("assignedRoles.name", roles.TENANT_ADMIN)):
        if user["id"] != bot and status_of(user) == "active" and not user.get("clientId"):
            return
    raise NoRecoveryAdmin(host.hostname)


def patch(host: Host, id: str, operations: list[dict[str, Any]]) -> str:
    """PATCH a user; return what Qlik says of the parts that it did not do (207), nothing if all went well."""
    answer = host.patch(f"{PATH}/{id}", operations, repeatable=True)
    problems = answer.get("errors", []) if isinstance(answer, dict) else []
    said = "; ".join(" ".join(filter(None, map(each.get, ("code", "title", "detail")))) for each in problems)
    return f"{said} (traceId {answer.get('traceId', 'none')})" if problems else ""


def left(found: dict[str, Any] | None, changes: dict[str, Any]) -> dict[str, Any]:
    """Return of the wanted changes those that were not made, with the values that are there instead."""
    return {
        name: (found or {}).get(name) for name, value in changes.items() if (found or {}).get(name) != value
    }


def admin_mark(id: str) -> str:
    """Return what a run notes of a user who is to have TenantAdmin, whatever else gave it the role before."""
    return f"{roles.TENANT_ADMIN} {id}"


def replaced(name: str, value: Any) -> dict[str, Any]:
    """Return the operation that sets a value."""
    return {"op": "replace", "path": f"/{name}", "value": value}


def role_added(name: str) -> dict[str, Any]:
    """Return the operation that gives a role and leaves all others."""
    return {"op": "add", "path": "/assignedRoles/-", "value": roles.references([name])[0]}


def role_removed(name: str) -> dict[str, Any]:
    """Return the operation that takes a role away and leaves all others."""
    return {"op": "remove-value", "path": "/assignedRoles", "value": roles.references([name])[0]}


def _listed(host: Host, query: str) -> list[User]:
    return [user for user in host.list(PATH, {"filter": query}) if user.get("status") != DELETED]


def _similar(host: Host, email: str | None, subject: str | None) -> str:
    """Return the end of the message that nobody was found: who has nearly that address or subject."""
    if subject is not None:
        attribute, part = "subject", subject.rpartition("|")[2]
    else:
        attribute, part = "email", (email or "").partition("@")[0]
    near = _listed(host, scim.has(attribute, part)) if part else []
    hint = nearest(email or subject or "", [user[attribute] for user in near])
    listed = "; ".join(map(shown, near[:SIMILAR]))
    return f"{hint}; similar: {listed}" if near else "; nor is there a similar one"
