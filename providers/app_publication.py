"""Published apps (https://qlik.dev/apis/rest/apps, `/apps/{appId}/publish`)."""

from __future__ import annotations

from typing import Any, Literal

from tenantry.providers.framework.errors import AlreadyExists, NotReady, Unfinished
from tenantry.providers.framework.handlers import Handler, Properties, is_created_by_us, takeover_message
from tenantry.providers.framework.notes import Note, current_note
from tenantry.providers.framework.properties import Change, Property, output, prop, reference
from tenantry.providers.framework.resource import Resource
from tenantry.providers.framework.waiting import lag_seconds, ready_seconds, wait
from tenantry.providers.lookups import catalog
from tenantry.providers.qlik import Cloud, Forbidden, Host, NotFound, QlikError
from tenantry.providers.values.limits import NOT_EMPTY


class AppPublication(Resource):
    """The copy of an app in a managed space, which users open.

    When another app is published over it, it keeps its id, its URL, and the sheets and bookmarks of its
    users.
    """

    tenant: Property[str] = reference("Tenant", "The tenant that contains the app.")
    source_app: Property[str] = reference(
        "App",
        "The app to publish. A change publishes the new app over the old one.",
        change=Change.IN_PLACE,
        follows=True,
    )
    space: Property[str] = reference(
        "Space", "The managed space that contains the app. A change moves the app.", change=Change.IN_PLACE
    )
    name: Property[str] = prop("Name of the published app.", limits=NOT_EMPTY)
    description: Property[str] = prop("Description of the app.", default="")
    data: Property[Literal["source", "target"]] = prop(
        "Which data the app has after it is published again: the data of the source, or its previous data.",
        default="source",
        change=Change.NO_REQUEST,
    )
    loaded: Property[str] = prop(
        "Id of the reload that loaded the data of the source. A new reload publishes the app again.",
        default=None,
        change=Change.UNSEEN,
    )
    adopt: Property[bool] = prop(
        "Take over an existing app with this name that somebody else published.",
        default=None,
        change=Change.AT_CREATION,
    )

    url: Property[str] = output("URL where users open the app.")


