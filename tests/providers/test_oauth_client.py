"""OAuth clients: the properties of each type, and rotations that always have a valid secret."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from tenantry.providers import OAuthClient
from tenantry.providers.framework.engine import Failure
from tenantry.providers.framework.notes import current_note
from tenantry.providers.values.oauth_clients import GRANTS, IMPERSONATION
from tests.providers.resource_driver import Case, Drift, InPlace, Inputs, MakeDriver, ResourceDriver, Tenancy
from tests.world import Doc

PATH = "/api/v1/oauth-clients"
PATCH = (f"PATCH {PATH}/{{id}}",)
CONSENT = f"PATCH {PATH}/{{id}}/connection-configs/me"
ROTATION = (f"GET {PATH}/{{id}}", f"POST {PATH}/{{id}}/client-secrets")

SAMPLE: Inputs = {
    "tenant": "x1y2z3.eu.qlikcloud.com",
    "name": "Portal",
    "app_type": "web",
    "description": "Shows dashboards",
    "redirect_uris": ["https://portal.example/callback", "https://shop.example/callback"],
    "allowed_origins": ["https://portal.example", "https://shop.example"],
    "allowed_scopes": ["offline_access", "user_default"],
    "allowed_grant_types": list(GRANTS),
    "consent": "trusted",
    "secret_version": 2,
    "adopt": True,
}
EXAMPLE = {
    "Portal": {
        "app_type": "web",
        "scopes": ["user_default"],
        "grant_types": list(GRANTS),
        "origins": ["https://portal.example"],
        "consent": "trusted",
    },
    "Dashboard": {
        "app_type": "spa",
        "redirect_uris": ["https://portal.example/callback"],
        "origins": ["https://portal.example"],
    },
}


def inputs_for(tenancy: Tenancy) -> Inputs:
    return SAMPLE | {"tenant": tenancy.hostname, "secret_version": 1, "adopt": None}


def clients_by_id(tenancy: Tenancy) -> dict[str, Doc]:
    return {client["id"]: client for client in tenancy.world.every("oauth-client")}


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    found = clients_by_id(tenancy).get(id)
    return found and {
        "name": found["clientName"],
        "app_type": found["appType"],
        "description": found.get("description", ""),
        "redirect_uris": found.get("redirectUris", []),
        "allowed_origins": found.get("allowedOrigins", []),
        "allowed_scopes": found.get("allowedScopes", []),
        "allowed_grant_types": found.get("allowedGrantTypes", []),
        "consent": found["connectionConfig"]["consentMethod"],
    }


def patch(path: str, value: Any) -> Callable[[Tenancy, str], object]:
    patch_document = [{"op": "replace", "path": f"/{path}", "value": value}]
    return lambda t, id: t.world.request("PATCH", f"oauth-clients/{id}", patch_document)


def require_consent(tenancy: Tenancy, id: str) -> None:
    patch_document = [{"op": "replace", "path": "/consentMethod", "value": "required"}]
    tenancy.world.request("PATCH", f"oauth-clients/{id}/connection-configs/me", patch_document)


def remove(tenancy: Tenancy, id: str) -> None:
    tenancy.bot.delete(f"{PATH}/{id}", headers={"qlik-confirm-delete": id})


CASE = Case(
    "oauth_client",
    inputs_for,
    remote,
    creates=(f"GET {PATH}", f"POST {PATH}"),
    deletes=(f"DELETE {PATH}/{{id}}",),
    changes={
        "name": InPlace("Shop", PATCH),
        "description": InPlace("", PATCH),
        "redirect_uris": InPlace(["http://localhost:8080/callback"], PATCH),
        "allowed_origins": InPlace([], PATCH),
        "allowed_scopes": InPlace(["user_default"], PATCH),
        "allowed_grant_types": InPlace([IMPERSONATION], PATCH),
        "consent": InPlace("required", (CONSENT,)),
        "secret_version": InPlace(2, ROTATION),
    },
    replaces={"app_type": "spa"},
    incompatible={"app_type": ("allowed_grant_types",)},
    drifts={
        "name": Drift(patch("clientName", "Mine"), "Mine"),
        "description": Drift(patch("description", "Mine"), "Mine"),
        "redirect_uris": Drift(patch("redirectUris", []), []),
        "allowed_origins": Drift(patch("allowedOrigins", []), []),
        "allowed_scopes": Drift(patch("allowedScopes", ["admin_classic"]), ["admin_classic"]),
        "allowed_grant_types": Drift(patch("allowedGrantTypes", [IMPERSONATION]), [IMPERSONATION]),
        "consent": Drift(require_consent, "required"),
    },
    remove=remove,
)


def log_in(tenancy: Tenancy, client: ResourceDriver, secret: str = "") -> int:
    """Request a token as the client does. Return the status of the response."""
    import requests  # not at the top: the samples of resource types show the imports of a run

    with requests.Session() as session:
        session.trust_env = False
        body = {
            "grant_type": "client_credentials",
            "client_id": client.id,
            "client_secret": secret or client.state["client_secret"],
        }
        headers = {"host": tenancy.hostname}
        return session.post(
            f"{tenancy.qlik.url}/oauth/token", json=body, headers=headers, timeout=30
        ).status_code


def secrets_at_qlik(tenancy: Tenancy, client: ResourceDriver) -> list[str]:
    return [secret["hint"] for secret in clients_by_id(tenancy)[client.id]["_secrets"]]


def test_the_previous_secret_is_valid_until_the_next_rotation(driver: MakeDriver, tenancy: Tenancy) -> None:
    inputs = inputs_for(tenancy)
    client = driver("oauth_client").create(inputs)
    secrets = [client.state["client_secret"]]
    assert log_in(tenancy, client) == 200
    for version in (2, 3):
        client.update(inputs | {"secret_version": version})
        secrets.append(client.state["client_secret"])
    assert len(set(secrets)) == 3
    assert [log_in(tenancy, client, secret) for secret in secrets] == [401, 200, 200]
    client.update(inputs | {"secret_version": 3, "description": "Another text"})
    assert client.state["client_secret"] == secrets[-1]
    assert client.drift() == {}


def test_the_next_run_deletes_the_secret_of_an_interrupted_rotation(
    driver: MakeDriver, tenancy: Tenancy
) -> None:
    """Qlik created a secret that no state has. The current secret stays valid."""
    inputs = inputs_for(tenancy)
    client = driver("oauth_client").create(inputs)
    first = client.state["client_secret"]
    tenancy.qlik.control.add_fault(method="POST", path=f"{PATH}/*/client-secrets", drop_after=True, times=1)
    with pytest.raises(Failure, match="response was lost"):
        client.update(inputs | {"secret_version": 2})
    [_, lost_hint] = secrets_at_qlik(tenancy, client)
    assert log_in(tenancy, client, first) == 200
    client.update(inputs | {"secret_version": 2})
    assert secrets_at_qlik(tenancy, client) == [first[:5], client.state["secret_hint"]]
    assert lost_hint != client.state["secret_hint"]
    assert [log_in(tenancy, client, secret) for secret in (first, client.state["client_secret"])] == [
        200,
        200,
    ]


def test_a_secret_that_somebody_deleted_is_created_again(driver: MakeDriver, tenancy: Tenancy) -> None:
    client = driver("oauth_client").create(inputs_for(tenancy))
    first, hint = client.state["client_secret"], client.state["secret_hint"]
    tenancy.world.request("DELETE", f"oauth-clients/{client.id}/client-secrets/{hint}")
    assert client.drift() == {"secret_version": 0}
    client.update(client.inputs)
    assert client.state["client_secret"] != first
    assert log_in(tenancy, client) == 200
    assert client.drift() == {}


@pytest.mark.parametrize("effect", ["drop_after", "truncate"])
def test_a_lost_response_creates_no_second_client(driver: MakeDriver, tenancy: Tenancy, effect: str) -> None:
    """The first secret was in the lost response, so Tenantry creates another one."""
    tenancy.qlik.control.add_fault(method="POST", path=PATH, **{effect: True}, times=1)
    client = driver("oauth_client").create(inputs_for(tenancy))
    assert clients_by_id(tenancy).keys() == {client.id}
    assert secrets_at_qlik(tenancy, client) == [client.state["secret_hint"]]
    assert log_in(tenancy, client) == 200
    assert client.drift() == {}


def test_the_client_of_a_killed_run_gets_another_secret(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The first secret was in a response that no run received."""
    existing = driver("oauth_client").create(inputs_for(tenancy))
    current_note(tenancy.hostname, "OAuthClient").write(started="2026-11-23T12:00:00.000+00:00")
    client = driver("oauth_client").create(inputs_for(tenancy))
    assert client.id == existing.id
    assert secrets_at_qlik(tenancy, client) == [client.state["secret_hint"]]
    assert log_in(tenancy, client) == 200


