"""People of a tenant, as they log in."""

from __future__ import annotations

from typing import Any

import requests

from tenantry.emulator import Emulator
from tests import logins
from tests.emulator.api import Api, new_tenant

LOGIN = "/login/jwt-session"


def open_tenant(qlik: Emulator) -> Api:
    """A tenant with an identity provider and the group Analysts, asked as its bot."""
    tenant = new_tenant(qlik)
    tenant.post("/api/v1/identity-providers", logins.provider())
    tenant.post("/api/v1/groups", {"name": "Analysts"})
    return tenant


class Person:
    """A user of a tenant, by the cookies of a login."""

    def __init__(self, tenant: Api, answer: requests.Response) -> None:
        assert answer.status_code == 200, answer.text
        assert answer.json() == {}
        self._tenant = tenant
        self.cookies = dict(answer.cookies)

    def send(self, method: str, path: str, **options: Any) -> requests.Response:
        return self._tenant.send(method, path, token="", cookies=self.cookies, **options)

    def get(self, path: str, expect: int = 200) -> Any:
        answer = self.send("GET", path)
        assert answer.status_code == expect, answer.text
        return answer.json() if answer.content else None

    def me(self) -> dict[str, Any]:
        """Follow the redirect to the own user."""
        moved = self.send("GET", "/api/v1/users/me")
        assert moved.status_code == 301
        return self.get(moved.headers["location"])  # type: ignore[no-any-return]

    @property
    def csrf(self) -> dict[str, str]:
        answer = self.send("GET", "/api/v1/csrf-token")
        assert answer.status_code == 204
        return {"qlik-csrf-token": answer.headers["qlik-csrf-token"]}


def login(tenant: Api, jwt: str = "", **claims: Any) -> Person:
    return Person(tenant, tenant.send("POST", LOGIN, token=jwt or logins.token(**claims)))
