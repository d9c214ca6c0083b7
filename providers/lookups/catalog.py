"""Finds apps in Qlik's catalog (https://qlik.dev/apis/rest/items), and creates each app at most once.

App names are not unique, so Qlik does not refuse a second app of the same name. Two things prevent one: a
search of the catalog, which may list a new app late, and the note that an earlier run wrote beforehand.
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
    """Yield the attributes of the apps in a space with `name` in their name. New ones may be missing."""
    query = {"resourceType": "app", "spaceId": space, "name": name, "noActions": "true"}
    yield from map(attributes_of, host.list("/api/v1/items", query))


def attributes_of(item: dict[str, Any]) -> Attributes:
    """Return the attributes of the app in a catalog item."""
    attributes: Attributes = dict(item["resourceAttributes"])
    attributes |= {
        "id": item["resourceId"],
        "name": item["name"],
        "description": item.get("description", ""),
    }
    return attributes | {"ownerId": item.get("ownerId", ""), "spaceId": item.get("spaceId", "")}


def describe(text: str, *marks: str) -> str:
    """Return a description that ends with the marks. The last mark is a version, written `{v2.1.0}`."""
    *others, version = marks
    return " ".join(part for part in (text, *others, f"{{v{version}}}" if version else "") if part)


def recover(
    handler: Handler, cloud: Cloud, host: Host, want: Properties, note: Note, lookup: Lookup
) -> Attributes | None:
    """Return the app if it exists already, None if it does not.

    If an earlier run may have created the app, wait for it, because the catalog may list it late.
    Raises HolderUnknown.
    """
    if want["space"] in run.current().empty_spaces:
        return None
    if note.earlier is None:
        return lookup()
    if "app" not in note.earlier:
        what = f"{note.what}, which an earlier run asked for"
        return wait(cloud, lookup, what, late_seconds(note.age()))
    path = f"/api/v1/apps/{note.earlier['app']}"

    def read_or_look_up() -> Attributes | None:
        # Qlik may refuse to open an app for a short time after publishing it.
        try:
            return dict(host.get(path)["attributes"])
        except Forbidden:
            return lookup()

    try:
        noted = wait(cloud, read_or_look_up, f"{note.what} to be opened", ready_seconds())
        noted = noted or dict(host.get(path)["attributes"])
    except NotFound:
        return lookup()
    # The name must match too: a resource whose key has changed may now manage the noted app.
    has_our_name = noted["name"] == want["name"] or noted["name"].startswith(f"{want['name']} [")
    return noted if has_our_name and is_free(handler, host, noted) else lookup()


def is_free(handler: Handler, host: Host, app: Attributes) -> bool:
    """Tell whether no other resource of the stack manages the app. Raises HolderUnknown."""
    return not moves.holder(handler.resource_type.__name__, f'app "{app["name"]}"', host, app["id"])


def create(
    cloud: Cloud, host: Host, note: Note, request: Callable[[], Attributes], lookup: Lookup
) -> Attributes:
    """Create an app with `request`, note its id and return its attributes.

    If the response is lost, wait for `lookup` to find the app. Raises the error of the request if it
    does not.
    """
    host.authenticate()
    try:
        with note.sending():
            created = request()
    except QlikError as error:
        what = f"the app whose creation was not confirmed ({note.what})"
        found = wait(cloud, lookup, what, late_seconds()) if error.may_be_done else None
        if found is None:
            raise
        created = found
    note.finish(app=created["id"])
    return created


def read(host: Host, id: str) -> Attributes | None:
    """Return the attributes of an app, None only if it is certainly gone. A 404 alone does not prove that."""
    found = evidence.read(host, f"/api/v1/apps/{id}", id, lambda: _all_app_items(host), key="resourceId")
    return None if found is None else dict(found["attributes"])


def delete(host: Host, id: str) -> None:
    """Delete an app. It is not an error if the app is certainly gone already."""
    evidence.delete(host, f"/api/v1/apps/{id}", id, lambda: _all_app_items(host), key="resourceId")


def _all_app_items(host: Host) -> Iterator[dict[str, Any]]:
    return host.list("/api/v1/items", {"resourceType": "app", "noActions": "true"})
