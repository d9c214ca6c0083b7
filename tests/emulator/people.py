"""People who log in to a tenant."""

from __future__ import annotations

from typing import Any

import requests

from tenantry.emulator import Emulator
from tests import logins
from tests.emulator.api import Api, new_tenant

LOGIN = "/login/jwt-session"


def open_tenant(qlik: Emulator) -> Api:
    """Create a tenant with an identity provider and the group Analysts. Return its bot's client."""
    tenant = new_tenant(qlik)
    tenant.post("/api/v1/identity-providers", logins.provider())
    tenant.post("/api/v1/groups", {"name": "Analysts"})
    return tenant


class Person:
    """A user of a tenant with the cookies of a login."""

    def __init__(self, tenant: Api, response: requests.Response) -> None:
        assert response.status_code == 200, response.text
        assert response.json() == {}
        self._tenant = tenant
        self.cookies = dict(response.cookies)

    def send(self, method: str, path: str, **options: Any) -> requests.Response:
        return self._tenant.send(method, path, token="", cookies=self.cookies, **options)

    def get(self, path: str, expect: int = 200) -> Any:
        response = self.send("GET", path)
        assert response.status_code == expect, response.text
        return response.json() if response.content else None

    def me(self) -> dict[str, Any]:
        """Follow the redirect to the person's own user."""
        moved = self.send("GET", "/api/v1/users/me")
        assert moved.status_code == 301
        return self.get(moved.headers["location"])  # type: ignore[no-any-return]

    @property
    def csrf(self) -> dict[str, str]:
        response = self.send("GET", "/api/v1/csrf-token")
        assert response.status_code == 204
        return {"qlik-csrf-token": response.headers["qlik-csrf-token"]}


def login(tenant: Api, jwt: str = "", **claims: Any) -> Person:
    return Person(tenant, tenant.send("POST", LOGIN, token=jwt or logins.token(**claims)))
