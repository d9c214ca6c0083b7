"""People: the administrators who are known on the source tenant, and the users that the plan names.

Everybody else logs in and is a user by that, which is nothing that a stack has to state.
"""

from __future__ import annotations

from typing import Any

from importing.findings import Findings, Found, many
from importing.living import Json, Living
from providers import people, roles
from providers.user import VERBS


def find(living: Living, findings: Findings) -> None:
    """Take the people that stand for something, and count the rest."""
    findings.customer |= {block: {} for block in ("users", "admins") if findings.plan.get(block)}
    planned = {each.get("subject"): each for each in (findings.plan.get("users") or {}).values()}
    left = 0
    for user in living.users:
        if user["id"] == living.bot or user.get("status") == people.DELETED:
            continue
        if user["subject"] in planned:
            _user(user, planned[user["subject"]], findings)
        elif not (roles.TENANT_ADMIN in roles.names_in(user) and _admin(living, findings, user)):
            left += 1
    if left:
        findings.leave(many(left, "user"))


def _user(user: Json, planned: dict[str, Any], findings: Findings) -> None:
    live = VERBS.decode(user)
    stated = ("subject", "status", *(name for name in ("name", "email", "roles") if name in planned))
    findings.entry("users", user["id"], {name: live[name] for name in stated}, "subject", key=user["name"])
    findings.objects.append(Found("User", user["id"], live, ("subject",)))


def _admin(living: Living, findings: Findings, user: Json) -> bool:
    """Add an administrator who is the same person on the source tenant, and may log in; tell if so."""
    source = living.cloud.tenant(living.source_tenant)
    person = people.with_subject(source, user["subject"])
    live = {"role": roles.TENANT_ADMIN, "status": people.status_of(user)}
    if person is None or live["status"] != "active":
        return False
    email = (person.get("email") or "").casefold()
    unique = email and len(people.with_email(source, email)) == 1
    known = {"email": email} if unique else {"subject": person["subject"]}
    entry = {"email": None, "subject": None} | known
    findings.entry("admins", user["id"], entry, *known, key=user["name"])
    # Nothing was given by us, so nothing is taken back when the stack ends.
    outputs = {"user_subject": user["subject"], "made_user": False, "gave_role": False}
    findings.objects.append(Found("TenantAdmin", user["id"], live | known | outputs, tuple(known)))
    return True
