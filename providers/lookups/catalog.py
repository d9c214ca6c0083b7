"""Apps as Qlik's catalog lists them (https://qlik.dev/apis/rest/items), and making one no more than once.

An app has no unique name at Qlik, so nothing refuses a second one. What stands against it is a look at the
catalog, which may show a fresh app late, and the note of what an earlier run was about to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tenantry.providers.framework import evidence, moves, run
from tenantry.providers.framework.handlers import Handler, Properties
from tenantry.providers.framework.notes import Note
from tenantry.providers.framework.waiting import late_seconds, ready_seconds, wait
from tenantry.providers.qlik import Cloud, Forbidden, Host, NotFound, QlikError

Attributes = dict[str, Any]
Lookup = Callable[[], Attributes | None]


def apps(host: Host, space: str, name: str) -> Iterator[Attributes]:
    """Yield the attributes of the apps in a space with `name` in their name; fresh ones may be missing."""
    query = {"resourceType": "app", "spaceId": space, "name": name, "noActions": "true"}
    yield from map(attributes_of, host.list("/api/v1/items", query))


def attributes_of(item: dict[str, Any]) -> Attributes:
    """Return the attributes of the app that an item of the catalog is about."""
    attributes: Attributes = dict(item["resourceAttributes"])
    attributes |= {
        "id": item["resourceId"],
        "name": item["name"],
        "description": item.get("description", ""),
    }
    return attributes | {"ownerId": item.get("ownerId", ""), "spaceId": item.get("spaceId", "")}


def describe(text: str, *marks: str) -> str:
    """Return a description that ends in the given marks; the last is a version, written `{v2.1.0}`."""
    *others, version = marks
    return " ".join(part for part in (text, *others, f"{{v{version}}}" if version else "") if part)


def recover(
    handler: Handler, cloud: Cloud, host: Host, want: Properties, note: Note, lookup: Lookup
) -> Attributes | None:
    """Return the app that is there already; wait for it where an earlier run asked for it and Qlik may be
    late.
    """
    if want["space"] in run.current().empty_spaces:
        return None
    if note.earlier is None:
        return lookup()
    if "app" not in note.earlier:
        what = f"{note.what}, which an earlier run asked for"
        return wait(cloud, lookup, what, late_seconds(note.age()))
    path = f"/api/v1/apps/{note.earlier['app']}"

    def opened() -> Attributes | None:
        """Return the app, None while Qlik refuses to open it, as it does for a while after publishing."""
        try:
            return dict(host.get(path)["attributes"])
        except Forbidden:
            return lookup()

    try:
        noted = wait(cloud, opened, f"{note.what} to be opened", ready_seconds())
        noted = noted or dict(host.get(path)["attributes"])
    except NotFound:
        return lookup()
    # A note never outweighs the name: the app may be in the care of a resource whose key has changed.
    ours = noted["name"] == want["name"] or noted["name"].startswith(f"{want['name']} [")
    return noted if ours and is_free(handler, host, noted) else lookup()


def is_free(handler: Handler, host: Host, app: Attributes) -> bool:
    """Tell whether no other resource of the stack holds an app. Raises HolderUnknown."""
    return not moves.holder(handler.resource_type.__name__, f'app "{app["name"]}"', host, app["id"])


def make(
    cloud: Cloud, host: Host, note: Note, request: Callable[[], Attributes], lookup: Lookup
) -> Attributes:
    """Send the request that makes an app, protected by its note; if the answer is lost, look for the app."""
    host.authenticate()
    try:
        with note.sending():
            made = request()
    except QlikError as error:
        what = f"the app whose answer was lost ({note.what})"
        found = wait(cloud, lookup, what, late_seconds()) if error.may_be_done else None
        if found is None:
            raise
        made = found
    note.finish(app=made["id"])
    return made


def read(host: Host, id: str) -> Attributes | None:
    """Return the attributes of an app; None only if it is certainly gone: Qlik publishes no code for that."""
    found = evidence.read(host, f"/api/v1/apps/{id}", id, lambda: _every(host), key="resourceId")
    return None if found is None else dict(found["attributes"])


def delete(host: Host, id: str) -> None:
    """DELETE an app; fine if it is certainly gone already."""
    evidence.delete(host, f"/api/v1/apps/{id}", id, lambda: _every(host), key="resourceId")


def _every(host: Host) -> Iterator[dict[str, Any]]:
    return host.list("/api/v1/items", {"resourceType": "app", "noActions": "true"})
