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


def held(tenancy: Tenancy) -> dict[str, Doc]:
    return {each["id"]: each for each in tenancy.world.every("oauth-client")}


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    found = held(tenancy).get(id)
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


def changed(path: str, value: Any) -> Callable[[Tenancy, str], object]:
    step = [{"op": "replace", "path": f"/{path}", "value": value}]
    return lambda t, id: t.world.request("PATCH", f"oauth-clients/{id}", step)


def consent(tenancy: Tenancy, id: str) -> None:
    step = [{"op": "replace", "path": "/consentMethod", "value": "required"}]
    tenancy.world.request("PATCH", f"oauth-clients/{id}/connection-configs/me", step)


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
        "name": Drift(changed("clientName", "Mine"), "Mine"),
        "description": Drift(changed("description", "Mine"), "Mine"),
        "redirect_uris": Drift(changed("redirectUris", []), []),
        "allowed_origins": Drift(changed("allowedOrigins", []), []),
        "allowed_scopes": Drift(changed("allowedScopes", ["admin_classic"]), ["admin_classic"]),
        "allowed_grant_types": Drift(changed("allowedGrantTypes", [IMPERSONATION]), [IMPERSONATION]),
        "consent": Drift(consent, "required"),
    },
    remove=remove,
)


def log_in(tenancy: Tenancy, made: ResourceDriver, secret: str = "") -> int:
    """Request a token as the client does. Return the status of the response."""
    import requests  # not above: a sample of this module is checked without it

    with requests.Session() as session:
        session.trust_env = False
        body = {
            "grant_type": "client_credentials",
            "client_id": made.id,
            "client_secret": secret or made.state["client_secret"],
        }
        headers = {"host": tenancy.hostname}
        return session.post(
            f"{tenancy.qlik.url}/oauth/token", json=body, headers=headers, timeout=30
        ).status_code


def secrets_at_qlik(tenancy: Tenancy, made: ResourceDriver) -> list[str]:
    return [each["hint"] for each in held(tenancy)[made.id]["_secrets"]]


def test_the_secret_before_is_valid_until_the_next_rotation(driver: MakeDriver, tenancy: Tenancy) -> None:
    inputs = inputs_for(tenancy)
    made = driver("oauth_client").create(inputs)
    secrets = [made.state["client_secret"]]
    assert log_in(tenancy, made) == 200
    for version in (2, 3):
        made.update(inputs | {"secret_version": version})
        secrets.append(made.state["client_secret"])
    assert len(set(secrets)) == 3
    assert [log_in(tenancy, made, secret) for secret in secrets] == [401, 200, 200]
    made.update(inputs | {"secret_version": 3, "description": "Another text"})
    assert made.state["client_secret"] == secrets[-1]
    assert made.drift() == {}


