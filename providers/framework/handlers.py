"""CRUD handlers: plain data and a client in, plain data out. Nothing here knows Pulumi.

The module of a resource type holds, in this order: the class of the resource with its inputs and outputs, the
handler, and `HANDLER`, the one instance of the handler. A type that is a plain collection at Qlik derives its
handler from `Collection`.
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
"""The properties of one object by name, in snake_case, with ids of other resources as they are."""


class Handler:
    """Create, read, update and delete for one kind.

    Each takes the client first. `want` are the inputs that a program set, checked; `have` is what the state
    holds: the same names with what was last seen at Qlik, and the outputs.
    """

    resource_type: ClassVar[type[Resource]]

    natural_key: ClassVar[tuple[str, ...]] = ()
    """What tells two objects apart, at Qlik or for us: a replacement that keeps it must delete first."""

    identity: ClassVar[tuple[str, ...]] = ()
    """What makes an object the very one, where that is not the natural key."""

    is_object: ClassVar[bool] = True
    """Whether the id is that of an object at Qlik, which two resources could hold."""

    def extra_seconds(self, want: Properties) -> float:
        """Return how many seconds a call may take beyond the deadline that all calls share."""
        return 0.0

    def input_problems(self, have: Properties, want: Properties) -> dict[str, str]:
        """Return what Qlik can never do: the property and why. `have` is empty for a new object."""
        return {}

    def remark(self, id: str, have: Properties, given: Properties) -> str:
        """Return what to tell the user of inputs that have no effect any more; nothing as a rule."""
        return ""

    def property_to_renew(self, id: str) -> str:
        """Return the property to be made anew by a replacement though no input has changed; nothing as a
        rule.
        """
        return ""

    def replaces(self, have: Properties, want: Properties) -> list[str]:
        """Return the properties whose change replaces the object, beyond those that always do."""
        return []

    def create(self, cloud: Cloud, want: Properties) -> tuple[str, Properties]:
        """Make the object, or take over what an earlier run of ours left; return its id and what it is like.

        Raises `Unfinished` if it exists now but is not as wanted yet.
        """
        raise NotImplementedError

    def read(self, cloud: Cloud, id: str, have: Properties) -> Properties | None:
        """Return what the object is like now; None only if it is gone for good."""
        raise NotImplementedError

    def update(self, cloud: Cloud, id: str, have: Properties, want: Properties) -> Properties:
        """Make the object what is wanted; return what changed besides."""
        raise NotImplementedError

    def delete(self, cloud: Cloud, id: str, have: Properties) -> None:
        """Remove the object; one that is gone already is fine."""
        raise NotImplementedError

    def release_references(self, cloud: Cloud, id: str, have: Properties) -> None:
        """Take back what only this entry of the state gave: the object stays, in the care of another one."""

    def changes(self, have: Properties, want: Properties) -> Properties:
        """Return the wanted values that differ, of what Qlik holds; null ones are left alone."""
        return {
            each.name: want[each.name]
            for each in self.resource_type.inputs()
            if each.at_qlik and want.get(each.name) is not None and want[each.name] != have.get(each.name)
        }


class Collection(Handler):
    """A kind that is a collection at Qlik: POST to it, GET, PATCH and DELETE of a member.

    A name that is taken answers 409, so an object is created without looking first; on 409 the one that has
    the name is taken over if this client made it. That, too, is what makes a repeated, killed or
    half-answered run safe.
    """

    path: ClassVar[str]
    """Path of the collection; `{space}` and the like stand for properties."""

    page: ClassVar[int | None] = PAGE
    """How many objects are asked for at once; None where Qlik lists all of them, and takes no number."""

    lists_show_all: ClassVar[bool] = True
    """Whether an object in a list has everything that is read of it."""
    id_name: ClassVar[str] = "id"
    """Where Qlik's JSON has the id of an object."""

    maker: ClassVar[str] = "createdBy"
    """Where Qlik's JSON names the user who made the object."""

    advice: ClassVar[str] = ""
    """What to do where an object of that key is there and differs in what Qlik cannot change."""

    def encode(self, properties: Properties) -> dict[str, Any]:
        """Return Qlik's JSON for some of the properties."""
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
            each.name: each.canonical(found.get(each.camel))
            for each in self.resource_type.properties.values()
            if each.at_qlik and not each.reference and each.change is not Change.UNSEEN
        }

    def lookup(self, host: Host, want: Properties) -> dict[str, Any] | None:
        """Return the object that has the natural key of what is wanted, as Qlik's JSON."""
        same = host.find(self.path.format(**want), want["name"])
        return same[0] if same else None

    def other(self, host: Host, id: str, want: Properties) -> dict[str, Any] | None:
        """Return the object that has the natural key of what is wanted, and is not the one of that id."""
        there = self.lookup(host, want)
        return None if there is None or there[self.id_name] == id else there

    def host(self, cloud: Cloud, properties: Properties) -> Host:
        """Return the host of the tenant that the object is in."""
        return cloud.tenant(properties["tenant"])

    def member(self, id: str, properties: Properties) -> str:
        """Return the path of one object."""
        return f"{self.path.format(**properties)}/{id}"

    def create(self, cloud: Cloud, want: Properties) -> tuple[str, Properties]:
        """POST the object; on 409 take over what has its name."""
        host = self.host(cloud, want)
        try:
            found = self.post(host, want)
        except Conflict:
            there = self.lookup(host, want)
            if there is not None:
                return self._take_over_or_create_beside(cloud, host, there, want)
            # Another resource had the name until a moment ago.
            found = self.post(host, want)
        self.on_created(found[self.id_name])
        return found[self.id_name], self.decode(found)

    def post(self, host: Host, want: Properties) -> dict[str, Any]:
        """POST the object; return what the answer has of it, its id included."""
        made: dict[str, Any] = host.post(self.path.format(**want), self.encode(want), repeatable=True)
        return made

    def _take_over_or_create_beside(
        self, cloud: Cloud, host: Host, there: dict[str, Any], want: Properties
    ) -> tuple[str, Properties]:
        """Take over what has the name, or make the object beside it."""
        label = self.label(want, there[self.id_name])
        if holder := moves.holder(self.resource_type.__name__, label, host, there[self.id_name]):
            if self.can_be_renamed_temporarily(want):
                return self._create_under_temporary_name(cloud, host, want, holder)
            if not moves.leaves(cloud, self.identity or self.natural_key, holder, want):
                raise HeldByAnother(label, host.hostname, there[self.id_name], holder)
        return there[self.id_name], self.take_over(cloud, host, there, want)

    def can_be_renamed_temporarily(self, want: Properties) -> bool:
        """Whether the object may have another name for a while: see `tenantry.providers.framework.moves`."""
        return False

    def _create_under_temporary_name(
        self, cloud: Cloud, host: Host, want: Properties, holder: str
    ) -> tuple[str, Properties]:
        """POST the object under a temporary name, and give it its own once the other resource has moved."""
        aside = want | {"name": moves.temporary(want["name"])}
        try:
            found = self.post(host, aside)
            self.on_created(found[self.id_name])
        except Conflict:
            there = self.lookup(host, aside)
            if there is None:
                raise
            found = there
        have = self.decode(found)
        return found[self.id_name], have | self._move(cloud, host, found[self.id_name], have, want, holder)

    def _move(
        self, cloud: Cloud, host: Host, id: str, have: Properties, want: Properties, holder: str
    ) -> Properties:
        """Give the object its name as soon as it is free; return what it is like then."""
        change = [{"op": "replace", "path": "/name", "value": want["name"]}]
        if moves.when_free(cloud, lambda: host.patch(self.member(id, want), change, repeatable=True), holder):
            return {"name": want["name"]}
        moves.notify_postponed(cloud, self.label(want, id), "the name", want["name"], holder)
        return {"name": have["name"], "postponed": ["name"]}

    def on_created(self, id: str) -> None:
        """Take note that the object is new, for what else the run does."""

    def take_over(self, cloud: Cloud, host: Host, there: dict[str, Any], want: Properties) -> Properties:
        """Return what an existing object is like once it is as wanted, if it is ours to change."""
        label = self.label(want, there[self.id_name])
        if not (want.get("adopt") or self.is_ours(host, there, want)):
            raise AlreadyExists(label, host.hostname, there[self.id_name], there.get(self.maker))
        known = self.resource_type.properties
        unseen = [each.name for each in self.resource_type.inputs() if each.change is Change.UNSEEN]
        have = {**want, **dict.fromkeys(unseen), **self.decode(there)}
        changed = self.changes(have, want)
        stuck = [name for name in changed if known[name].change not in (Change.IN_PLACE, Change.UNSEEN)]
        if stuck:
            differences = {
                name: (self.shown(name, have[name]), self.shown(name, want[name])) for name in stuck
            }
            raise AlreadyDifferent(label, host.hostname, there[self.id_name], differences, self.advice)
        cloud.notify(taken_over(label, there[self.id_name], changed))
        done = self.update(cloud, there[self.id_name], have, want) if changed else {}
        return have | {name: want.get(name) for name in unseen} | changed | done

    def is_ours(self, host: Host, there: dict[str, Any], want: Properties) -> bool:
        """Tell whether an object that is there may be taken over without `adopt`: if this client made it."""
        return is_created_by_us(host, there.get(self.maker))

    def manages(self, found: dict[str, Any]) -> bool:
        """Tell whether an object of the collection, as Qlik's JSON, is one of this kind."""
        return True

    def label(self, want: Properties, id: str) -> str:
        """Return how messages call the object."""
        return f'{self.resource_type.__name__} "{want.get("name", id)}"'

    def shown(self, name: str, value: Any) -> Any:
        """Return a value of a property as messages show it."""
        return value

    def read(self, cloud: Cloud, id: str, have: Properties) -> Properties | None:
        """Take the object from the list of a refresh, or GET it; None only if it is certainly gone."""
        host = self.host(cloud, have)
        path = self.path.format(**have)
        found = listings.find(host, path, id, self.page, self.id_name) if self.lists_show_all else None
        if found is None:
            found = self.get(host, id, have)
        return None if found is None else self.decode(found)

    def get(self, host: Host, id: str, have: Properties) -> dict[str, Any] | None:
        """GET the object by itself; None only if it is certainly gone."""
        return evidence.read(
            host, self.member(id, have), id, lambda: self.listed(host, have), key=self.id_name
        )

    def listed(self, host: Host, have: Properties) -> Iterable[dict[str, Any]]:
        """Return the whole collection that the object is in."""
        return host.list(self.path.format(**have), limit=self.page)

    def update(self, cloud: Cloud, id: str, have: Properties, want: Properties) -> Properties:
        """PATCH what differs, if anything does. A name that another resource of the stack has is waited
        for; where the object cannot have another one meanwhile, or somebody else's has it, that one is named.
        """
        host, changes = self.host(cloud, want), self.changes(have, want)
        try:
            self.patch(host, id, changes, want)
        except Conflict as conflict:
            there = self.other(host, id, want)
            if there is None:  # another resource had the name until a moment ago
                self.patch(host, id, changes, want)
                return {}
            label = self.label(want, id)
            holder = moves.holder(self.resource_type.__name__, label, host, there[self.id_name])
            if not holder:
                key = [name for name in self.natural_key if not self.resource_type.properties[name].reference]
                raise NameTaken(
                    label, host.hostname, key, there[self.id_name], there.get(self.maker), conflict
                ) from conflict
            if not self.can_be_renamed_temporarily(want):
                raise HeldByAnother(label, host.hostname, there[self.id_name], holder) from conflict
            aside = moves.temporary(want["name"])
            self.patch(host, id, changes | {"name": aside}, want)
            return self._move(cloud, host, id, {"name": aside}, want, holder)
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
        """Return the headers with which Qlik lets the object be deleted; none as a rule."""
        return {}


def is_created_by_us(host: Host, maker: str | None) -> bool:
    """Tell whether a user id is our own bot's; where Qlik names no maker, the object counts as ours."""
    return maker in (None, "") or maker == host.get("/api/v1/users/me")["id"]


def taken_over(label: str, id: str, changed: Properties) -> str:
    """Return the line that tells the user of an object that was there already, and of what is put right."""
    corrected = f", and corrected: {', '.join(changed)}" if changed else ""
    return f"{label} was there already ({id}); taken over{corrected}"
