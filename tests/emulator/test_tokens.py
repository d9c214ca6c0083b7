"""Tokens: per host, six hours, and the bot user they bring."""

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
        accepted = {host for host in (SOURCE, tenant.host) if _opens(qlik, host, token)}
        assert accepted == ({origin} - {REGISTER})


def _opens(qlik: Emulator, host: str, token: str) -> bool:
    return Api(qlik, host).send("GET", "/api/v1/spaces", token=token).status_code == 200


def test_an_alias_and_its_hostname_are_one_host(qlik: Emulator) -> None:
    tenant = new_tenant(qlik)
    own = tenant.get("/api/v1/users?limit=1")["data"][0]["tenantId"]
    tenant.patch(f"/api/v1/tenants/{own}", {"/hostnames/1": "globex.eu.qlikcloud.com"})
    assert _opens(qlik, "globex.eu.qlikcloud.com", tenant.token)


def test_a_token_ends_after_six_hours_of_the_emulators_clock(qlik: Emulator) -> None:
    source = Api(qlik, SOURCE).login()
    qlik.control.advance(21_599)
    source.get("/api/v1/spaces")
    qlik.control.advance(2)
    source.get("/api/v1/spaces", expect=401)
    source.login().get("/api/v1/spaces")


def test_a_client_works_in_its_region_and_level_only(qlik: Emulator) -> None:
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
        assert Api(qlik, host, client).ask_token().status_code == status, (host, client)


def test_a_client_of_another_licence_has_no_way_in(tmp_path: Path) -> None:
    world = World(tmp_path, load_seed)
    rival = {"id": "rival", "secret": "its own", "level": "region", "region": "eu", "licence": "other"}
    world.store.put(SHARED, "client", rival)
    world.close()
    with Emulator(tmp_path) as qlik:
        assert Api(qlik, REGISTER, "rival").ask_token("its own").status_code == 200
        assert Api(qlik, SOURCE, "rival").ask_token("its own").status_code == 401


def test_a_wrong_secret_is_refused_in_qliks_way(qlik: Emulator) -> None:
    answer = Api(qlik, SOURCE).ask_token(secret="wrong")
    assert answer.status_code == 401
    assert answer.json()["traceId"]
    assert "wrong" not in answer.text


@pytest.mark.parametrize(
    "changes",
    [{"grant_type": "password"}, {"client_secret": None}, {"surprise": 1}, {"client_id": 7}],
)
def test_a_malformed_token_request_is_a_400(qlik: Emulator, changes: dict[str, Any]) -> None:
    assert Api(qlik, SOURCE).ask_token(**changes).status_code == 400


def test_a_form_is_as_good_as_json(qlik: Emulator) -> None:
    body = {"client_id": "demo", "client_secret": "demo-secret", "grant_type": "client_credentials"}
    answer = Api(qlik, SOURCE).send("POST", "/oauth/token", data=body)
    assert answer.status_code == 200
    assert answer.json()["expires_in"] == 21_600


def test_the_first_token_makes_the_bot_user_once(qlik: Emulator) -> None:
    tenant = new_tenant(qlik)
    tenant.login()
    bots = tenant.get("/api/v1/users", params={"filter": 'subject eq "qlikbot\\\\demo"'})["data"]
    assert len(bots) == 1
    assert bots[0]["clientId"] == "demo"
    made = tenant.post("/api/v1/spaces", {"name": "Mine", "type": "shared"})
    assert made["ownerId"] == made["createdBy"] == bots[0]["id"]


def test_bots_of_two_tenants_are_two_users(qlik: Emulator) -> None:
    ids = {
        api.send("GET", "/api/v1/users/me").headers["location"]
        for api in (new_tenant(qlik), new_tenant(qlik))
    }
    assert len(ids) == 2


def test_a_disabled_bot_gets_no_token_and_loses_the_one_it_has(qlik: Emulator) -> None:
    tenant = new_tenant(qlik)
    bot = tenant.send("GET", "/api/v1/users/me").headers["location"]
    disable = [{"op": "replace", "path": "/status", "value": "disabled"}]
    qlik.request("PATCH", tenant.host, bot, disable)
    assert tenant.ask_token().status_code == 403
    assert error(tenant.get("/api/v1/spaces", expect=401))["code"] == "HTTP-401"


def test_without_tenant_admin_the_admin_calls_are_refused(qlik: Emulator) -> None:
    tenant = new_tenant(qlik)
    bot = tenant.send("GET", "/api/v1/users/me").headers["location"]
    qlik.request("PATCH", tenant.host, bot, [{"op": "replace", "path": "/assignedRoles", "value": []}])
    tenant.get("/api/v1/roles", expect=403)
    tenant.post("/api/v1/groups", {"name": "Analysts"}, expect=403)
    tenant.get("/api/v1/groups")
