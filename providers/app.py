"""Apps (https://qlik.dev/apis/rest/apps), imported from templates into a space of the customer's tenant."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from tenantry.providers.framework import run
from tenantry.providers.framework.errors import AdoptionUndecided, Unfinished
from tenantry.providers.framework.handlers import Handler, Properties, takeover_message
from tenantry.providers.framework.notes import Note, current_note
from tenantry.providers.framework.properties import Change, Property, output, prop, reference
from tenantry.providers.framework.resource import Resource
from tenantry.providers.lookups import catalog, exports, templates
from tenantry.providers.qlik import ApiError, Cloud, ConfigurationError, Host, QlikError
from tenantry.providers.values import scripts
from tenantry.providers.values.limits import NOT_EMPTY


class App(Resource):
    """An app that was imported from a template. It is the source of the published apps.

    Every import has a new id, so a new version is a new app. Tenantry imports it before it deletes the old
    one.
    """

    tenant: Property[str] = reference("Tenant", "The tenant that contains the app.")
    space: Property[str] = reference(
        "Space", "The shared space that contains the app. A change moves the app.", change=Change.IN_PLACE
    )
    name: Property[str] = prop("Name of the app.", limits=NOT_EMPTY)
    description: Property[str] = prop(
        "Description of the app. Tenantry appends the version and a mark to it at Qlik.", default=""
    )
    source_tenant: Property[str] = prop(
        "Hostname of the tenant that has the template.", change=Change.REPLACES, limits=NOT_EMPTY
    )
    template: Property[str] = prop(
        "Exact name of the template app.", default=None, change=Change.REPLACES, limits=NOT_EMPTY
    )
    template_id: Property[str] = prop(
        "App id of the template, instead of its name.", default=None, change=Change.REPLACES
    )
    version: Property[str] = prop(
        "Version of the template: the `{v…}` at the end of its description, without braces and `v`.",
        change=Change.REPLACES,
        limits=NOT_EMPTY,
    )
    data: Property[bool] = prop(
        "Whether the import includes the data of the template.", default=True, change=Change.REPLACES
    )
    script_digest: Property[str] = prop(
        "Digest of the file in `script` or of `replace`. Another digest imports the template again.",
        default=None,
        change=Change.REPLACES,
    )
    script: Property[str] = prop(
        "Path of a file with the load script that replaces the script of the template.",
        default=None,
        change=Change.NOT_KEPT,
    )
    replace: Property[dict[str, str]] = prop(
        "Texts in the template's load script, each with its replacement. Each text must occur in the script.",
        default=None,
        change=Change.NO_REQUEST,
    )
    join_template_space: Property[bool] = prop(
        "Whether the client's bot user can join the template's space as `producer`, if it cannot export the "
        "template otherwise. It stays a member.",
        default=None,
        change=Change.NO_REQUEST,
    )
    adopt: Property[bool] = prop(
        "Take over an app with this name that already exists in the space.",
        default=None,
        change=Change.AT_CREATION,
    )

    owner_id: Property[str] = output("User id of the owner.")
    unmarked: Property[bool] = output(
        "Whether somebody else imported the app, without Tenantry's mark. Tenantry adds the mark with the "
        "next change of name or description."
    )
    stored_script: Property[str] = output(
        "Digest of the load script as Qlik stored it, if the app has its own script."
    )


class AppHandler(Handler):
    """CRUD handler of `App`.

    Qlik accepts the same import twice. So Tenantry imports the app under a name with a mark, and renames it
    afterwards. The mark is a digest of all properties that need a new import. An app with the mark is the
    requested import.
    """

    resource_type = App
    natural_key = (
        "tenant",
        "source_tenant",
        "template",
        "template_id",
        "version",
        "data",
        "script_digest",
    )

    def input_problems(self, have: Properties, want: Properties) -> dict[str, str]:
        """Refuse more than one way to name the template, and more than one source of the script."""
        if ("template" in want) == ("template_id" in want):
            return {"template": "set either template (its exact name) or template_id (its app id)"}
        if "script" in want and "replace" in want:
            return {
                "script": "set either script (a whole script) or replace (texts of the template's script)"
            }
        if ("script_digest" in want) != ("script" in want or "replace" in want):
            return {"script_digest": "set it together with script or replace"}
        return {}

    def create(self, cloud: Cloud, want: Properties) -> tuple[str, Properties]:
        """Import the template unless an earlier run did, then set script, name and description."""
        host = cloud.tenant(want["tenant"])
        if not want.get("adopt") and _note(want).earlier is None:
            # Start the export while we look for an existing app. Usually there is none.
            exports.begin(cloud, [want])
        found = self._imported(cloud, host, want) or self._import(cloud, host, want)
        have = want | _decode({"spaceId": want["space"]} | found, want)
        try:
            changed = self.update(cloud, found["id"], have, want)
        except QlikError as error:
            raise Unfinished(found["id"], have, error) from error
        return found["id"], {"owner_id": have["owner_id"], **changed}

    def read(self, cloud: Cloud, id: str, have: Properties) -> Properties | None:
        """GET the app, and its script if it has its own."""
        host = cloud.tenant(have["tenant"])
        found = catalog.read(host, id)
        if found is None:
            return None
        live = _decode(found, have)
        if stored := have.get("stored_script"):
            current = scripts.digest(_script(host, id)["script"])
            # If somebody changed the script, the digest differs, and so the app is imported again.
            live |= {"stored_script": current} | ({"script_digest": current} if current != stored else {})
        return live

    def update(self, cloud: Cloud, id: str, have: Properties, want: Properties) -> Properties:
        """Move the app, POST its script, and PUT name and description, each only if it differs."""
        host = cloud.tenant(want["tenant"])
        changes = self.changes(have, want)
        outputs: Properties = {}
        if want.get("script_digest") and not have.get("stored_script"):
            outputs["stored_script"] = self._set_script(host, id, want)
        if "space" in changes:
            host.put(f"/api/v1/apps/{id}/space", {"spaceId": want["space"]})
        if changes.keys() & {"name", "description"}:
            attributes = {"name": want["name"], "description": _described(want)}
            host.put(f"/api/v1/apps/{id}", {"attributes": attributes})
            outputs |= {"unmarked": False} if have.get("unmarked") else {}
        return outputs

    def _set_script(self, host: Host, id: str, want: Properties) -> str:
        """POST the script unless an earlier run did. Return the digest of the script that Qlik stored."""
        message = f"Tenantry [{mark(want)}]"
        stored = _script(host, id)
        if stored.get("versionMessage") != message:
            if path := want.get("script"):
                text = scripts.read(Path(path))
                if scripts.digest(text) != want["script_digest"]:
                    raise ConfigurationError(f"{path} has changed since the run began: run it again")
            else:
                text = scripts.replace_texts(stored["script"], want["replace"])
            stored = _save_script(host, id, text, message)
        run.current().scripts[id] = stored["script"]
        return scripts.digest(stored["script"])

    def delete(self, cloud: Cloud, id: str, have: Properties) -> None:
        """DELETE the app. Its published copies stay."""
        catalog.delete(cloud.tenant(have["tenant"]), id)
        _note(have).clear()

    def _imported(self, cloud: Cloud, host: Host, want: Properties) -> dict[str, Any] | None:
        """Return the app that an earlier run imported, if there is one."""
        interrupted: dict[str, str] = {}
        found = catalog.recover(self, cloud, host, want, _note(want), lambda: _find(host, want, interrupted))
        for id, name in interrupted.items():
            cloud.notify(
                f'app "{name}" ({id}) was left behind by an interrupted import. Delete it, or see '
                "`tenantry orphans`."
            )
        if found is not None:
            changed = self.changes(want | _decode({"spaceId": want["space"]} | found, want), want)
            cloud.notify(takeover_message(f'app "{want["name"]}"', found["id"], changed))
        return found

    def _import(self, cloud: Cloud, host: Host, want: Properties) -> dict[str, Any]:
        file = exports.fetch(cloud, want)
        query = {"spaceId": want["space"], "name": _marked_name(want)}
        try:
            return catalog.create(
                cloud,
                host,
                _note(want),
                lambda: host.upload("/api/v1/apps/import", file, params=query)["attributes"],
                lambda: _find(host, want),
            )
        except ApiError as refusal:
            if 400 <= refusal.status < 500 and refusal.status not in STATUSES_UNRELATED_TO_FILE:
                templates.distrust(file)
            raise


def _note(properties: Properties) -> Note:
    return current_note(properties["tenant"], f"import {mark(properties)}")


STATUSES_UNRELATED_TO_FILE = (401, 403, 404, 429)
"""The statuses of a refused import that do not depend on the file. A new export would not help."""

MARK = re.compile(r"\[[0-9a-f]{12}\]")
"""The mark of any import in a name or description."""


def _script(host: Host, id: str) -> dict[str, Any]:
    """Return the current load script: `script`, and `versionMessage` if it was saved with one."""
    found: dict[str, Any] = host.get(f"/api/v1/apps/{id}/scripts/current")
    return found


def _save_script(host: Host, id: str, text: str, message: str) -> dict[str, Any]:
    """POST a version of the load script, and return the script that Qlik stored.

    Qlik keeps every version. So after a lost response, check before you send the same version again.
    """
    path, body = f"/api/v1/apps/{id}/scripts", {"script": text, "versionMessage": message}
    try:
        host.post(path, body)
    except QlikError as error:
        if not error.may_be_done:
            raise
        if (stored := _script(host, id)).get("versionMessage") == message:
            return stored
        host.post(path, body)
    return _script(host, id)


def mark(properties: Properties) -> str:
    """Return the mark of this import: a digest of all properties that replace the app."""
    parts = [
        properties.get(prop.name)
        for prop in App.inputs()
        if prop.change is Change.REPLACES and not prop.reference
    ]
    if parts[-1] is None:  # the app has no script of its own
        parts.pop()
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]


def _marked_name(want: Properties) -> str:
    return f"{want['name']} [{mark(want)}]"


def _described(want: Properties) -> str:
    return catalog.describe(want["description"], f"[{mark(want)}]", want["version"])


def _find(host: Host, want: Properties, interrupted: dict[str, str] | None = None) -> dict[str, Any] | None:
    """Return the attributes of the app with the requested mark, or of the app to adopt.

    An app with another mark is a different import, such as the one that a new version replaces. If it never
    got its final name, its id and name are added to `interrupted`. Raises AdoptionUndecided.
    """
    our_mark, others = f"[{mark(want)}]", []
    for app in catalog.apps(host, want["space"], want["name"]):
        if app["name"] == _marked_name(want) or (
            app["name"] == want["name"] and our_mark in app.get("description", "")
        ):
            if catalog.is_free(HANDLER, host, app):
                return app
        elif interrupted is not None and MARK.fullmatch(app["name"].removeprefix(f"{want['name']} ")):
            interrupted[app["id"]] = app["name"]
        elif app["name"] == want["name"] and not MARK.search(app.get("description", "")):
            others.append(app)
    if not want.get("adopt"):
        return None
    if len(others) > 1:
        label = f'app "{want["name"]}" in space {want["space"]}'
        raise AdoptionUndecided(label, host.hostname, [app["id"] for app in others])
    return others[0] if others and catalog.is_free(HANDLER, host, others[0]) else None


def existing_properties(attributes: dict[str, Any], own: Properties) -> Properties:
    """Return the properties of an existing app.

    `own` has those properties whose change replaces the app.
    """
    unmarked = not MARK.search(attributes.get("description", ""))
    return _decode(attributes, own | {"unmarked": unmarked}) | {"unmarked": unmarked}


def _decode(attributes: dict[str, Any], have: Properties) -> Properties:
    """Return the properties in Qlik's attributes, with the description without version and mark.

    A description without the expected mark is returned unchanged.
    """
    suffix = _described(have | {"description": ""})
    description = attributes.get("description", "")
    if have.get("unmarked") and not MARK.search(description):
        suffix = catalog.describe("", have["version"])
    if description.endswith(suffix):
        description = description.removesuffix(suffix).rstrip()
    return {
        "name": attributes["name"],
        "description": description,
        "space": attributes.get("spaceId", ""),
        "owner_id": attributes.get("ownerId", ""),
    }


HANDLER = AppHandler()
