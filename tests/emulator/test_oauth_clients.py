"""OAuth clients of a tenant: their secrets, and tokens for those that work without a user."""

from __future__ import annotations

import json

import pytest

from tenantry.emulator import Emulator
from tests.emulator.api import SOURCE, Api, error

CLIENTS = "/api/v1/oauth-clients"
M2M = {"clientName": "Portal", "appType": "web", "allowedGrantTypes": ["client_credentials"]}


@pytest.fixture
def source(qlik: Emulator) -> Api:
    return Api(qlik, SOURCE).login()


def test_any_of_the_secrets_logs_in(source: Api, qlik: Emulator) -> None:
    """Each is shown once, and nothing keeps it."""
    made = source.post(CLIENTS, M2M | {"allowedScopes": ["admin_classic"]})
    path = f"{CLIENTS}/{made['clientId']}"
    second = source.post(f"{path}/client-secrets")
    client = Api(qlik, SOURCE, made["clientId"])
    for each in (made, second):
        answer = client.ask_token(each["clientSecret"])
        assert answer.status_code == 200
        token = answer.json()["access_token"]
        Api(qlik, SOURCE, token=token).post("/api/v1/web-integrations", {"name": "Of the client"})
    hints = [each["hint"] for each in source.get(path)["clientSecrets"]]
    assert hints == [made["clientSecrets"][0]["hint"], second["hint"]]
    source.delete(f"{path}/client-secrets/{hints[0]}")
    source.delete(f"{path}/client-secrets/{hints[0]}", expect=404)
    assert client.ask_token(made["clientSecret"]).status_code == 401
    assert client.ask_token(second["clientSecret"]).status_code == 200
    dump = json.dumps(qlik.control.dump())
    assert not [each for each in (made, second) if each["clientSecret"] in dump]


def test_who_gets_no_token(source: Api, qlik: Emulator) -> None:
    """A client for users, and one that is gone. Without a scope for it, a client is no administrator."""
    users = source.post(CLIENTS, {"clientName": "Users", "appType": "web"})
    assert Api(qlik, SOURCE, users["clientId"]).ask_token(users["clientSecret"]).status_code == 401
    made = source.post(CLIENTS, M2M)
    client = Api(qlik, SOURCE, made["clientId"])
    token = client.ask_token(made["clientSecret"]).json()["access_token"]
    own = Api(qlik, SOURCE, token=token)
    own.post("/api/v1/web-integrations", {"name": "No scope for that"}, expect=403)
    source.delete(f"{CLIENTS}/{made['clientId']}", headers={"qlik-confirm-delete": made["clientId"]})
    assert client.ask_token(made["clientSecret"]).status_code == 401


def test_five_secrets_at_most(source: Api) -> None:
    path = f"{CLIENTS}/{source.post(CLIENTS, M2M)['clientId']}/client-secrets"
    for _ in range(4):
        source.post(path)
    assert "5 secrets" in error(source.post(path, expect=409))["detail"]


def test_a_secret_comes_with_the_method_for_it(source: Api) -> None:
    """A client that has a key alone has no secret until it may use one."""
    key = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "1", "n": "x", "e": "AQAB"}
    body = M2M | {"allowedAuthMethods": ["private_key_jwt"]}
    source.post(CLIENTS, body, expect=400)
    made = source.post(CLIENTS, body | {"publicKeys": [key]})
    path = f"{CLIENTS}/{made['clientId']}"
    assert "clientSecret" not in made
    methods = ["client_secret", "private_key_jwt"]
    shown = source.patch(path, {"/allowedAuthMethods": methods}, expect=202)
    assert shown.keys() == {"clientSecret"}
    source.patch(path, {"/allowedAuthMethods": methods})


def test_a_deletion_is_confirmed(source: Api) -> None:
    path = f"{CLIENTS}/{source.post(CLIENTS, M2M)['clientId']}"
    source.delete(path, expect=400)
    source.delete(path, headers={"qlik-confirm-delete": "another"}, expect=400)
    source.get(path)


def test_consent_is_read_and_changed_apart(source: Api) -> None:
    made = source.post(CLIENTS, M2M | {"connectionConfig": {"consentMethod": "trusted"}})
    path = f"{CLIENTS}/{made['clientId']}"
    assert "connectionConfig" not in source.get(path)
    assert source.get(f"{path}/connection-configs/me") == {"consentMethod": "trusted"}
    source.patch(f"{path}/connection-configs/me", {"/consentMethod": "required"})
    [listed] = source.get(CLIENTS, params={"filter": 'clientName eq "Portal"'})["data"]
    assert listed["connectionConfig"] == {"consentMethod": "required"}


@pytest.mark.parametrize(
    "body",
    [
        {"clientName": ""},
        {"appType": "spa"},
        {"allowedOrigins": ["https://a.example"]},
        {"appType": "spa", "allowedGrantTypes": [], "allowedOrigins": ["https://a.example/x"]},
        {"redirectUris": ["http://a.example"]},
        {"redirectUris": ["https://[a"]},
        {"connectionConfig": {"consentMethod": "required"}},
    ],
)
def test_what_is_refused(source: Api, body: dict[str, object]) -> None:
    source.post(CLIENTS, M2M | body, expect=400)


def test_a_patch(source: Api) -> None:
    path = f"{CLIENTS}/{source.post(CLIENTS, M2M | {'description': 'A'})['clientId']}"
    source.patch(path, {"/description": "B", "/redirectUris": ["https://a.example"]})
    assert (source.get(path)["description"], source.get(path)["redirectUris"]) == ("B", ["https://a.example"])
    assert source.send("PATCH", path, json=[{"op": "remove", "path": "/description"}]).status_code == 204
    assert "description" not in source.get(path)
    source.patch(path, {"/description": ["B"]}, expect=400)
    source.patch(path, {"/appType": "spa"}, expect=400)
    assert source.send("PATCH", path, json=[{"op": "add", "path": "/clientName"}]).status_code == 400
