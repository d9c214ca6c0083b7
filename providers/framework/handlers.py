"""CRUD handlers. They take plain data and a client, return plain data, and do not depend on Pulumi.

The module of a resource type contains, in this order: the class of the resource with its inputs and outputs,
the handler, and `HANDLER`, the only instance of the handler. If the type is a plain collection at Qlik, its
handler derives from `Collection`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from tenantry.providers.framework import evidence, listings, moves
from tenantry.providers.framework.errors import AlreadyDifferent, AlreadyExists, HeldByAnother, NameTaken
from tenantry.providers.framework.listings import PAGE
from tenantry.providers.framework.properties import Change
from tenantry.providers.qlik import Cloud, Conflict, Host

if TYPE_CHECKING:
    from tenantry.providers.framework.resource import Resource

Properties = dict[str, Any]
"""The properties of one object by name, in snake_case. References are ids of other resources."""


class Handler:
    """The create, read, update and delete methods of one resource type.

    The first argument is the client. `want` has the checked inputs of the program. `have` has the properties
    in the state: the same names with the values last read at Qlik, and the outputs.
    """

    resource_type: ClassVar[type[Resource]]

    natural_key: ClassVar[tuple[str, ...]] = ()
    """The properties that identify an object, at Qlik or for us.

    If a replacement has the same natural key, the old object is deleted first.
    """

    identity: ClassVar[tuple[str, ...]] = ()
    """The properties that identify an object to take over, if they differ from the natural key."""

    is_object: ClassVar[bool] = True
    """True if the id belongs to an object at Qlik, which two resources could manage."""

    def extra_seconds(self, want: Properties) -> float:
        """Return the seconds that a call may take beyond the default deadline."""
        return 0.0

    def input_problems(self, have: Properties, want: Properties) -> dict[str, str]:
        """Return the reasons, by property, why Qlik cannot apply the inputs.

        `have` is empty for a new object.
        """
        return {}

    def remark(self, id: str, have: Properties, given: Properties) -> str:
        """Return a message about inputs that no longer have an effect, or an empty string.

        `given` has the inputs exactly as the program passed them.
        """
        return ""

    def property_to_renew(self, id: str) -> str:
        """Return the property that forces a replacement without a changed input, or an empty string."""
        return ""

    def replaces(self, have: Properties, want: Properties) -> list[str]:
        """Return the properties whose change replaces the object, beyond those that always do."""
        return []

    def create(self, cloud: Cloud, want: Properties) -> tuple[str, Properties]:
        """Create the object, or take over one that an earlier run left. Return its id and properties.

        Raises Unfinished if the object exists now but is not complete.
        """
        raise NotImplementedError

    def read(self, cloud: Cloud, id: str, have: Properties) -> Properties | None:
        """Return the current properties of the object. None only if it is permanently gone."""
        raise NotImplementedError

    def update(self, cloud: Cloud, id: str, have: Properties, want: Properties) -> Properties:
        """Update the object. Return the properties that changed besides `want`."""
        raise NotImplementedError

    def delete(self, cloud: Cloud, id: str, have: Properties) -> None:
        """Delete the object. Succeed if it is already gone."""
        raise NotImplementedError

    def release(self, cloud: Cloud, id: str, have: Properties) -> None:
        """Undo only what this state entry added to an object that another resource now manages."""

    def changes(self, have: Properties, want: Properties) -> Properties:
        """Return the requested values that differ and that Qlik stores. Null values are left out."""
        return {
            prop.name: want[prop.name]
            for prop in self.resource_type.inputs()
            if prop.at_qlik and want.get(prop.name) is not None and want[prop.name] != have.get(prop.name)
        }


class Collection(Handler):
    """A resource type that is a collection at Qlik, with POST to it, and GET, PATCH and DELETE of a member.

    Qlik answers 409 if a name is taken, so `create` sends the POST without a search. After a 409 it takes
    over the object with the name if this client created it. So a run can also be interrupted and repeated.
    """

    path: ClassVar[str]
    """The path of the collection. A name in braces, such as `{space}`, is replaced by that property."""

    page: ClassVar[int | None] = PAGE
    """The number of objects on a page. None if Qlik lists all objects and accepts no number."""

    lists_show_all: ClassVar[bool] = True
    """True if an object in a list has all properties that `decode` reads."""

    id_name: ClassVar[str] = "id"
    """The key of the id in Qlik's JSON."""

    maker: ClassVar[str] = "createdBy"
    """The key in Qlik's JSON of the user who created the object."""

    advice: ClassVar[str] = ""
    """The next step if an object with the key exists and differs in a property that Qlik cannot change."""

    def encode(self, properties: Properties) -> dict[str, Any]:
        """Return Qlik's JSON for some properties."""
        known = self.resource_type.properties
        return {
            known[name].camel: value
            for name, value in properties.items()
            if value is not None
            and known[name].at_qlik
            and not (known[name].reference or known[name].computed)
        }

    def decode(self, found: dict[str, Any]) -> Properties:
        """Return the properties in Qlik's JSON."""
        return {
            prop.name: prop.canonical(found.get(prop.camel))
            for prop in self.resource_type.properties.values()
            if prop.at_qlik and not prop.reference and prop.change is not Change.UNSEEN
        }

    def lookup(self, host: Host, want: Properties) -> dict[str, Any] | None:
        """Return the object with the requested natural key in Qlik's JSON, None if there is none."""
        matches = host.find(self.path.format(**want), want["name"])
        return matches[0] if matches else None

    def other(self, host: Host, id: str, want: Properties) -> dict[str, Any] | None:
        """Return the object with the requested natural key if its id is different, else None."""
        existing = self.lookup(host, want)
        return None if existing is None or existing[self.id_name] == id else existing

    def host(self, cloud: Cloud, properties: Properties) -> Host:
        """Return the host of the tenant that the object is in."""
        return cloud.tenant(properties["tenant"])

    def member(self, id: str, properties: Properties) -> str:
        """Return the path of one object."""
        return f"{self.path.format(**properties)}/{id}"

    def create(self, cloud: Cloud, want: Properties) -> tuple[str, Properties]:
        """POST the object. After a 409, take over the object that has its name."""
        host = self.host(cloud, want)
        try:
            found = self.post(host, want)
        except Conflict:
            existing = self.lookup(host, want)
            if existing is not None:
                return self._take_over_or_create_beside(cloud, host, existing, want)
            found = self.post(host, want)  # another resource has just released the name
        self.on_created(found[self.id_name])
        return found[self.id_name], self.decode(found)

    def post(self, host: Host, want: Properties) -> dict[str, Any]:
        """POST the object. Return the response, which includes its id."""
        created: dict[str, Any] = host.post(self.path.format(**want), self.encode(want), repeatable=True)
        return created

    def _take_over_or_create_beside(
        self, cloud: Cloud, host: Host, existing: dict[str, Any], want: Properties
    ) -> tuple[str, Properties]:
        """Take over the object that has the name, or create another one under a temporary name."""
        label = self.label(want, existing[self.id_name])
        if holder := moves.holder(self.resource_type.__name__, label, host, existing[self.id_name]):
            if self.can_be_renamed_temporarily(want):
                return self._create_under_temporary_name(cloud, host, want, holder)
            if not moves.is_leaving(cloud, self.identity or self.natural_key, holder, want):
                raise HeldByAnother(label, host.hostname, existing[self.id_name], holder)
        return existing[self.id_name], self.take_over(cloud, host, existing, want)

    def can_be_renamed_temporarily(self, want: Properties) -> bool:
        """Tell whether the object may have a temporary name: see `tenantry.providers.framework.moves`."""
        return False

    def _create_under_temporary_name(
        self, cloud: Cloud, host: Host, want: Properties, holder: str
    ) -> tuple[str, Properties]:
        """POST the object under a temporary name, and rename it once the other resource has moved."""
        with_temporary_name = want | {"name": moves.temporary(want["name"])}
        try:
            found = self.post(host, with_temporary_name)
            self.on_created(found[self.id_name])
        except Conflict:
            existing = self.lookup(host, with_temporary_name)
            if existing is None:
                raise
            found = existing
        have = self.decode(found)
        return found[self.id_name], have | self._move(cloud, host, found[self.id_name], have, want, holder)

    def _move(
        self, cloud: Cloud, host: Host, id: str, have: Properties, want: Properties, holder: str
    ) -> Properties:
        """Give the object its name as soon as it is free. Return the changed properties."""
        change = [{"op": "replace", "path": "/name", "value": want["name"]}]
        if moves.when_free(cloud, lambda: host.patch(self.member(id, want), change, repeatable=True), holder):
            return {"name": want["name"]}
        moves.notify_postponed(cloud, self.label(want, id), "the name", want["name"], holder)
        return {"name": have["name"], "postponed": ["name"]}

    def on_created(self, id: str) -> None:
        """Record for later calls of the run that the object is new."""

    def take_over(self, cloud: Cloud, host: Host, existing: dict[str, Any], want: Properties) -> Properties:
        """Update an existing object, if this client may take it over. Return its properties."""
        label = self.label(want, existing[self.id_name])
        if not (want.get("adopt") or self.is_ours(host, existing, want)):
            raise AlreadyExists(label, host.hostname, existing[self.id_name], existing.get(self.maker))
        known = self.resource_type.properties
        unseen = [prop.name for prop in self.resource_type.inputs() if prop.change is Change.UNSEEN]
        have = {**want, **dict.fromkeys(unseen), **self.decode(existing)}
        changed = self.changes(have, want)
        fixed = [name for name in changed if known[name].change not in (Change.IN_PLACE, Change.UNSEEN)]
        if fixed:
            differences = {
                name: (self.shown(name, have[name]), self.shown(name, want[name])) for name in fixed
            }
            raise AlreadyDifferent(label, host.hostname, existing[self.id_name], differences, self.advice)
        cloud.notify(takeover_message(label, existing[self.id_name], changed))
        updated = self.update(cloud, existing[self.id_name], have, want) if changed else {}
        return have | {name: want.get(name) for name in unseen} | changed | updated

    def is_ours(self, host: Host, existing: dict[str, Any], want: Properties) -> bool:
        """Tell whether an object may be taken over without `adopt`, because this client created it."""
        return is_created_by_us(host, existing.get(self.maker))

    def manages(self, found: dict[str, Any]) -> bool:
        """Tell whether an object of the collection, in Qlik's JSON, belongs to this resource type."""
        return True

    def label(self, want: Properties, id: str) -> str:
        """Return the name of the object for messages."""
        return f'{self.resource_type.__name__} "{want.get("name", id)}"'

    def shown(self, name: str, value: Any) -> Any:
        """Return a property value for messages."""
        return value

    def read(self, cloud: Cloud, id: str, have: Properties) -> Properties | None:
        """Take the object from the list of a refresh, or GET it. None only if it is certainly gone."""
        host = self.host(cloud, have)
        path = self.path.format(**have)
        found = listings.find(host, path, id, self.page, self.id_name) if self.lists_show_all else None
        if found is None:
            found = self.get(host, id, have)
        return None if found is None else self.decode(found)

    def get(self, host: Host, id: str, have: Properties) -> dict[str, Any] | None:
        """GET the object itself. None only if it is certainly gone."""
        return evidence.read(
            host, self.member(id, have), id, lambda: self.listed(host, have), key=self.id_name
        )

    def listed(self, host: Host, have: Properties) -> Iterable[dict[str, Any]]:
        """Return all objects of the collection that the object is in."""
        return host.list(self.path.format(**have), limit=self.page)

    def update(self, cloud: Cloud, id: str, have: Properties, want: Properties) -> Properties:
        """PATCH what differs.

        If another resource of the stack has the name, wait until it is free, under a temporary name. Raises
        HeldByAnother if a temporary name is impossible, and NameTaken if no resource of the stack has it.
        """
        host, changes = self.host(cloud, want), self.changes(have, want)
        try:
            self.patch(host, id, changes, want)
        except Conflict as conflict:
            existing = self.other(host, id, want)
            if existing is None:  # another resource has just released the name
                self.patch(host, id, changes, want)
                return {}
            label = self.label(want, id)
            holder = moves.holder(self.resource_type.__name__, label, host, existing[self.id_name])
            if not holder:
                key = [name for name in self.natural_key if not self.resource_type.properties[name].reference]
                raise NameTaken(
                    label, host.hostname, key, existing[self.id_name], existing.get(self.maker), conflict
                ) from conflict
            if not self.can_be_renamed_temporarily(want):
                raise HeldByAnother(label, host.hostname, existing[self.id_name], holder) from conflict
            temporary_name = moves.temporary(want["name"])
            self.patch(host, id, changes | {"name": temporary_name}, want)
            return self._move(cloud, host, id, {"name": temporary_name}, want, holder)
        return {}

    def patch(self, host: Host, id: str, changes: Properties, want: Properties) -> None:
        """PATCH some properties, if there are any."""
        patch = [
            {"op": "replace", "path": f"/{name}", "value": value}
            for name, value in self.encode(changes).items()
        ]
        if patch:
            host.patch(self.member(id, want), patch, repeatable=True)

    def delete(self, cloud: Cloud, id: str, have: Properties) -> None:
        """DELETE the object."""
        host = self.host(cloud, have)
        evidence.delete(
            host,
            self.member(id, have),
            id,
            lambda: self.listed(host, have),
            key=self.id_name,
            headers=self.confirmation(id),
        )

    def confirmation(self, id: str) -> Mapping[str, str]:
        """Return the headers that Qlik requires for a deletion. By default there are none."""
        return {}


def is_created_by_us(host: Host, maker: str | None) -> bool:
    """Tell whether the bot user created an object. If Qlik names no creator, it counts as ours."""
    return maker in (None, "") or maker == host.get("/api/v1/users/me")["id"]


def takeover_message(label: str, id: str, changed: Properties) -> str:
    """Return the message about an object that was taken over, and its corrected properties."""
    corrected = f", and corrected: {', '.join(changed)}" if changed else ""
    return f"{label} already exists ({id}); taken over{corrected}"
