"""Data connections of the spaces. Qlik does not return their secrets."""

from __future__ import annotations

from typing import Any

from tenantry.importing.findings import Findings, Found
from tenantry.importing.tenant_reader import Json, TenantReader
from tenantry.providers.data_connection import HANDLER
from tenantry.providers.values.words import counted

BLOCK = "data_connections"


def find(reader: TenantReader, findings: Findings) -> None:
    """Import every connection of a space, with the properties that a plan names.

    For other properties nobody knows whether a user set them or Qlik created them.
    """
    personal = 0
    listed = reader.host.list(HANDLER.path, {"noDatafiles": "true"})
    for connection in sorted(listed, key=lambda item: (item.get("qName", ""), item["qID"])):
        if connection.get("space") in findings.keys:
            _take(reader, findings, connection)
        else:
            personal += 1
    if personal:
        findings.add_unmanaged(f"{counted(personal, 'data connection')} in personal spaces")


def _take(reader: TenantReader, findings: Findings, connection: Json) -> None:
    id, space = connection["qID"], connection["space"]
    live = HANDLER.decode(connection) | {"space": space}
    entry: dict[str, Any] = {
        "name": live["name"],
        "space": findings.keys[space],
        "datasource": live["datasource"],
        "tags": live.get("tags") or None,
    }
    findings.add_entry(BLOCK, id, entry, "name", "space")
    planned = (findings.plan.get(BLOCK) or {}).get(findings.keys[id]) or {}
    if names := planned.get("properties"):
        shown = reader.host.get(f"{HANDLER.path}/{id}", {"parseConnection": "true"})
        inner = shown.get("connectionProperties") or {}
        entry["properties"] = live["connection_properties"] = {
            name: inner[name] for name in names if name in inner
        }
    findings.objects.append(Found("DataConnection", id, live, ("name", "space")))
