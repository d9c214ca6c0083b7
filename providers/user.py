"""Users (https://qlik.dev/apis/rest/users)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from tenantry.providers.framework import moves, run
from tenantry.providers.framework.errors import EmailTaken, PartlyDone, Unfinished
from tenantry.providers.framework.handlers import Collection, Properties
from tenantry.providers.framework.properties import Change, Property, output, prop, reference
from tenantry.providers.framework.resource import Resource
from tenantry.providers.lookups import people, roles
from tenantry.providers.qlik import ApiError, Cloud, Host, QlikError
from tenantry.providers.values.limits import NOT_EMPTY


class User(Resource):
    """A person who can log in, created before the first login. Tenantry takes over an existing user.

    The subject identifies a user. At login, the identity provider can set name and e-mail address. So set
    them to the values that it sends, or leave them out.
    """

    tenant: Property[str] = reference("Tenant", "The tenant that contains the user.")
    subject: Property[str] = prop(
        "Subject that the identity provider sends, unique in the tenant.",
        change=Change.REPLACES,
        limits=NOT_EMPTY,
    )
    name: Property[str] = prop("Display name.", default=None, limits=NOT_EMPTY)
    email: Property[str] = prop("E-mail address, unique in the tenant.", default=None, limits=NOT_EMPTY)
    roles: Property[list[str]] = prop(
        "Names of all tenant roles that the user has directly, case-sensitive. Empty list: none.",
        default=None,
    )
    status: Property[Literal["active", "disabled"]] = prop(
        "Whether the user can log in. Tenantry activates a user who is still `invited`: an invitation "
        "expires.",
        default="active",
    )

    postponed: Property[list[str]] = output(
        "Properties that the next run has to set: an e-mail address that another resource of the stack "
        "still had.",
        at_qlik=False,
    )


class UserHandler(Collection):
    """CRUD handler of `User`. Qlik stores no creator, so every user with the subject counts as ours."""

    resource_type = User
    path = people.PATH
    # Two users cannot share these. A replacement has a different subject, but can keep the address.
    natural_key = ("tenant", "email")
    identity = ("tenant", "subject")

    def encode(self, properties: Properties) -> dict[str, Any]:
        """Return the JSON for Qlik, with an object for each role."""
        body = super().encode(properties)
        if "roles" in body:
            body["assignedRoles"] = roles.references(body.pop("roles"))
        return body

    def decode(self, found: dict[str, Any]) -> Properties:
        """Return the properties, with the names of the roles and the status in our words."""
        return super().decode(found) | {"roles": roles.names_in(found), "status": people.status_of(found)}

    def changes(self, have: Properties, want: Properties) -> Properties:
        """Return the changes. A change of upper and lower case in the e-mail address does not count."""
        changes = super().changes(have, want)
        if "email" in changes and people.same_email(have.get("email"), want["email"]):
            del changes["email"]
        return changes

    def label(self, want: Properties, id: str) -> str:
        """Return the name of the user for messages."""
        return f'user "{want.get("name") or want["subject"]}"'

    def lookup(self, host: Host, want: Properties) -> dict[str, Any] | None:
        """Return the user with the subject. Raises EmailTaken if another user has the e-mail address."""
        existing = people.with_subject(host, want["subject"])
        if existing is None:
            people.refuse_taken(host, want.get("email"))
        return existing

    def listed(self, host: Host, have: Properties) -> Iterable[dict[str, Any]]:
        """Return all users except those that Qlik shows as deleted."""
        return (user for user in super().listed(host, have) if user.get("status") != people.DELETED)

    def create(self, cloud: Cloud, want: Properties) -> tuple[str, Properties]:
        """POST the user as active, then correct the differences.

        If another user of the stack still has the e-mail address, set it after that user has released it.
        """
        host = self.host(cloud, want)
        with roles.explain_unknown(host, want.get("roles")):
            try:
                id, found = super().create(cloud, want | {"status": "active"})
            except EmailTaken as error:
                if not moves.holder(self.resource_type.__name__, self.label(want, ""), host, error.user_id):
                    raise
                id, found = super().create(cloud, want | {"status": "active", "email": None})
        have = want | {name: value for name, value in found.items() if want.get(name) is not None}
        try:
            return id, self.update(cloud, id, have, want)
        except Unfinished:
            raise
        except QlikError as error:
            raise Unfinished(id, have, error) from error

    def read(self, cloud: Cloud, id: str, have: Properties) -> Properties | None:
        """GET the user. A user that Qlik shows as deleted does not exist."""
        found = super().read(cloud, id, have)
        if found is None or found["status"] == people.DELETED:
            return None
        same_email = people.same_email(found["email"], have.get("email"))
        return found | ({"email": have["email"]} if same_email else {})

    def update(self, cloud: Cloud, id: str, have: Properties, want: Properties) -> Properties:
        """PATCH what differs. If Qlik changed only a part, read the user again."""
        host, changes = self.host(cloud, want), self.changes(have, want)
        if roles.TENANT_ADMIN in (want.get("roles") or []):
            run.current().created_or_adopted.add(people.admin_mark(id))
        if not changes:
            return {}
        outputs: Properties = {}
        try:
            reasons = self._change(host, id, changes, want)
        except ApiError as refusal:
            if "email" not in changes or refusal.status not in moves.TAKEN_STATUSES:
                raise
            if holder := self._holder_of_email(host, id, want, refusal):
                reasons, outputs = self._move_email(cloud, host, id, changes, want, holder)
            else:  # another resource may have just released the address
                reasons = self._change(host, id, changes, want)
        unchanged = people.not_applied(self.read(cloud, id, want), changes) if reasons else {}
        if unchanged:
            error = PartlyDone(self.label(want, id), host.hostname, unchanged, reasons)
            raise Unfinished(id, have | want | unchanged, error)
        return outputs

    def _change(self, host: Host, id: str, changes: Properties, want: Properties) -> str:
        """PATCH the changes. Return Qlik's reasons for those that it did not apply, or an empty string."""
        operations = [people.replace_value(name, value) for name, value in self.encode(changes).items()]
        with roles.explain_unknown(host, want.get("roles")):
            return people.patch(host, id, operations) if operations else ""

    def _holder_of_email(self, host: Host, id: str, want: Properties, refusal: ApiError) -> str:
        """Return the URN of the user of the stack that has the requested address, or an empty string.

        Raises EmailTaken if a user outside the stack has the address.
        """
        try:
            people.refuse_taken(host, want["email"], by_other_than=id, refusal=refusal)
        except EmailTaken as error:
            holder = moves.holder(self.resource_type.__name__, self.label(want, id), host, error.user_id)
            if holder:
                return holder
            raise
        return ""

    def _move_email(
        self, cloud: Cloud, host: Host, id: str, changes: Properties, want: Properties, holder: str
    ) -> tuple[str, Properties]:
        """Release the current address and wait for the requested one.

        Return Qlik's reasons for the changes that it did not apply, and the properties that differ from
        `want`.
        """
        temporary = f"{moves.mark()}@moving.invalid"
        reasons = self._change(host, id, changes | {"email": temporary}, want)
        if moves.when_free(cloud, lambda: self._change(host, id, {"email": want["email"]}, want), holder):
            return reasons, {}
        moves.notify_postponed(cloud, self.label(want, id), "the e-mail address", want["email"], holder)
        return reasons, {"email": temporary, "postponed": ["email"]}


HANDLER = UserHandler()
