"""Tenants that others created: with Qlik's own example scripts, and by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tenantry.emulator import Emulator
from tenantry.providers.qlik import Cloud, Host
from tests.keys import public_pem
from tests.world import World

SOURCE = "templates.eu.qlikcloud.com"
LICENCE = "emulator-licence-key-eu"
SALES = "Revenue by region and product {v2.3.0}"


def cloud_of(qlik: Emulator) -> Cloud:
    """Return our client for an emulator."""
    environ = {
        "QLIK_CLOUD_ENDPOINT": qlik.url,
        "QLIK_CLIENT_ID": "demo",
        "QLIK_CLIENT_SECRET": "demo-secret",
    }
    return Cloud(environ)


def new_tenant(cloud: Cloud) -> Host:
    """An empty tenant."""
    made = cloud.register("eu").post("/api/v1/tenants", {"licenseKey": LICENCE})
    return cloud.tenant(made["hostnames"][0])


def import_template(cloud: Cloud, host: Host, space: str, folder: Path, name: str, version: str) -> str:
    """Export a template with its data and import it, with `mode` left out; return the app's id."""
    items = cloud.tenant(SOURCE).find("/api/v1/items", name, {"resourceType": "app"})
    [item] = [each for each in items if each["description"].endswith(f"{{v{version}}}")]
    source = cloud.tenant(SOURCE)
    file = folder / "template.qvf"
    source.download(source.export(f"/api/v1/apps/{item['resourceId']}/export"), file)
    query = {"spaceId": space, "name": name}
    return str(host.upload("/api/v1/apps/import", file, params=query)["attributes"]["id"])


def jwt_provider(tenant: str, kid: str = "portal-1", **fields: Any) -> dict[str, Any]:
    """Create a JWT identity provider as in Qlik's samples."""
    key = {"kid": kid, "pem": public_pem()}
    return {
        "tenantIds": [tenant],
        "provider": "external",
        "protocol": "jwtAuth",
        "interactive": False,
        "active": True,
        "description": "Portal",
        "clockToleranceSec": 5,
        "options": {"issuer": "https://portal.example.com", "jwtLoginEnabled": True, "staticKeys": [key]},
    } | fields


def oauth_client(name: str, **fields: Any) -> dict[str, Any]:
    """Create a machine-to-machine client as in Qlik's samples."""
    return {
        "clientName": name,
        "appType": "web",
        "allowedScopes": ["user_default"],
        "allowedGrantTypes": ["client_credentials"],
        "connectionConfig": {"consentMethod": "trusted"},
    } | fields


def by_scripts(qlik: Emulator, folder: Path, alias: str = "acme") -> World:
    """A tenant with a group, a staging space, a managed one with access, and an app published there."""
    cloud = cloud_of(qlik)
    host = new_tenant(cloud)
    tenant = host.get("/api/v1/tenants/me")["id"]
    patch = [{"op": "replace", "path": "/hostnames/1", "value": f"{alias}.eu.qlikcloud.com"}]
    host.patch(f"/api/v1/tenants/{tenant}", patch)
    settings = [{"op": "replace", "path": "/autoCreateGroups", "value": True}]
    host.patch("/api/v1/groups/settings", settings)
    host.put("/api/v1/licenses/settings", {"autoAssignProfessional": False, "autoAssignAnalyzer": True})
    pages = {"name": "Portal", "validOrigins": ["https://portal.example.com", "http://localhost:3000"]}
    host.post("/api/v1/web-integrations", pages)
    host.post(
        "/api/v1/csp-origins", {"name": "Portal", "origin": "portal.example.com", "frameAncestors": True}
    )
    host.post("/api/v1/csp-origins", {"origin": "cdn.example.com", "imgSrc": True})
    link = {"name": "Help", "link": "https://help.example.com", "type": "custom-link", "scope": "tenant"}
    host.post("/api/v1/ui-config/pinned-links", link)
    hook = {
        "name": "Portal",
        "url": "https://portal.example.com/qlik",
        "eventTypes": ["com.qlik.v1.user.created"],
    }
    host.post("/api/core/webhooks", hook | {"enabled": True, "secret": "s" * 32})
    host.post("/api/core/webhooks", hook | {"level": "user"})
    host.post("/api/v1/identity-providers", jwt_provider(tenant))
    host.post("/api/v1/oauth-clients", oauth_client("Server"))
    group = host.post("/api/v1/groups", {"name": "Analytics Consumers", "status": "active"})["id"]
    roles = [{"name": "AuditAdmin"}, {"name": "AnalyticsAdmin"}]
    host.patch(f"/api/v1/groups/{group}", [{"op": "replace", "path": "/assignedRoles", "value": roles}])
    shared = host.post("/api/v1/spaces", {"name": "Staging", "description": "none", "type": "shared"})["id"]
    managed = host.post("/api/v1/spaces", {"name": "Sales", "description": "none", "type": "managed"})["id"]
    body: dict[str, Any] = {"type": "group", "assigneeId": group, "roles": ["consumer"]}
    host.post(f"/api/v1/spaces/{managed}/assignments", body)
    app = import_template(cloud, host, shared, folder, "Sales Overview", "2.3.0")
    host.post(f"/api/v1/apps/{app}/publish", {"spaceId": managed})
    cloud.close()
    return World(qlik, host.hostname)
