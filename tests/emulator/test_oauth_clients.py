"""OAuth clients of a tenant: their secrets, and the tokens of machine-to-machine clients."""

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


def test_a_client_gets_a_token_with_each_of_its_secrets(source: Api, qlik: Emulator) -> None:
    """A secret is shown once and never stored."""
    created = source.post(CLIENTS, M2M | {"allowedScopes": ["admin_classic"]})
    path = f"{CLIENTS}/{created['clientId']}"
    second = source.post(f"{path}/client-secrets")
    client = Api(qlik, SOURCE, created["clientId"])
    for entry in (created, second):
        response = client.request_token(entry["clientSecret"])
        assert response.status_code == 200
        token = response.json()["access_token"]
        Api(qlik, SOURCE, token=token).post("/api/v1/web-integrations", {"name": "Of the client"})
    hints = [secret["hint"] for secret in source.get(path)["clientSecrets"]]
    assert hints == [created["clientSecrets"][0]["hint"], second["hint"]]
    source.delete(f"{path}/client-secrets/{hints[0]}")
    source.delete(f"{path}/client-secrets/{hints[0]}", expect=404)
    assert client.request_token(created["clientSecret"]).status_code == 401
    assert client.request_token(second["clientSecret"]).status_code == 200
    dump = json.dumps(qlik.control.dump())
    assert not [entry for entry in (created, second) if entry["clientSecret"] in dump]


def test_user_clients_and_deleted_clients_get_no_token(source: Api, qlik: Emulator) -> None:
    """A client without the admin scope gets a token, but is not an administrator."""
    users = source.post(CLIENTS, {"clientName": "Users", "appType": "web"})
    assert Api(qlik, SOURCE, users["clientId"]).request_token(users["clientSecret"]).status_code == 401
    created = source.post(CLIENTS, M2M)
    client = Api(qlik, SOURCE, created["clientId"])
    token = client.request_token(created["clientSecret"]).json()["access_token"]
    api = Api(qlik, SOURCE, token=token)
    api.post("/api/v1/web-integrations", {"name": "No scope for that"}, expect=403)
    source.delete(f"{CLIENTS}/{created['clientId']}", headers={"qlik-confirm-delete": created["clientId"]})
    assert client.request_token(created["clientSecret"]).status_code == 401


def test_a_client_has_at_most_five_secrets(source: Api) -> None:
    path = f"{CLIENTS}/{source.post(CLIENTS, M2M)['clientId']}/client-secrets"
    for _ in range(4):
        source.post(path)
    assert "5 secrets" in error(source.post(path, expect=409))["detail"]


def test_adding_the_secret_method_creates_a_secret(source: Api) -> None:
    """A client that authenticates only with a key has no secret until its methods allow one."""
    key = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "1", "n": "x", "e": "AQAB"}
    body = M2M | {"allowedAuthMethods": ["private_key_jwt"]}
    source.post(CLIENTS, body, expect=400)
    created = source.post(CLIENTS, body | {"publicKeys": [key]})
    path = f"{CLIENTS}/{created['clientId']}"
    assert "clientSecret" not in created
    methods = ["client_secret", "private_key_jwt"]
    response = source.patch(path, {"/allowedAuthMethods": methods}, expect=202)
    assert response.keys() == {"clientSecret"}
    source.patch(path, {"/allowedAuthMethods": methods})


def test_a_deletion_needs_a_confirmation(source: Api) -> None:
    path = f"{CLIENTS}/{source.post(CLIENTS, M2M)['clientId']}"
    source.delete(path, expect=400)
    source.delete(path, headers={"qlik-confirm-delete": "another"}, expect=400)
    source.get(path)


def test_consent_has_its_own_operations(source: Api) -> None:
    created = source.post(CLIENTS, M2M | {"connectionConfig": {"consentMethod": "trusted"}})
    path = f"{CLIENTS}/{created['clientId']}"
    assert "connectionConfig" not in source.get(path)
    assert source.get(f"{path}/connection-configs/me") == {"consentMethod": "trusted"}
    source.patch(f"{path}/connection-configs/me", {"/consentMethod": "required"})
    [entry] = source.get(CLIENTS, params={"filter": 'clientName eq "Portal"'})["data"]
    assert entry["connectionConfig"] == {"consentMethod": "required"}


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
def test_a_bad_client_is_refused(source: Api, body: dict[str, object]) -> None:
    source.post(CLIENTS, M2M | body, expect=400)


def test_a_patch_changes_a_client(source: Api) -> None:
    path = f"{CLIENTS}/{source.post(CLIENTS, M2M | {'description': 'A'})['clientId']}"
    source.patch(path, {"/description": "B", "/redirectUris": ["https://a.example"]})
    assert (source.get(path)["description"], source.get(path)["redirectUris"]) == ("B", ["https://a.example"])
    assert source.send("PATCH", path, json=[{"op": "remove", "path": "/description"}]).status_code == 204
    assert "description" not in source.get(path)
    source.patch(path, {"/description": ["B"]}, expect=400)
    source.patch(path, {"/appType": "spa"}, expect=400)
    assert source.send("PATCH", path, json=[{"op": "add", "path": "/clientName"}]).status_code == 400
