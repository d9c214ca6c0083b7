"""Users (https://qlik.dev/apis/rest/users)."""

from __future__ import annotations

from typing import Any, Literal

from providers import people, roles, run
from providers.errors import PartlyDone, Unfinished
from providers.limits import NOT_EMPTY
from providers.properties import Change, Property, prop, reference
from providers.qlik import ApiError, Cloud, Host, QlikError
from providers.resource import Resource
from providers.verbs import Collection, Properties


class User(Resource):
    """A person who may log in, made before the first login. One who is there already is taken over.

    Who logs in through the identity provider is told apart by the subject; name and e-mail address may then
    come from there, so state them as it sends them, or not at all.
    """

    tenant: Property[str] = reference("Tenant", "The tenant that the user is in.")
    subject: Property[str] = prop(
        "Subject that the identity provider sends, unique in the tenant.",
        change=Change.REPLACES,
        limits=NOT_EMPTY,
    )
    name: Property[str] = prop("Display name.", default=None, limits=NOT_EMPTY)
    email: Property[str] = prop("E-mail address, unique in the tenant.", default=None, limits=NOT_EMPTY)
    roles: Property[list[str]] = prop(
        "Names of all tenant roles that the user is given directly, case-sensitive; empty for none.",
        default=None,
    )
    status: Property[Literal["active", "disabled"]] = prop(
        "Whether the user may log in. One who is still `invited` is set active: an invitation expires.",
        default="active",
    )


class UserVerbs(Collection):
    """Users have no maker at Qlik: one with the subject is the one wanted."""

    kind = User
    path = people.PATH
    # What two users cannot share: a replacement has another subject, but may keep the address.
    natural_key = ("tenant", "email")

    def encode(self, properties: Properties) -> dict[str, Any]:
        """Name each role by an object."""
        body = super().encode(properties)
        if "roles" in body:
            body["assignedRoles"] = roles.references(body.pop("roles"))
        return body

    def decode(self, found: dict[str, Any]) -> Properties:
        """Take the names of the roles, and the status in the words of the property."""
        return super().decode(found) | {"roles": roles.names_in(found), "status": people.status_of(found)}

    def changes(self, have: Properties, want: Properties) -> Properties:
        """Capitals in an address make no difference."""
        changes = super().changes(have, want)
        if "email" in changes and people.same_email(have.get("email"), want["email"]):
            del changes["email"]
        return changes

    def label(self, want: Properties, id: str) -> str:
        """Return how messages call the user."""
        return f'user "{want.get("name") or want["subject"]}"'

    def lookup(self, host: Host, want: Properties) -> dict[str, Any] | None:
        """Return the user with the subject; an address that is somebody else's is an error."""
        there = people.with_subject(host, want["subject"])
        if there is None:
            people.refuse_taken(host, want.get("email"))
        return there

    def create(self, cloud: Cloud, want: Properties) -> tuple[str, Properties]:
        """POST the user as an active one, and correct what came of it."""
        with roles.explained(self.host(cloud, want), want.get("roles")):
            id, found = super().create(cloud, want | {"status": "active"})
        have = want | {name: value for name, value in found.items() if want.get(name) is not None}
        try:
            self.update(cloud, id, have, want)
        except Unfinished:
            raise
        except QlikError as error:
            raise Unfinished(id, have, error) from error
        return id, {}

    def read(self, cloud: Cloud, id: str, have: Properties) -> Properties | None:
        """GET the user; one that is shown as deleted is gone."""
        found = super().read(cloud, id, have)
        if found is None or found["status"] == people.DELETED:
            return None
        same = people.same_email(found["email"], have.get("email"))
        return found | ({"email": have["email"]} if same else {})

    def update(self, cloud: Cloud, id: str, have: Properties, want: Properties) -> Properties:
        """PATCH what differs; what Qlik did only in part is read back."""
        host, changes = self.host(cloud, want), self.changes(have, want)
        if roles.TENANT_ADMIN in (want.get("roles") or []):
            run.current().made.add(people.admin_mark(id))
        if not changes:
            return {}
        operations = [people.replaced(name, value) for name, value in self.encode(changes).items()]
        try:
            with roles.explained(host, want.get("roles")):
                said = people.patch(host, id, operations)
        except ApiError as refusal:
            if refusal.status in (400, 409) and "email" in changes:
                people.refuse_taken(host, want["email"], by_other_than=id)
            raise
        left = people.left(self.read(cloud, id, want), changes) if said else {}
        if left:
            raise Unfinished(
                id, have | want | left, PartlyDone(self.label(want, id), host.hostname, left, said)
            )
        return {}


VERBS = UserVerbs()