@pytest.mark.parametrize("adopt", [None, True])
def test_a_secret_that_may_be_in_use_is_kept(
    driver: MakeDriver, tenancy: Tenancy, adopt: bool | None
) -> None:
    """The state was lost. An earlier run received the secret, or the program adopts a client."""
    existing = driver("oauth_client").create(inputs_for(tenancy))
    if adopt:
        current_note(tenancy.hostname, "OAuthClient").write(started="2026-11-23T12:00:00.000+00:00")
    client = driver("oauth_client").create(inputs_for(tenancy) | {"adopt": adopt})
    assert client.id == existing.id
    secrets = existing.state["client_secret"], client.state["client_secret"]
    assert [log_in(tenancy, client, secret) for secret in secrets] == [200, 200]


def create_foreign_client(tenancy: Tenancy, **changes: Any) -> Doc:
    """Create a client as somebody else. Return the response of Qlik."""
    body = {"clientName": "Portal", "appType": "web", "allowedGrantTypes": ["client_credentials"], **changes}
    response: Doc = tenancy.world.request("POST", "oauth-clients", body)
    return response


def test_an_existing_client_that_differs_needs_adopt(driver: MakeDriver, tenancy: Tenancy) -> None:
    """A client that differs is not the result of a Tenantry run."""
    existing = create_foreign_client(tenancy)
    with pytest.raises(Failure, match=r"already exists.*`adopt: true`"):
        driver("oauth_client").create(inputs_for(tenancy))
    client = driver("oauth_client").create(inputs_for(tenancy) | {"adopt": True})
    assert client.id == existing["clientId"]
    assert [log_in(tenancy, client, secret) for secret in ("", existing["clientSecret"])] == [200, 200]
    client.update(client.inputs | {"secret_version": 2})
    assert log_in(tenancy, client, existing["clientSecret"]) == 401
    assert remote(tenancy, client.id) == {name: SAMPLE[name] for name in remote(tenancy, client.id) or {}}


