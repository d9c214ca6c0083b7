"""A tenant like those that Qlik's own example scripts create, and parts of it."""

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
    """Return a client for an emulator."""
    environ = {
        "QLIK_CLOUD_ENDPOINT": qlik.url,
        "QLIK_CLIENT_ID": "demo",
        "QLIK_CLIENT_SECRET": "demo-secret",
    }
    return Cloud(environ)


def new_tenant(cloud: Cloud) -> Host:
    """Create an empty tenant."""
    tenant = cloud.register("eu").post("/api/v1/tenants", {"licenseKey": LICENCE})
    return cloud.tenant(tenant["hostnames"][0])


def import_template(cloud: Cloud, host: Host, space: str, folder: Path, name: str, version: str) -> str:
    """Export a template with its data and import it without `mode`; return the app's id."""
    items = cloud.tenant(SOURCE).find("/api/v1/items", name, {"resourceType": "app"})
    [item] = [item for item in items if item["description"].endswith(f"{{v{version}}}")]
    source = cloud.tenant(SOURCE)
    file = folder / "template.qvf"
    source.download(source.export(f"/api/v1/apps/{item['resourceId']}/export"), file)
    query = {"spaceId": space, "name": name}
    return str(host.upload("/api/v1/apps/import", file, params=query)["attributes"]["id"])


def jwt_provider(tenant: str, kid: str = "portal-1", **changes: Any) -> dict[str, Any]:
    """Return the body of a JWT identity provider, as in Qlik's samples."""
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
    } | changes


def oauth_client(name: str, **changes: Any) -> dict[str, Any]:
    """Return the body of a machine-to-machine client, as in Qlik's samples."""
    return {
        "clientName": name,
        "appType": "web",
        "allowedScopes": ["user_default"],
        "allowedGrantTypes": ["client_credentials"],
        "connectionConfig": {"consentMethod": "trusted"},
    } | changes


def create_by_scripts(qlik: Emulator, folder: Path, alias: str = "acme") -> World:
    """Create a tenant with settings, logins, a group, two spaces, and an app published to one."""
    cloud = cloud_of(qlik)
    host = new_tenant(cloud)
    tenant = host.get("/api/v1/tenants/me")["id"]
    patch = [{"op": "replace", "path": "/hostnames/1", "value": f"{alias}.eu.qlikcloud.com"}]
    host.patch(f"/api/v1/tenants/{tenant}", patch)
    settings = [{"op": "replace", "path": "/autoCreateGroups", "value": True}]
    host.patch("/api/v1/groups/settings", settings)
    host.put("/api/v1/licenses/settings", {"autoAssignProfessional": False, "autoAssignAnalyzer": True})
    integration = {"name": "Portal", "validOrigins": ["https://portal.example.com", "http://localhost:3000"]}
    host.post("/api/v1/web-integrations", integration)
    host.post(
        "/api/v1/csp-origins", {"name": "Portal", "origin": "portal.example.com", "frameAncestors": True}
    )
    host.post("/api/v1/csp-origins", {"origin": "cdn.example.com", "imgSrc": True})
    link = {"name": "Help", "link": "https://help.example.com", "type": "custom-link", "scope": "tenant"}
    host.post("/api/v1/ui-config/pinned-links", link)
    webhook = {
        "name": "Portal",
        "url": "https://portal.example.com/qlik",
        "eventTypes": ["com.qlik.v1.user.created"],
    }
    host.post("/api/core/webhooks", webhook | {"enabled": True, "secret": "s" * 32})
    host.post("/api/core/webhooks", webhook | {"level": "user"})
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
