"""Tokens. They are valid on one host for six hours, and the first one creates the bot user."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tenantry.emulator import Emulator
from tenantry.emulator.seed import load_seed
from tenantry.emulator.store import SHARED
from tenantry.emulator.world import World
from tests.emulator.api import CONSOLE, REGISTER, SOURCE, Api, error, new_tenant


def test_a_token_is_refused_on_every_other_host(qlik: Emulator) -> None:
    tokens = {host: Api(qlik, host).login().token for host in (SOURCE, REGISTER)}
    tenant = new_tenant(qlik)
    tokens[tenant.host] = tenant.token
    for origin, token in tokens.items():
        accepted = {host for host in (SOURCE, tenant.host) if _is_accepted(qlik, host, token)}
        assert accepted == ({origin} - {REGISTER})


def _is_accepted(qlik: Emulator, host: str, token: str) -> bool:
    return Api(qlik, host).send("GET", "/api/v1/spaces", token=token).status_code == 200


def test_a_token_is_valid_for_the_alias_and_the_hostname(qlik: Emulator) -> None:
    tenant = new_tenant(qlik)
    tenant_id = tenant.get("/api/v1/users?limit=1")["data"][0]["tenantId"]
    tenant.patch(f"/api/v1/tenants/{tenant_id}", {"/hostnames/1": "globex.eu.qlikcloud.com"})
    assert _is_accepted(qlik, "globex.eu.qlikcloud.com", tenant.token)


def test_a_token_expires_after_six_hours_of_the_emulators_clock(qlik: Emulator) -> None:
    source = Api(qlik, SOURCE).login()
    qlik.control.advance(21_599)
    source.get("/api/v1/spaces")
    qlik.control.advance(2)
    source.get("/api/v1/spaces", expect=401)
    source.login().get("/api/v1/spaces")


def test_a_client_is_valid_only_in_its_region_and_on_hosts_of_its_level(qlik: Emulator) -> None:
    tenant = new_tenant(qlik)
    for host, client, status in [
        (SOURCE, "demo-us", 401),
        (REGISTER, "demo-us", 401),
        (tenant.host, "demo-us", 401),
        ("register.us.qlikcloud.com", "demo", 401),
        ("register.us.qlikcloud.com", "demo-us", 200),
        (CONSOLE, "demo", 401),
        (CONSOLE, "demo-org", 200),
        (SOURCE, "demo-org", 401),
    ]:
        assert Api(qlik, host, client).request_token().status_code == status, (host, client)


def test_a_client_of_another_licence_gets_no_token(tmp_path: Path) -> None:
    world = World(tmp_path, load_seed)
    rival = {"id": "rival", "secret": "its own", "level": "region", "region": "eu", "licence": "other"}
    world.store.put(SHARED, "client", rival)
    world.close()
    with Emulator(tmp_path) as qlik:
        assert Api(qlik, REGISTER, "rival").request_token("its own").status_code == 200
        assert Api(qlik, SOURCE, "rival").request_token("its own").status_code == 401


def test_a_wrong_secret_is_refused_with_qliks_error(qlik: Emulator) -> None:
    response = Api(qlik, SOURCE).request_token(secret="wrong")
    assert response.status_code == 401
    assert response.json()["traceId"]
    assert "wrong" not in response.text


@pytest.mark.parametrize(
    "changes",
    [{"grant_type": "password"}, {"client_secret": None}, {"surprise": 1}, {"client_id": 7}],
)
def test_a_malformed_token_request_is_refused(qlik: Emulator, changes: dict[str, Any]) -> None:
    assert Api(qlik, SOURCE).request_token(**changes).status_code == 400


def test_a_token_request_can_be_a_form(qlik: Emulator) -> None:
    body = {"client_id": "demo", "client_secret": "demo-secret", "grant_type": "client_credentials"}
    response = Api(qlik, SOURCE).send("POST", "/oauth/token", data=body)
    assert response.status_code == 200
    assert response.json()["expires_in"] == 21_600


def test_the_first_token_creates_the_bot_user(qlik: Emulator) -> None:
    tenant = new_tenant(qlik)
    tenant.login()
    bots = tenant.get("/api/v1/users", params={"filter": 'subject eq "qlikbot\\\\demo"'})["data"]
    assert len(bots) == 1
    assert bots[0]["clientId"] == "demo"
    created = tenant.post("/api/v1/spaces", {"name": "Mine", "type": "shared"})
    assert created["ownerId"] == created["createdBy"] == bots[0]["id"]


def test_each_tenant_has_its_own_bot_user(qlik: Emulator) -> None:
    ids = {
        api.send("GET", "/api/v1/users/me").headers["location"]
        for api in (new_tenant(qlik), new_tenant(qlik))
    }
    assert len(ids) == 2


def test_a_disabled_bot_gets_no_token_and_cannot_use_its_old_one(qlik: Emulator) -> None:
    tenant = new_tenant(qlik)
    bot = tenant.send("GET", "/api/v1/users/me").headers["location"]
    body = [{"op": "replace", "path": "/status", "value": "disabled"}]
    qlik.request("PATCH", tenant.host, bot, body)
    assert tenant.request_token().status_code == 403
    assert error(tenant.get("/api/v1/spaces", expect=401))["code"] == "HTTP-401"


def test_admin_requests_without_tenant_admin_are_refused(qlik: Emulator) -> None:
    tenant = new_tenant(qlik)
    bot = tenant.send("GET", "/api/v1/users/me").headers["location"]
    qlik.request("PATCH", tenant.host, bot, [{"op": "replace", "path": "/assignedRoles", "value": []}])
    tenant.get("/api/v1/roles", expect=403)
    tenant.post("/api/v1/groups", {"name": "Analysts"}, expect=403)
    tenant.get("/api/v1/groups")
