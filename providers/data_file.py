"""Data files (https://qlik.dev/apis/rest/data-files): files that the scripts of a space read.

A request names the connection of the space. Qlik creates that connection with the space. A PUT without it
moves the file into the personal space of the client's bot user.

Qlik returns no hash of the content. So a file has changed at Qlik if its size or the date of its content
differs from the response to our last write.

Unverified, because no source documents it: when a new space has its connection, which role can write, and
whether `contentUpdatedDate`, which only samples show, always exists. Without it, Tenantry uses
`modifiedDate`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tenantry.providers.framework.errors import ResourceError
from tenantry.providers.framework.handlers import Collection, Properties
from tenantry.providers.framework.properties import Change, Property, output, prop, reference
from tenantry.providers.framework.resource import Resource
from tenantry.providers.framework.waiting import lag_seconds, wait
from tenantry.providers.qlik import Cloud, ConfigurationError, Host
from tenantry.providers.qlik.messages import Part
from tenantry.providers.values import data_files

Found = dict[str, Any]


class DataFile(Resource):
    """A data file of a space. Its content comes from a file on this machine, 100 MB at most.

    `tenantry.providers.values.data_files.sha256` computes the hash of the file at `path`.

    Qlik returns no hash. A refresh compares size and date with those that Qlik returned after our last
    write. If they differ, `sha256` shows the date of the change, and the next `up` sends the file again.
    Tenantry does not manage folders in the data files of a space.
    """

    tenant: Property[str] = reference("Tenant", "The tenant that contains the file.")
    space: Property[str] = reference("Space", "The space whose apps read the file.")
    name: Property[str] = prop(
        "Name, unique among the data files of the space. Scripts in the same space read "
        "`lib://DataFiles/<name>`, others `lib://<space>:DataFiles/<name>`.",
        limits=data_files.NAME,
    )
    sha256: Property[str] = prop("SHA-256 of the file.", limits=data_files.SHA256)
    path: Property[str] = prop(
        "The file on this machine. Tenantry reads it when it sends it. The state does not contain the path.",
        default=None,
        change=Change.NOT_KEPT,
    )
    adopt: Property[bool] = prop(
        "Take over an existing data file with this name that somebody else uploaded, and replace its "
        "content.",
        default=None,
        change=Change.AT_CREATION,
    )

    size: Property[int] = output("Size in bytes, as Qlik returned it after our last write.", at_qlik=False)
    changed_at: Property[str] = output(
        "Date of the last change of the content, as Qlik returned it after our last write.", at_qlik=False
    )
    connection: Property[str] = output("Id of the connection of the space.", at_qlik=False)


class DataFileHandler(Collection):
    """CRUD handler of `DataFile`. Requests name the connection of the space. A form uploads the file."""

    resource_type = DataFile
    path = "/api/v1/data-files"
    natural_key = ("tenant", "space", "name")
    maker = "ownerId"
    lists_show_all = False  # without a connection, a list shows the bot user's personal space

    def decode(self, found: Found) -> Properties:
        """Return name, size and date. The date replaces the hash, which Qlik does not return."""
        changed_at = found.get("contentUpdatedDate") or found.get("modifiedDate") or ""
        return {
            "name": found["name"],
            "sha256": f"unknown: changed at Qlik at {changed_at}",
            "size": found.get("size", 0),
            "changed_at": changed_at,
        }

    def lookup(self, host: Host, want: Properties) -> Found | None:
        """Return the file with the requested name in the space."""
        params = {"connectionId": want["connection"], "name": want["name"]}
        return next((file for file in host.list(self.path, params) if file["name"] == want["name"]), None)

    def listed(self, host: Host, have: Properties) -> Iterable[Found]:
        """Return all data files of the space, or none if the space and its connection no longer exist."""
        connection = _connection(host, have["space"])
        return host.list(self.path, {"connectionId": connection}) if connection else ()

    def create(self, cloud: Cloud, want: Properties) -> tuple[str, Properties]:
        """POST the file. After a 409, replace the file with this name if it is ours."""
        connection = self._wait_for_connection(cloud, want)
        id, live = super().create(cloud, want | {"connection": connection})
        return id, live | {"sha256": want["sha256"], "connection": connection}

    def post(self, host: Host, want: Properties) -> Found:
        """POST the form. Return the response to a GET of the file, because a refresh compares with that."""
        created = self._send(host, "POST", self.path, want)
        found: Found = host.get(self.member(created["id"], want))
        return found

    def read(self, cloud: Cloud, id: str, have: Properties) -> Properties | None:
        """GET the file. If its size and date have not changed since our last write, return our hash."""
        live = super().read(cloud, id, have)
        if live and all(live[name] == have.get(name) for name in ("size", "changed_at")):
            live["sha256"] = have["sha256"]
        return live

    def update(self, cloud: Cloud, id: str, have: Properties, want: Properties) -> Properties:
        """PUT the file if anything differs. Return its size and date."""
        if not self.changes(have, want):
            return {}
        connection = have.get("connection") or self._wait_for_connection(cloud, want)
        want = want | {"connection": connection}
        super().update(cloud, id, have, want)
        stored = self.decode(self.host(cloud, want).get(self.member(id, want)))
        return stored | {"name": want["name"], "sha256": want["sha256"], "connection": connection}

    def patch(self, host: Host, id: str, changes: Properties, want: Properties) -> None:
        """PUT the whole file, because Qlik does not document what happens to missing parts."""
        self._send(host, "PUT", self.member(id, want), want)

    def _send(self, host: Host, method: str, path: str, want: Properties) -> Found:
        """Send the form with a copy of the file. Raises ConfigurationError if its hash is not `sha256`."""
        if not want.get("path"):
            raise ConfigurationError(f"{self.label(want, '')}: set `path`, the file to send")
        description = {"name": want["name"], "connectionId": want["connection"]}
        with data_files.copy(Path(want["path"]), want["sha256"]) as file:
            form = {
                "Json": Part(json.dumps(description).encode(), "application/json"),
                "File": Part(b"", "application/octet-stream", want["name"], file),
            }
            response: Found = host.send_form(method, path, form, repeatable=True)
        return response

    def _wait_for_connection(self, cloud: Cloud, want: Properties) -> str:
        """Return the id of the connection of the space. A new space may get it with a delay.

        Raises ResourceError.
        """
        host = self.host(cloud, want)
        what = f"the data files of the space of {self.label(want, '')}"
        found = wait(cloud, lambda: _connection(host, want["space"]), what, lag_seconds())
        if found is None:
            raise ResourceError(
                f"{self.label(want, '')}: Qlik shows no data files of its space ({want['space']}) on"
                f" {host.hostname}. Give the client's bot user a role that may edit in the space, then run it"
                " again."
            )
        return found


def _connection(host: Host, space: str) -> str | None:
    """Return the id of the connection of a space, or None if Qlik shows none."""
    found = host.list(f"{DataFileHandler.path}/connections", {"spaceId": space})
    return next((str(item["id"]) for item in found if item.get("spaceId") == space), None)


HANDLER = DataFileHandler()
