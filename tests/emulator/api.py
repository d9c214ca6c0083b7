"""A plain client for the emulator's own tests. It does not retry, and does not follow redirects."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import requests

from tenantry.emulator import Emulator
from tests.pictures import PNG

SOURCE = "templates.eu.qlikcloud.com"
REGISTER = "register.eu.qlikcloud.com"
CONSOLE = "console.qlikcloud.com"
SECRETS = {"demo": "demo-secret", "demo-us": "demo-us-secret", "demo-org": "demo-org-secret"}


@dataclass
class Api:
    """One host of the emulated cloud, seen by one OAuth client."""

    qlik: Emulator
    host: str
    client: str = "demo"
    token: str = ""

    def on(self, host: str, client: str = "") -> Api:
        """Return a client of another host."""
        return Api(self.qlik, host, client or self.client)

    def login(self) -> Api:
        """Fetch a token."""
        response = self.request_token()
        assert response.status_code == 200, response.text
        self.token = response.json()["access_token"]
        return self

    def request_token(self, secret: str = "", **changes: Any) -> requests.Response:
        body = {
            "client_id": self.client,
            "client_secret": secret or SECRETS[self.client],
            "grant_type": "client_credentials",
        }
        return self.send("POST", "/oauth/token", json=body | changes, token="")

    def send(self, method: str, path: str, token: str | None = None, **options: Any) -> requests.Response:
        headers = {"Host": self.host, **options.pop("headers", {})}
        token = self.token if token is None else token
        if token:
            headers["Authorization"] = f"Bearer {token}"
        with requests.Session() as session:
            session.trust_env = False
            return session.request(
                method, self.qlik.url + path, headers=headers, allow_redirects=False, timeout=30, **options
            )

    def get(self, path: str, expect: int = 200, **options: Any) -> Any:
        return self._expect("GET", path, expect, options)

    def post(self, path: str, json: Any = None, expect: int = 201, **options: Any) -> Any:
        return self._expect("POST", path, expect, {"json": json, **options})

    def put(self, path: str, json: Any = None, expect: int = 200, **options: Any) -> Any:
        return self._expect("PUT", path, expect, {"json": json, **options})

    def patch(self, path: str, changes: dict[str, Any], expect: int = 204) -> Any:
        """Send a JSON Patch that replaces values."""
        body = [{"op": "replace", "path": key, "value": value} for key, value in changes.items()]
        return self._expect("PATCH", path, expect, {"json": body})

    def delete(self, path: str, expect: int = 204, **options: Any) -> Any:
        return self._expect("DELETE", path, expect, options)

    def everything(self, path: str) -> list[dict[str, Any]]:
        """Return the entries of all pages of a list."""
        found: list[dict[str, Any]] = []
        while path:
            page = self.get(path)
            found += page["data"]
            href = page["links"].get("next", {}).get("href", "")
            path = "/" + href.split("/", 3)[3] if href else ""
        return found

    def _expect(self, method: str, path: str, expect: int, options: dict[str, Any]) -> Any:
        response = self.send(method, path, **options)
        assert response.status_code == expect, f"{method} {path} -> {response.status_code} {response.text}"
        if "json" in response.headers.get("content-type", ""):
            return response.json()
        return response.content or None


def new_tenant(qlik: Emulator) -> Api:
    """Create a tenant. Return a client of it that acts as its bot user."""
    source = Api(qlik, SOURCE).login()
    key = source.get("/api/v1/licenses/overview")["licenseKey"]
    created = source.on(REGISTER).login().post("/api/v1/tenants", {"licenseKey": key})
    return source.on(created["hostnames"][0]).login()


def create_everything(tenant: Api) -> dict[str, list[str]]:
    """Create one object of each type in a tenant. Return the ids by the names of path parameters."""
    post = tenant.post
    spaces = [post("/api/v1/spaces", {"name": kind, "type": kind})["id"] for kind in ("shared", "managed")]
    user = post("/api/v1/users", {"subject": "ada", "status": "active"})["id"]
    groups = [
        post("/api/v1/groups", {"name": kind, "providerType": kind})["id"] for kind in ("idp", "custom")
    ]
    body = {"type": "user", "assigneeId": user, "roles": ["consumer"]}
    assignment = post(f"/api/v1/spaces/{spaces[0]}/assignments", body)["id"]
    app = post("/api/v1/apps/import", data=b"x", params={"spaceId": spaces[0]}, expect=200)["attributes"][
        "id"
    ]
    copy = post(f"/api/v1/apps/{app}/publish", {"spaceId": spaces[1]}, expect=200)["attributes"]["id"]
    role = post("/api/v1/roles", {"name": "Custom"})["id"]
    integration = post("/api/v1/web-integrations", {"name": "Portal"})["id"]
    origin = post("/api/v1/csp-origins", {"origin": "portal.example"})["id"]
    webhook = post("/api/core/webhooks", {"name": "Portal", "url": "https://portal.example"})["id"]
    connection = {"qName": "DB", "datasourceID": "postgres", "space": spaces[0], "connectionProperties": {}}
    brand = post("/api/v1/brands", files={"name": (None, "Acme"), "logo": ("a.png", PNG, "image/png")})["id"]
    reload_path = f"/api/scheduling/tasks/resources/{app}/actions/reload"
    task = post(f"{reload_path}/on-time-schedule", {"name": "Nightly", "recurrence": "FREQ=DAILY"})["id"]
    link = {"name": "Help", "link": "https://help.example", "type": "custom-link", "scope": "tenant"}
    link_id = post("/api/v1/ui-config/pinned-links", link)["id"]
    automation = post("/api/workflows/automations", {"name": "Nightly"})["id"]
    (files,) = tenant.get("/api/v1/data-files/connections", params={"spaceId": spaces[0]})["data"]
    attributes = json.dumps({"name": "rates.csv", "connectionId": files["id"]})
    form = {"Json": (None, attributes, "application/json"), "File": ("rates.csv", b"x", "text/csv")}
    data_file = post("/api/v1/data-files", files=form)["id"]
    client = post("/api/v1/oauth-clients", {"clientName": "Portal", "appType": "web"})
    content = tenant.send("POST", "/api/v1/temp-contents", data=b"x").headers["location"].rsplit("/", 1)[1]
    return {
        "spaceId": spaces,
        "assignmentId": [assignment],
        "userId": [user],
        "groupId": [*groups, "000000000000000000000001"],
        "appId": [app, copy],
        "qID": [post("/api/v1/data-connections", connection)["qID"]],
        "reloadId": [post("/api/v1/reloads", {"appId": app})["id"]],
        "brandId": [brand],
        "fileId": ["logo"],
        "itemId": [item["id"] for item in tenant.get("/api/v1/items")["data"]],
        "id": [
            *(role, integration, content, origin, webhook, task, app, automation, link_id),
            *(client["clientId"], data_file, files["id"]),
        ],
        "hint": [secret["hint"] for secret in client["clientSecrets"]],
    }


def error(body: dict[str, Any]) -> dict[str, Any]:
    """Return the only entry of an error response."""
    (entry,) = body["errors"]
    return entry  # type: ignore[no-any-return]
