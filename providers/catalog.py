"""Apps as Qlik's catalog lists them (https://qlik.dev/apis/rest/items), and making one no more than once.

An app has no unique name at Qlik, so nothing refuses a second one. What stands against it is a look at the
catalog, which may show a fresh app late, and the note of what an earlier run was about to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from providers import run
from providers.intents import Intent
from providers.qlik import Cloud, Forbidden, Host, NotFound, QlikError
from providers.verbs import Properties
from providers.waiting import lag_seconds, ready_seconds, wait

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


def recover(cloud: Cloud, host: Host, want: Properties, intent: Intent, lookup: Lookup) -> Attributes | None:
    """Return the app that is there already; wait for the catalog where an earlier run surely asked for it."""
    if want["space"] in run.current().empty_spaces:
        return None
    found = lookup()
    if found is not None or intent.earlier is None:
        return found
    if "app" not in intent.earlier:
        return wait(
            cloud, lookup, f'app "{intent.earlier["name"]}", which an earlier run asked for', lag_seconds()
        )
    path = f"/api/v1/apps/{intent.earlier['app']}"

    def opened() -> Attributes | None:
        """Return the app, None while Qlik refuses to open it, as it does for a while after publishing."""
        try:
            return dict(host.get(path)["attributes"])
        except Forbidden:
            return lookup()

    try:
        noted = wait(cloud, opened, f'app "{intent.earlier["name"]}" to be opened', ready_seconds()) or dict(
            host.get(path)["attributes"]
        )
    except NotFound:
        return None
    # A note never outweighs the name: the app may be in the care of a resource whose key has changed.
    ours = noted["name"] == want["name"] or noted["name"].startswith(f"{want['name']} [")
    return noted if ours else None


def make(
    cloud: Cloud, host: Host, intent: Intent, request: Callable[[], Attributes], lookup: Lookup
) -> Attributes:
    """Send the request that makes an app, protected by its note; if the answer is lost, look for the app."""
    host.authenticate()
    try:
        with intent.sending(name=intent.what):
            made = request()
    except QlikError as error:
        what = f"the app whose answer was lost ({intent.what})"
        found = wait(cloud, lookup, what, lag_seconds()) if error.may_be_done else None
        if found is None:
            raise
        made = found
    intent.finish(app=made["id"])
    return made