def test_a_rotation_that_was_killed_leaves_no_secret_behind(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Qlik made a secret, and no state has it: the next run deletes it, and the current one stays valid."""
    inputs = inputs_for(tenancy)
    made = driver("oauth_client").create(inputs)
    first = made.state["client_secret"]
    tenancy.qlik.control.add_fault(method="POST", path=f"{PATH}/*/client-secrets", drop_after=True, times=1)
    with pytest.raises(Failure, match="response was lost"):
        made.update(inputs | {"secret_version": 2})
    [_, lost] = secrets_at_qlik(tenancy, made)
    assert log_in(tenancy, made, first) == 200
    made.update(inputs | {"secret_version": 2})
    assert secrets_at_qlik(tenancy, made) == [first[:5], made.state["secret_hint"]]
    assert lost != made.state["secret_hint"]
    assert [log_in(tenancy, made, secret) for secret in (first, made.state["client_secret"])] == [200, 200]


def test_a_secret_that_somebody_deleted_is_made_anew(driver: MakeDriver, tenancy: Tenancy) -> None:
    made = driver("oauth_client").create(inputs_for(tenancy))
    first, hint = made.state["client_secret"], made.state["secret_hint"]
    tenancy.world.request("DELETE", f"oauth-clients/{made.id}/client-secrets/{hint}")
    assert made.drift() == {"secret_version": 0}
    made.update(made.inputs)
    assert made.state["client_secret"] != first
    assert log_in(tenancy, made) == 200
    assert made.drift() == {}


@pytest.mark.parametrize("effect", ["drop_after", "truncate"])
def test_a_lost_answer_makes_no_second_client(driver: MakeDriver, tenancy: Tenancy, effect: str) -> None:
    """Nobody saw its secret, so it gets another one."""
    tenancy.qlik.control.add_fault(method="POST", path=PATH, **{effect: True}, times=1)
    made = driver("oauth_client").create(inputs_for(tenancy))
    assert held(tenancy).keys() == {made.id}
    assert secrets_at_qlik(tenancy, made) == [made.state["secret_hint"]]
    assert log_in(tenancy, made) == 200
    assert made.drift() == {}


def test_what_a_killed_run_made_gets_another_secret(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The first one was in an answer that no run saw."""
    there = driver("oauth_client").create(inputs_for(tenancy))
    current_note(tenancy.hostname, "OAuthClient").write(started="2026-11-23T12:00:00.000+00:00")
    made = driver("oauth_client").create(inputs_for(tenancy))
    assert made.id == there.id
    assert secrets_at_qlik(tenancy, made) == [made.state["secret_hint"]]
    assert log_in(tenancy, made) == 200


@pytest.mark.parametrize("adopt", [None, True])
def test_a_secret_that_may_be_in_use_stays(driver: MakeDriver, tenancy: Tenancy, adopt: bool | None) -> None:
    """A state was lost. The earlier run saw the answer, or somebody else's client is adopted."""
    there = driver("oauth_client").create(inputs_for(tenancy))
    if adopt:
        current_note(tenancy.hostname, "OAuthClient").write(started="2026-11-23T12:00:00.000+00:00")
    made = driver("oauth_client").create(inputs_for(tenancy) | {"adopt": adopt})
    assert made.id == there.id
    secrets = there.state["client_secret"], made.state["client_secret"]
    assert [log_in(tenancy, made, secret) for secret in secrets] == [200, 200]


def theirs(tenancy: Tenancy, **changes: Any) -> Doc:
    body = {"clientName": "Portal", "appType": "web", "allowedGrantTypes": ["client_credentials"], **changes}
    made: Doc = tenancy.world.request("POST", "oauth-clients", body)
    return made


def test_a_client_that_is_there_needs_adopt(driver: MakeDriver, tenancy: Tenancy) -> None:
    """It differs, so no run of ours created it."""
    there = theirs(tenancy)
    with pytest.raises(Failure, match=r"already exists.*`adopt: true`"):
        driver("oauth_client").create(inputs_for(tenancy))
    made = driver("oauth_client").create(inputs_for(tenancy) | {"adopt": True})
    assert made.id == there["clientId"]
    assert [log_in(tenancy, made, each) for each in ("", there["clientSecret"])] == [200, 200]
    made.update(made.inputs | {"secret_version": 2})
    assert log_in(tenancy, made, there["clientSecret"]) == 401
    assert remote(tenancy, made.id) == {name: SAMPLE[name] for name in remote(tenancy, made.id) or {}}


def test_a_client_of_another_kind_is_not_adopted(driver: MakeDriver, tenancy: Tenancy) -> None:
    theirs(tenancy, appType="spa", allowedGrantTypes=[])
    with pytest.raises(Failure, match="app_type 'spa' instead of 'web', which Qlik cannot change"):
        driver("oauth_client").create(inputs_for(tenancy) | {"adopt": True})


def test_several_of_the_name(driver: MakeDriver, tenancy: Tenancy) -> None:
    ids = [theirs(tenancy)["clientId"] for _ in range(2)]
    with pytest.raises(Failure, match="several times") as caught:
        driver("oauth_client").create(inputs_for(tenancy) | {"adopt": True})
    assert all(id in str(caught.value) for id in ids)


@pytest.mark.parametrize("app_type", ["spa", "native"])
def test_a_public_client_has_no_secret(driver: MakeDriver, tenancy: Tenancy, app_type: str) -> None:
    inputs = inputs_for(tenancy) | {"app_type": app_type, "allowed_grant_types": [], "allowed_origins": []}
    made = driver("oauth_client").create(inputs)
    assert made.state.get("client_secret") is None
    tenancy.requests()
    made.update(inputs | {"secret_version": 2})
    assert tenancy.requests() == []
    assert made.drift() == {}


def test_a_client_whose_list_tells_no_consent(driver: MakeDriver, tenancy: Tenancy) -> None:
    """GET of one client has none either; it is read where Qlik says it is."""
    made = driver("oauth_client").create(inputs_for(tenancy))
    consent(tenancy, made.id)
    tenancy.requests()
    assert made.drift() == {"consent": "required"}
    assert tenancy.requests() == [f"GET {PATH}/{made.id}", f"GET {PATH}/{made.id}/connection-configs/me"]


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
def test_what_a_client_cannot_have(
    driver: MakeDriver, tenancy: Tenancy, changes: Inputs, problem: str
) -> None:
    """The preview reports it without a request."""
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
def test_what_is_a_redirect_uri(driver: MakeDriver, tenancy: Tenancy, app_type: str, uri: str) -> None:
    """This applies to Tenantry and to the emulator."""
    inputs = inputs_for(tenancy) | {"app_type": app_type, "redirect_uris": [uri]}
    made = driver("oauth_client").create(inputs | {"allowed_grant_types": [], "allowed_origins": []})
    assert held(tenancy)[made.id]["redirectUris"] == [uri]


def test_the_secret_is_one_of_pulumi(monkeypatch: pytest.MonkeyPatch) -> None:
    """So the engine encrypts and hides it. What the program says of its options stays."""
    given_to: list[Any] = []
    monkeypatch.setattr(pulumi.CustomResource, "__init__", lambda _self, *args: given_to.append(args))
    OAuthClient("Portal", **SAMPLE, opts=pulumi.ResourceOptions(protect=True))
    [(_, _, _, options)] = given_to
    assert (options.additional_secret_outputs, options.protect) == (["client_secret"], True)


def test_a_client_with_five_secrets(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Which of them are in use nobody knows after a take-over: the error says what to do."""
    there = theirs(tenancy)["clientId"]
    for _ in range(4):
        tenancy.world.request("POST", f"oauth-clients/{there}/client-secrets")
    with pytest.raises(Failure, match=r"at most five secrets\. Delete unused ones"):
        driver("oauth_client").create(inputs_for(tenancy) | {"adopt": True})