def test_a_client_with_another_app_type_is_not_adopted(driver: MakeDriver, tenancy: Tenancy) -> None:
    create_foreign_client(tenancy, appType="spa", allowedGrantTypes=[])
    with pytest.raises(Failure, match="app_type 'spa' instead of 'web', which Qlik cannot change"):
        driver("oauth_client").create(inputs_for(tenancy) | {"adopt": True})


def test_several_clients_with_the_name_are_an_error(driver: MakeDriver, tenancy: Tenancy) -> None:
    ids = [create_foreign_client(tenancy)["clientId"] for _ in range(2)]
    with pytest.raises(Failure, match="several times") as caught:
        driver("oauth_client").create(inputs_for(tenancy) | {"adopt": True})
    assert all(id in str(caught.value) for id in ids)


@pytest.mark.parametrize("app_type", ["spa", "native"])
def test_a_public_client_has_no_secret(driver: MakeDriver, tenancy: Tenancy, app_type: str) -> None:
    inputs = inputs_for(tenancy) | {"app_type": app_type, "allowed_grant_types": [], "allowed_origins": []}
    client = driver("oauth_client").create(inputs)
    assert client.state.get("client_secret") is None
    tenancy.requests()
    client.update(inputs | {"secret_version": 2})
    assert tenancy.requests() == []
    assert client.drift() == {}