class AppPublicationHandler(Handler):
    """CRUD handler of `AppPublication`. It publishes with POST the first time, and then with PUT."""

    resource_type = AppPublication
    natural_key = ("tenant", "space", "name")

    def create(self, cloud: Cloud, want: Properties) -> tuple[str, Properties]:
        """Publish the app unless the space has it, and wait until it can be opened."""
        host = cloud.tenant(want["tenant"])
        found = self._published(cloud, host, want) or self._publish(cloud, host, want)
        have = want | _decode(found)
        outputs = {"url": published_url(host.hostname, found["id"])}
        try:
            self._correct(cloud, found["id"], have, want)
            _await_access(cloud, host, found["id"], want["name"])
        except QlikError as error:
            raise Unfinished(found["id"], have | outputs, error) from error
        return found["id"], outputs

    def read(self, cloud: Cloud, id: str, have: Properties) -> Properties | None:
        """GET the app. While Qlik refuses to open it, the values in the state stay."""
        try:
            found = catalog.read(cloud.tenant(have["tenant"]), id)
        except Forbidden:
            cloud.notify(
                f'published app "{have["name"]}" ({id}) was not refreshed: Qlik refuses to open it (403)'
            )
            return {}
        return None if found is None else _decode(found)

    def update(self, cloud: Cloud, id: str, have: Properties, want: Properties) -> Properties:
        """Move the app, publish another one over it, or PUT name and description, each only if it differs.

        If nothing differs, an earlier run did not finish the creation. Then wait until the app can be opened.
        """
        if all(have.get(prop.name) == want.get(prop.name) for prop in self.resource_type.inputs()):
            _await_access(cloud, cloud.tenant(want["tenant"]), id, want["name"])
        self._correct(cloud, id, have, want)
        return {}

    def _correct(self, cloud: Cloud, id: str, have: Properties, want: Properties) -> None:
        host = cloud.tenant(want["tenant"])
        changes = self.changes(have, want)
        attributes = {"name": want["name"], "description": want["description"]}
        if "space" in changes:
            host.put(f"/api/v1/apps/{id}/space", {"spaceId": want["space"]})
        if changes.keys() & {"source_app", "loaded"}:
            body = {"targetId": id, "checkOriginAppId": False, "data": want["data"], "attributes": attributes}
            host.put(f"/api/v1/apps/{want['source_app']}/publish", body)
        elif changes.keys() & {"name", "description"}:
            host.put(f"/api/v1/apps/{id}", {"attributes": attributes})

    def delete(self, cloud: Cloud, id: str, have: Properties) -> None:
        """DELETE the published app, with everything that users created in it."""
        catalog.delete(cloud.tenant(have["tenant"]), id)
        _note(have).clear()

    def _published(self, cloud: Cloud, host: Host, want: Properties) -> dict[str, Any] | None:
        """Return the app with the requested name in the space, None if there is none.

        Raises AlreadyExists if this client may not take it over.
        """
        found = catalog.recover(self, cloud, host, want, _note(want), lambda: _find(host, want))
        if found is None:
            return None
        if not (want.get("adopt") or is_created_by_us(host, found.get("ownerId"))):
            raise AlreadyExists(
                f'published app "{want["name"]}"', host.hostname, found["id"], found.get("ownerId")
            )
        changed = self.changes(want | _decode(found), want)
        cloud.notify(takeover_message(f'published app "{want["name"]}"', found["id"], changed))
        return found

    def _publish(self, cloud: Cloud, host: Host, want: Properties) -> dict[str, Any]:
        path = f"/api/v1/apps/{want['source_app']}/publish"
        attributes = {"name": want["name"], "description": want["description"]}
        body = {"spaceId": want["space"], "data": "source", "attributes": attributes}

        def attempt() -> dict[str, Any] | None:
            """Publish the app. Return None if Qlik does not show a new space yet, or refuses access to it."""
            try:
                published: dict[str, Any] = host.post(path, body)["attributes"]
            except (Forbidden, NotFound):
                return None
            return published

        def publish() -> dict[str, Any]:
            space = f"space {want['space']} to take a publication"
            return wait(cloud, attempt, space, lag_seconds()) or dict(host.post(path, body)["attributes"])

        return catalog.create(cloud, host, _note(want), publish, lambda: _find(host, want))


def published_url(hostname: str, id: str) -> str:
    """Return the URL where users open a published app."""
    return f"https://{hostname}/sense/app/{id}"


def _note(properties: Properties) -> Note:
    return current_note(properties["tenant"], f"publish {properties['name']} in {properties['space']}")


def _find(host: Host, want: Properties) -> dict[str, Any] | None:
    matches = (app for app in catalog.apps(host, want["space"], want["name"]) if app["name"] == want["name"])
    return next((app for app in matches if catalog.is_free(HANDLER, host, app)), None)


def _await_access(cloud: Cloud, host: Host, id: str, name: str) -> None:
    """Wait until the app can be opened. For up to two minutes after publishing, Qlik answers 403.

    Raises NotReady.
    """

    def probe() -> bool | None:
        try:
            host.get(f"/api/v1/apps/{id}")
        except Forbidden:
            return None
        return True

    seconds = ready_seconds()
    if not wait(cloud, probe, f'published app "{name}" to be opened', seconds):
        raise NotReady(
            f'app "{name}" ({id}) on {host.hostname} was published, but Qlik still refuses to open it (403) '
            f"after {seconds:.0f} s. This usually ends by itself. Run `pulumi up` again, or increase "
            "TENANTRY_READY_SECONDS."
        )


def _decode(attributes: dict[str, Any]) -> Properties:
    return {
        "name": attributes["name"],
        "description": attributes.get("description", ""),
        "space": attributes.get("spaceId", ""),
        "source_app": attributes.get("originAppId", ""),
    }


HANDLER = AppPublicationHandler()
