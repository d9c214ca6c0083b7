"""People: the administrators who are users of the source tenant, and the users in the plan.

Other people become users when they log in. A stack does not need to list them.
"""

from __future__ import annotations

from typing import Any

from tenantry.importing.findings import Findings, Found
from tenantry.importing.tenant_reader import Json, TenantReader
from tenantry.providers.lookups import people, roles
from tenantry.providers.user import HANDLER
from tenantry.providers.values.words import counted


def find(reader: TenantReader, findings: Findings) -> None:
    """Import users of the plan and active administrators, list inactive administrators, count the rest."""
    findings.customer |= {block: {} for block in ("users", "admins") if findings.plan.get(block)}
    planned = {user.get("subject"): user for user in (findings.plan.get("users") or {}).values()}
    left = 0
    for user in reader.users:
        if user["id"] == reader.bot or user.get("status") == people.DELETED:
            continue
        if user["subject"] in planned:
            _user(user, planned[user["subject"]], findings)
        elif roles.TENANT_ADMIN not in roles.names_in(user):
            left += 1
        elif people.status_of(user) != "active":
            # A stack would activate the user, but an import changes nothing at Qlik.
            findings.add_unmanaged(f"administrator {_name(user)} (status {people.status_of(user)})")
        elif not _admin(reader, findings, user):
            left += 1
    if left:
        findings.add_unmanaged(counted(left, "user"))


def _user(user: Json, planned: dict[str, Any], findings: Findings) -> None:
    live = HANDLER.decode(user)
    stated = ("subject", "status", *(name for name in ("name", "email", "roles") if name in planned))
    findings.add_entry(
        "users", user["id"], {name: live[name] for name in stated}, "subject", key=user["name"]
    )
    findings.objects.append(Found("User", user["id"], live, ("subject",)))


def _admin(reader: TenantReader, findings: Findings, user: Json) -> bool:
    """Add an active administrator who is also a user of the source tenant. Return whether that is so."""
    source = reader.cloud.tenant(reader.source_tenant)
    person = people.with_subject(source, user["subject"])
    if person is None:
        return False
    live = {"role": roles.TENANT_ADMIN, "status": "active"}
    email = (person.get("email") or "").casefold()
    unique = email and len(people.with_email(source, email)) == 1
    known = {"email": email} if unique else {"subject": person["subject"]}
    entry = {"email": None, "subject": None} | known
    findings.add_entry("admins", user["id"], entry, *known, key=user["name"])
    # The stack created nothing here, so its end must delete nothing.
    outputs = {"user_subject": user["subject"], "created_user": False, "granted_role": False}
    findings.objects.append(Found("TenantAdmin", user["id"], live | known | outputs, tuple(known)))
    return True


def _name(user: Json) -> str:
    """Return the name of a user for messages. A user who never logged in can lack a name."""
    return str(user.get("name") or user.get("email") or user["subject"])