def test_a_refresh_reads_the_consent_from_the_connection_configuration(
    driver: MakeDriver, tenancy: Tenancy
) -> None:
    """The GET response of a client does not contain the consent."""
    client = driver("oauth_client").create(inputs_for(tenancy))
    require_consent(tenancy, client.id)
    tenancy.requests()
    assert client.drift() == {"consent": "required"}
    assert tenancy.requests() == [f"GET {PATH}/{client.id}", f"GET {PATH}/{client.id}/connection-configs/me"]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"redirect_uris": ["http://portal.example"]}, "redirect_uris: .* is not https"),
        ({"redirect_uris": ["myapp://callback"]}, "redirect_uris: .* is not an address with https"),
        ({"redirect_uris": ["https://a.example/*"]}, "redirect_uris: .* a wildcard"),
        ({"redirect_uris": ["https://"]}, "redirect_uris: .* is not an address"),
        ({"redirect_uris": ["https://me@a.example"]}, "redirect_uris: .* is not an address"),
        ({"redirect_uris": ["https://a.example:x"]}, "redirect_uris: .* is not an address"),
        ({"redirect_uris": [f"https://a.example/{'a' * 256}"]}, "redirect_uris: .* at most 256"),
        ({"redirect_uris": [f"https://a.example/{n}" for n in range(6)]}, "redirect_uris: .* 5 addresses"),
        ({"allowed_origins": ["https://a.example/x"]}, "allowed_origins: .* is not an origin"),
        ({"allowed_grant_types": ["password"]}, "allowed_grant_types: 'password' is not allowed"),
        ({"allowed_grant_types": []}, "allowed_origins: only a spa client"),
        ({"app_type": "spa"}, "allowed_grant_types: only a web client"),
        ({"app_type": "native", "allowed_grant_types": []}, "allowed_origins: only a spa client"),
        ({"app_type": "m2m"}, "app_type: "),
        ({"consent": "given"}, "consent: "),
        ({"secret_version": 0}, "secret_version: .* 1 to 1000000"),
    ],
)
def test_invalid_inputs_are_refused(
    driver: MakeDriver, tenancy: Tenancy, changes: Inputs, problem: str
) -> None:
    """The preview shows the errors and sends no request."""
    tenancy.requests()
    with pytest.raises(AssertionError, match=f"(?m)^{problem}"):
        driver("oauth_client").check(inputs_for(tenancy) | changes)
    assert tenancy.requests() == []


@pytest.mark.parametrize(
    ("app_type", "uri"),
    [
        ("web", "https://portal.example/callback?x=1"),
        ("spa", "http://localhost:3000"),
        ("native", "http://[::1]:3000"),
        ("native", "com.example.app:/callback"),
    ],
)
def test_a_valid_redirect_uri_is_accepted(
    driver: MakeDriver, tenancy: Tenancy, app_type: str, uri: str
) -> None:
    """Both Tenantry and the emulator accept it."""
    inputs = inputs_for(tenancy) | {"app_type": app_type, "redirect_uris": [uri]}
    client = driver("oauth_client").create(inputs | {"allowed_grant_types": [], "allowed_origins": []})
    assert clients_by_id(tenancy)[client.id]["redirectUris"] == [uri]


def test_the_client_secret_is_a_secret_output(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine encrypts and hides it. The other options of the program do not change."""
    calls: list[Any] = []
    monkeypatch.setattr(pulumi.CustomResource, "__init__", lambda _self, *args: calls.append(args))
    OAuthClient("Portal", **SAMPLE, opts=pulumi.ResourceOptions(protect=True))
    [(_, _, _, options)] = calls
    assert (options.additional_secret_outputs, options.protect) == (["client_secret"], True)


def test_a_client_with_five_secrets_cannot_be_adopted(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Tenantry cannot know which of them are in use. The error says what to do."""
    existing_id = create_foreign_client(tenancy)["clientId"]
    for _ in range(4):
        tenancy.world.request("POST", f"oauth-clients/{existing_id}/client-secrets")
    with pytest.raises(Failure, match=r"at most five secrets\. Delete unused ones"):
        driver("oauth_client").create(inputs_for(tenancy) | {"adopt": True})
