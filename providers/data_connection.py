"""Data connections (https://qlik.dev/apis/rest/data-connections).

Unverified, because no source documents it: that the name of a connection is unique only within its space, and
that Qlik returns the properties unchanged, except for secret ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tenantry.providers.framework import evidence
from tenantry.providers.framework.handlers import Collection, Properties
from tenantry.providers.framework.properties import Change, Property, prop, reference
from tenantry.providers.framework.resource import Resource
from tenantry.providers.qlik import Cloud, Host
from tenantry.providers.values.limits import CONNECTION_TAGS, CREDENTIALS_VERSION, NOT_EMPTY


class DataConnection(Resource):
    """A connection from the apps of a space to a data source."""

    tenant: Property[str] = reference("Tenant", "The tenant that contains the connection.")
    space: Property[str] = reference("Space", "The space whose apps use the connection.")
    name: Property[str] = prop(
        "Name, unique among the data connections of the space, case-sensitive.", limits=NOT_EMPTY
    )
    datasource: Property[str] = prop(
        "Id of the type of source at Qlik (`datasourceID`).", change=Change.REPLACES, limits=NOT_EMPTY
    )
    connection_properties: Property[dict[str, Any]] = prop(
        "Properties of that type of source. Tenantry does not change the others.",
        default=None,
    )
    credentials: Property[dict[str, Any]] = prop(
        "Secret properties, such as `password`. Always a Pulumi secret. Qlik never returns them, so Tenantry "
        "cannot see a change at Qlik.",
        default=None,
        change=Change.UNSEEN,
        sensitive=True,
    )
    credentials_version: Property[int] = prop(
        "A number. Change it to send the credentials again.",
        default=1,
        change=Change.UNSEEN,
        limits=CREDENTIALS_VERSION,
    )
    tags: Property[list[str]] = prop("Tags of the connection.", default=None, limits=CONNECTION_TAGS)
    adopt: Property[bool] = prop(
        "Take over an existing data connection with this name that somebody else created.",
        default=None,
        change=Change.AT_CREATION,
    )


_AT_QLIK = {
    "name": "qName",
    "datasource": "datasourceID",
    "connection_properties": "connectionProperties",
    "tags": "tags",
}
_PARSED = {"parseConnection": "true"}


class DataConnectionHandler(Collection):
    """CRUD handler of `DataConnection`.

    The id is `qID`. Only a GET of one connection returns its properties.
    """

    resource_type = DataConnection
    path = "/api/v1/data-connections"
    natural_key = ("tenant", "space", "name")
    id_name = "qID"
    maker = "user"
    lists_show_all = False

    def decode(self, found: dict[str, Any]) -> Properties:
        """Return the properties in a response. The response to POST has fewer than the one to GET."""
        known = self.resource_type.properties
        return {
            name: known[name].canonical(found[field]) for name, field in _AT_QLIK.items() if field in found
        }

    def lookup(self, host: Host, want: Properties) -> dict[str, Any] | None:
        """Return the connection with the requested name in the space, with its properties."""
        for connection in self.listed(host, want):
            if connection.get("qName") == want["name"]:
                found: dict[str, Any] = host.get(self.member(connection["qID"], want), _PARSED)
                return found | {"connectionProperties": _ours(found, want)}
        return None

    def listed(self, host: Host, have: Properties) -> Iterable[dict[str, Any]]:
        """Return all data connections of the space."""
        return host.list(self.path, {"spaceId": have["space"], "noDatafiles": "true"})

    def post(self, host: Host, want: Properties) -> dict[str, Any]:
        """POST the connection with its credentials."""
        body = {field: want[name] for name, field in _AT_QLIK.items() if want.get(name) is not None}
        body["connectionProperties"] = {
            **want.get("connection_properties", {}),
            **want.get("credentials", {}),
        }
        created: dict[str, Any] = host.post(self.path, body | {"space": want["space"]}, repeatable=True)
        return {self.id_name: created["qID"]}

    def read(self, cloud: Cloud, id: str, have: Properties) -> Properties | None:
        """GET the connection with its managed properties."""
        host = self.host(cloud, have)
        found = evidence.read(
            host, self.member(id, have), id, lambda: self.listed(host, have), key=self.id_name, params=_PARSED
        )
        return found and self.decode(found | {"connectionProperties": _ours(found, have)})

    def patch(self, host: Host, id: str, changes: Properties, want: Properties) -> None:
        """PATCH what differs. A change of connection properties includes the credentials.

        Qlik requires the credentials if the host changes.
        """
        patch = [
            {"op": "replace", "path": f"/{_AT_QLIK[name]}", "value": changes[name]}
            for name in ("name", "tags")
            if name in changes
        ]
        inner = dict(changes.get("connection_properties", {}))
        if changes.keys() & {"connection_properties", "credentials", "credentials_version"}:
            inner |= want.get("credentials") or {}
        patch += [
            {"op": "replace", "path": f"/connectionProperties/{name}", "value": value}
            for name, value in inner.items()
        ]
        if patch:
            host.patch(self.member(id, want), patch, repeatable=True)


def _ours(found: dict[str, Any], have: Properties) -> dict[str, Any]:
    """Return the values at Qlik of the managed connection properties, without those that Qlik adds."""
    live = found.get("connectionProperties") or {}
    return {name: live[name] for name in have.get("connection_properties") or {} if name in live}


HANDLER = DataConnectionHandler()
