"""Helpers that check stack files against a local Qlik Cloud."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tenantry.checks.checks import check
from tenantry.checks.findings import Finding
from tenantry.emulator import Emulator
from tenantry.providers.lookups.preflight import Preflight
from tenantry.providers.qlik import Cloud
from tenantry.state.entries import TENANT

SOURCE = "templates.eu.qlikcloud.com"
REGISTER = "register.eu.qlikcloud.com"
CLIENT = {"QLIK_CLIENT_ID": "demo", "QLIK_CLIENT_SECRET": "demo-secret"}
ORGANISATION = {"QLIK_ORG_CLIENT_ID": "demo-org", "QLIK_ORG_CLIENT_SECRET": "demo-org-secret"}
CUSTOMER: dict[str, Any] = {
    "name": "Globex",
    "alias": "globex",
    "lifecycle": {"kind": "trial", "ends_on": "2099-12-31"},
    "groups": {"Analysts": {"roles": ["AnalyticsAdmin", "Developer"]}, "Viewers": {}},
    "spaces": {"Staging": {"type": "shared"}, "Sales": {"type": "managed"}},
    "apps": {
        "Sales": {
            "template": "Sales Overview",
            "version": "2.3.0",
            "staging": "Staging",
            "publish_to": ["Sales"],
        }
    },
}


def no_tenant(_: str) -> None:
    """Report that a stack has no tenant."""


class Bench:
    """A folder with stack files, and a local Qlik Cloud to check them against."""

    def __init__(self, qlik: Emulator, folder: Path) -> None:
        self.qlik, self.folder = qlik, folder
        self.environment = {"QLIK_CLOUD_ENDPOINT": qlik.url, **CLIENT, **ORGANISATION}
        self.tenant_of: Callable[[str], str | None] = no_tenant
        self.resources: list[dict[str, Any]] = []

    def write(self, customer: dict[str, Any] | None = None, name: str = "globex", **changes: Any) -> Path:
        """Write a stack file. `changes` replace keys of the customer, which defaults to CUSTOMER."""
        config = {
            "qlik:region": "eu",
            "qlik:source_tenant": SOURCE,
            "tenantry:customer": (CUSTOMER if customer is None else customer) | changes,
        }
        path = self.folder / f"Pulumi.{name}.yaml"
        path.write_text(yaml.safe_dump({"config": config}, sort_keys=False), "utf-8")
        return path

    def state_of(self, stack: str) -> dict[str, Any]:
        """Return the state of a stack with its tenant, if it has one, and with `resources`."""
        hostname = self.tenant_of(stack)
        tenant = [{"type": TENANT, "urn": "urn:…::tenant", "id": hostname}] if hostname else []
        return {"deployment": {"resources": [*tenant, *self.resources]}}

    def check(self, *paths: Path) -> dict[str, list[Finding]]:
        """Return the findings by stack, and assert that all requests were reads."""
        before = len(self.qlik.control.requests())
        with Cloud(self.environment) as cloud:
            findings = check(paths, Preflight(cloud), self.state_of)
        requests = [
            f"{request['method']} {request['path']}" for request in self.qlik.control.requests()[before:]
        ]
        assert [
            request
            for request in requests
            if not request.startswith("GET ") and request != "POST /oauth/token"
        ] == []
        return findings

    def problems(self, **changes: Any) -> list[str]:
        """Return the level and the text of each problem of CUSTOMER with these changes."""
        [findings] = self.check(self.write(**changes)).values()
        return [
            f"{finding.level} {finding.about}: {finding}" for finding in findings if finding.level != "ok"
        ]

    def create_tenant(self, name: str = "", alias: str = "") -> dict[str, Any]:
        """Create a tenant with the same client, as another stack does. Return its hostname and id."""
        with Cloud(self.environment) as cloud:
            key = cloud.tenant(SOURCE).get("/api/v1/licenses/overview")["licenseKey"]
            created: dict[str, Any] = cloud.register("eu").post("/api/v1/tenants", {"licenseKey": key})
            changes = {"/name": name} if name else {}
            changes |= {"/hostnames/1": alias} if alias else {}
            patch = [{"op": "replace", "path": path, "value": value} for path, value in changes.items()]
            if patch:
                cloud.tenant(created["hostnames"][0]).patch(f"/api/v1/tenants/{created['id']}", patch)
        return {"hostname": created["hostnames"][0], "tenant_id": created["id"]}

    def deactivate(self, tenant: dict[str, Any]) -> None:
        """Deactivate a tenant without Pulumi."""
        with Cloud(self.environment) as cloud:
            headers = {"qlik-confirm-hostname": tenant["hostname"]}
            path = f"/api/v1/tenants/{tenant['tenant_id']}/actions/deactivate"
            cloud.register("eu").post(path, {"purgeAfterDays": 10}, headers=headers)
