"""OAuth clients. Qlik does not return their secrets."""

from __future__ import annotations

from collections import Counter
from typing import get_args

from tenantry.importing.findings import Findings, Found
from tenantry.importing.tenant_reader import Json, TenantReader
from tenantry.providers.oauth_client import HANDLER, OAuthClient
from tenantry.settings.models.logins import OAuthClient as Entry

BLOCK = "oauth_clients"


def find(reader: TenantReader, findings: Findings) -> None:
    """Import the clients that a stack file can describe, except clients with the same name."""
    clients = sorted(
        reader.host.list(HANDLER.path), key=lambda client: (client.get("clientName", ""), client["clientId"])
    )
    names = Counter(client.get("clientName") for client in clients)
    for client in clients:
        name, id = client.get("clientName", ""), client["clientId"]
        reason = _reason(client) if names[name] == 1 else "another one has the same name"
        if reason:
            findings.add_unmanaged(f'OAuth client "{name}" ({id})', reason)
        else:
            _take(reader, findings, client)


def _reason(client: Json) -> str:
    """Return the reason why a stack file cannot describe this client, or an empty string."""
    if client.get("appType") not in get_args(OAuthClient.properties["app_type"].type):
        return f"its type is {client.get('appType', 'unknown')}"
    if client.get("createdByType") == "dcr":
        return "it registered itself"
    if client.get("appType") == "web" and "client_secret" not in client.get(
        "allowedAuthMethods", ["client_secret"]
    ):
        return "it has its own key instead of a secret"
    return "; ".join(HANDLER.input_problems({}, HANDLER.decode(client)).values())


def _take(reader: TenantReader, findings: Findings, client: Json) -> None:
    id, live = client["clientId"], HANDLER.decode(client)
    if "consent" not in live:
        live |= HANDLER.decode(HANDLER.get(reader.host, id, {}) or client)
    inputs = Entry.inputs()
    entry = {key: live[name] for key, name in inputs.items() if name in live}
    entry["description"] = live["description"] or None
    findings.add_entry(BLOCK, id, entry, "name")
    findings.objects.append(Found("OAuthClient", id, live, ("name",)))
