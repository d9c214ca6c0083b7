"""Administrators of a customer's tenant. They are users of the source tenant.

Sources: https://qlik.dev/apis/rest/users and
https://qlik.dev/manage/platform-operations/add-an-interactive-user-to-a-tenant.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from tenantry.providers.framework import evidence, listings, moves, run
from tenantry.providers.framework.errors import HeldByAnother, PartlyDone, Unfinished
from tenantry.providers.framework.handlers import Handler, Properties, takeover_message
from tenantry.providers.framework.notes import Note
from tenantry.providers.framework.properties import Change, Property, output, prop, reference
from tenantry.providers.framework.resource import Resource
from tenantry.providers.lookups import people, roles
from tenantry.providers.qlik import Cloud, Conflict, Host, NotFound, QlikError
from tenantry.providers.values.limits import NOT_EMPTY


class TenantAdmin(Resource):
    """A user of the source tenant who administers this tenant. A new tenant has no users.

    Tenantry looks up the person once, at creation, by e-mail address or by subject. An existing user of the
    tenant keeps all other roles. Deletion removes only what this resource added: the role, and the user if
    this resource created it.
    """

    tenant: Property[str] = reference("Tenant", "The tenant to administer.")
    source_tenant: Property[str] = prop(
        "Hostname of the tenant that has the person as a user.",
        change=Change.AT_CREATION,
        limits=NOT_EMPTY,
    )
    email: Property[str] = prop(
        "E-mail address of the person, case-insensitive. Set either this or `subject`.",
        default=None,
        change=Change.REPLACES,
        form=str.casefold,
    )
    subject: Property[str] = prop(
        "Subject of the person at the identity provider. Set either this or `email`.",
        default=None,
        change=Change.REPLACES,
    )
    role: Property[Literal["TenantAdmin"]] = prop(
        "If somebody removed the role at Qlik, that is a difference, and Tenantry adds it again.",
        default="TenantAdmin",
    )
    status: Property[Literal["active"]] = prop(
        "If the user is disabled or still invited, that is a difference, and Tenantry activates the user.",
        default="active",
    )

    user_subject: Property[str] = output("Subject of the person.")
    created_user: Property[bool] = output(
        "Whether this resource created the user. Deletion then deletes the user."
    )
    granted_role: Property[bool] = output(
        "Whether this resource gave the role. Deletion then removes the role."
    )


class TenantAdminHandler(Handler):
    """CRUD handler of `TenantAdmin`. A note on disk records what it added to the tenant."""

    resource_type = TenantAdmin
    identity = ("tenant", "email", "subject")

    def input_problems(self, have: Properties, want: Properties) -> dict[str, str]:
        """Refuse anything but exactly one of `email` and `subject`."""
        if ("email" in want) == ("subject" in want):
            return {"email": "set either email or subject of the person on the source tenant"}
        return {}

    def create(self, cloud: Cloud, want: Properties) -> tuple[str, Properties]:
        """Find the person, then create the user, or give the role to the existing user."""
        source, host = cloud.tenant(want["source_tenant"]), cloud.tenant(want["tenant"])
        person = people.find(source, email=want.get("email"), subject=want.get("subject"))
        note = _note(host.hostname, person["subject"])
        existing = people.with_subject(host, person["subject"])
        if existing is not None:
            self._refuse_held(cloud, host, existing, want)
        additions = _additions(note, host.hostname, existing)
        with note.sending(**additions):
            user = existing or _create(host, person)
        note.finish(user=user["id"])
        outputs = additions | {"user_subject": person["subject"]}
        have = want | outputs | _decode(user)
        if existing is not None:
            cloud.notify(takeover_message(f'user "{user["name"]}"', user["id"], self.changes(have, want)))
        try:
            self.update(cloud, user["id"], have, want)
        except Unfinished:
            raise
        except QlikError as error:
            raise Unfinished(user["id"], have, error) from error
        return user["id"], outputs

    def _refuse_held(self, cloud: Cloud, host: Host, existing: people.User, want: Properties) -> None:
        """Raise HeldByAnother if another administrator of the stack is that person and remains so."""
        label = f'administrator "{existing["name"]}"'
        holder = moves.holder(self.resource_type.__name__, label, host, existing["id"])
        if holder and not moves.is_leaving(cloud, self.identity or self.natural_key, holder, want):
            raise HeldByAnother(label, host.hostname, existing["id"], holder)

    def read(self, cloud: Cloud, id: str, have: Properties) -> Properties | None:
        """Read the user from the list of the refresh, or GET it."""
        host = cloud.tenant(have["tenant"])
        found = listings.find(host, people.PATH, id)
        if found is None:
            found = evidence.read(host, f"{people.PATH}/{id}", id, lambda: _existing_users(host))
        return None if found is None or found.get("status") == people.DELETED else _decode(found)

    def update(self, cloud: Cloud, id: str, have: Properties, want: Properties) -> Properties:
        """Activate the user and add the role, each only if necessary."""
        run.current().created_or_adopted.add(people.admin_mark(id))
        host, changes = cloud.tenant(want["tenant"]), self.changes(have, want)
        if not changes:
            return {}
        operations = [people.replace_value("status", "active")] if "status" in changes else []
        operations += [people.add_role(roles.TENANT_ADMIN)] if "role" in changes else []
        reasons = people.patch(host, id, operations)
        unchanged = people.not_applied(self.read(cloud, id, have), changes) if reasons else {}
        if unchanged:
            error = PartlyDone(f"user {id}", host.hostname, unchanged, reasons)
            raise Unfinished(id, have | want | unchanged, error)
        return {"granted_role": True} if "role" in changes else {}

    def delete(self, cloud: Cloud, id: str, have: Properties) -> None:
        """DELETE the user if this resource created it, else remove the role if this resource gave it."""
        if have["created_user"]:
            host = cloud.tenant(have["tenant"])
            evidence.delete(host, f"{people.PATH}/{id}", id, lambda: _existing_users(host))
        else:
            self.release(cloud, id, have)
        _note(have["tenant"], have["user_subject"]).clear()

    def release(self, cloud: Cloud, id: str, have: Properties) -> None:
        """Remove the role, unless another entry of the stack file needs it now."""
        if people.admin_mark(id) in run.current().created_or_adopted:
            return
        host = cloud.tenant(have["tenant"])
        if not have["granted_role"]:
            cloud.notify(
                f"user {id} of {host.hostname} keeps the role {roles.TENANT_ADMIN}: as far as Tenantry "
                "knows, the user had the role before. Remove it in Qlik if you do not want it."
            )
            return
        try:
            people.patch(host, id, [people.remove_role(roles.TENANT_ADMIN)])
        except NotFound as error:
            evidence.check_deleted(host, f"{people.PATH}/{id}", id, lambda: _existing_users(host), error)


def _existing_users(host: Host) -> Iterator[people.User]:
    return (user for user in host.list(people.PATH) if user.get("status") != people.DELETED)


def _note(hostname: str, subject: str) -> Note:
    return Note(hostname, f"administrator {subject}")


def _additions(note: Note, hostname: str, existing: people.User | None) -> dict[str, bool]:
    """Tell whether this run or an earlier one adds the user, and whether it adds the role.

    A reactivated tenant has only the users that its stack created, so the role counts as added by the stack.
    """
    if existing is None:
        return {"created_user": True, "granted_role": True}
    earlier = note.earlier or {}
    ours = earlier if earlier.get("user", existing["id"]) == existing["id"] else {}
    has_role = roles.TENANT_ADMIN in roles.names_in(existing)
    is_revived = hostname in run.current().revived_tenants
    return {
        "created_user": bool(ours.get("created_user")),
        "granted_role": not has_role or is_revived or bool(ours.get("granted_role")),
    }


def _create(host: Host, person: people.User) -> people.User:
    """POST the user. If the subject exists by now, an earlier request whose response was lost created it."""
    body = {name: person[name] for name in ("subject", "name", "email") if person.get(name)}
    body |= {"status": "active", "assignedRoles": roles.references([roles.TENANT_ADMIN])}
    try:
        created: people.User = host.post(people.PATH, body, repeatable=True)
    except Conflict as refusal:
        existing = people.with_subject(host, person["subject"])
        if existing is None:
            people.refuse_taken(host, person.get("email"), refusal=refusal)
            raise
        return existing
    return created


def _decode(user: people.User) -> Properties:
    has_role = roles.TENANT_ADMIN in roles.names_in(user)
    return {"role": roles.TENANT_ADMIN if has_role else "none", "status": people.status_of(user)}


HANDLER = TenantAdminHandler()
