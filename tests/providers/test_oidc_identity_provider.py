"""OpenID Connect identity providers never lock users out. SAML uses the same code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tenantry.providers.framework.engine import Failure
from tenantry.providers.framework.notes import current_note
from tenantry.providers.oidc_identity_provider import OidcIdentityProviderHandler
from tests.providers.resource_driver import Case, Drift, InPlace, Inputs, MakeDriver, Tenancy
from tests.world import Doc

PATH = "/api/v1/identity-providers"
PATCH = (f"PATCH {PATH}/{{id}}",)
DISCOVERY = "/.well-known/openid-configuration"
USERS = "/api/v1/users"
RECOVERY = ("GET /api/v1/users/me", "GET /api/v1/users/*", f"GET {USERS}")
TENANT = ("GET /api/v1/tenants/me", "GET /api/v1/tenants/*")

CLAIMS = {"sub": ["/sub"], "name": ["/name"], "email": ["/mail", "/email"], "groups": ["/groups"]}
SAMPLE: Inputs = {
    "tenant": "acme.eu.qlikcloud.com",
    "provider": "azureAD",
    "description": "Our login",
    "active": True,
    "discovery_url": f"https://login.globex.example{DISCOVERY}",
    "client_id": "qlik",
    "client_secret": "s3cret",
    "realm": "globex",
    "scope": "openid profile",
    "email_verified_always_true": True,
    "block_offline_access_scope": True,
    "claims_mapping": CLAIMS,
    "create_new_users_on_login": False,
    "post_logout_redirect_uri": "https://portal.globex.example/bye",
    "clock_tolerance_seconds": 30,
    "adopt": True,
}


def create_administrator(tenancy: Tenancy) -> None:
    """Create an administrator who can recover the tenant, if it does not exist yet."""
    if not any(user["name"] == "Ada" for user in tenancy.world.every("user")):
        body = {"subject": "auth0|ada", "name": "Ada", "status": "active"}
        role = [{"name": "TenantAdmin"}]
        tenancy.bot.post(USERS, body | {"email": "ada@globex.example", "assignedRoles": role})


def inputs_for(tenancy: Tenancy) -> Inputs:
    create_administrator(tenancy)
    return SAMPLE | {"tenant": tenancy.hostname, "adopt": None}


def providers_by_id(tenancy: Tenancy) -> dict[str, Doc]:
    return {found["id"]: found for found in tenancy.world.every("identity-provider")}


def active_ids(tenancy: Tenancy) -> list[str]:
    return [id for id, found in providers_by_id(tenancy).items() if found["active"]]


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    found = providers_by_id(tenancy).get(id)
    options = found["options"] if found else {}
    return found and {
        "provider": found["provider"],
        "description": found["description"],
        "active": found["active"],
        "discovery_url": options["discoveryUrl"],
        "client_id": options["clientId"],
        "realm": options["realm"],
        "scope": options["scope"],
        "email_verified_always_true": options["emailVerifiedAlwaysTrue"],
        "block_offline_access_scope": options["blockOfflineAccessScope"],
        "claims_mapping": options["claimsMapping"],
        "create_new_users_on_login": found["createNewUsersOnLogin"],
        "post_logout_redirect_uri": found["postLogoutRedirectUri"],
        "clock_tolerance_seconds": found["clockToleranceSec"],
    }


def patch(path: str, value: Any) -> Callable[[Tenancy, str], object]:
    patch_document = [{"op": "replace", "path": f"/{path}", "value": value}]
    return lambda t, id: t.world.request("PATCH", f"identity-providers/{id}", patch_document)


def remove(tenancy: Tenancy, id: str) -> None:
    patch("active", False)(tenancy, id)
    tenancy.world.request("DELETE", f"identity-providers/{id}")


def create_as_somebody_else(tenancy: Tenancy, **changes: Any) -> str:
    """Create an active provider as somebody else. Return its id."""
    body = {
        "protocol": "OIDC",
        "provider": "auth0",
        "interactive": True,
        "skipVerify": True,
        "description": "By hand",
        "options": {
            "discoveryUrl": f"https://other.example{DISCOVERY}",
            "clientId": "other",
            "clientSecret": "x",
            "claimsMapping": CLAIMS,
        },
    }
    return str(tenancy.world.request("POST", "identity-providers", body | changes)["id"])


CASE = Case(
    "oidc_identity_provider",
    inputs_for,
    remote,
    creates=(f"GET {PATH}", f"GET {DISCOVERY}", "GET /keys", *RECOVERY, *TENANT, f"POST {PATH}"),
    deletes=(f"GET {PATH}/{{id}}", *PATCH, f"DELETE {PATH}/{{id}}"),
    changes={
        "description": InPlace("", PATCH),
        "active": InPlace(False, PATCH),
        "claims_mapping": InPlace({"sub": ["/oid"]}, PATCH),
        "post_logout_redirect_uri": InPlace("https://portal.globex.example/", PATCH),
        "clock_tolerance_seconds": InPlace(0, PATCH),
    },
    replaces={
        "provider": "adfs",
        "discovery_url": f"https://new.globex.example{DISCOVERY}",
        "client_id": "qlik2",
        "client_secret": "another",
        "realm": "other",
        "scope": "openid",
        "email_verified_always_true": False,
        "block_offline_access_scope": False,
        "create_new_users_on_login": True,
    },
    immutable=frozenset(),
    drifts={
        "description": Drift(patch("description", "Mine"), "Mine"),
        "active": Drift(patch("active", False), False),
        "claims_mapping": Drift(patch("options/claimsMapping", {"sub": ["/x"]}), {"sub": ["/x"]}),
        "post_logout_redirect_uri": Drift(
            patch("postLogoutRedirectUri", "https://x.example/"), "https://x.example/"
        ),
        "clock_tolerance_seconds": Drift(patch("clockToleranceSec", 7), 7),
    },
    remove=remove,
)


def test_a_new_provider_is_active_immediately(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Nobody has to test the login in a browser first."""
    provider = driver("oidc_identity_provider").create(inputs_for(tenancy))
    assert active_ids(tenancy) == [provider.id]
    assert "pendingOptions" not in providers_by_id(tenancy)[provider.id]


def test_a_provider_that_qlik_creates_inactive_is_activated(
    driver: MakeDriver, tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = OidcIdentityProviderHandler.make

    def make_inactive(handler: OidcIdentityProviderHandler, *arguments: Any) -> Doc:
        found = make(handler, *arguments)
        patch("active", False)(tenancy, found["id"])
        return found | {"active": False}

    monkeypatch.setattr(OidcIdentityProviderHandler, "make", make_inactive)
    provider = driver("oidc_identity_provider").create(inputs_for(tenancy))
    assert active_ids(tenancy) == [provider.id]
    assert provider.state["active"] is True


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"status": 503, "body": {}}, "it answered 503"),
        ({"status": 200, "body": {"issuer": "https://x.example"}}, "no https address as authorization"),
        ({"status": 302, "body": {}}, "it redirects"),
        ({"status": 200, "body": []}, "JSON object"),
        ({"drop_before": True, "times": 2}, "failed"),
    ],
)
def test_an_unusable_login_service_changes_nothing(
    driver: MakeDriver, tenancy: Tenancy, fault: Doc, reason: str
) -> None:
    inputs = inputs_for(tenancy)
    tenancy.qlik.control.add_fault(path=DISCOVERY, **fault)
    with pytest.raises(Failure, match=reason) as caught:
        driver("oidc_identity_provider").create(inputs)
    assert "The login is unchanged" in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert providers_by_id(tenancy) == {}


def test_a_login_without_keys_changes_nothing(driver: MakeDriver, tenancy: Tenancy) -> None:
    inputs = inputs_for(tenancy)
    tenancy.qlik.control.add_fault(path="/keys", status=200, body={"keys": []})
    with pytest.raises(Failure, match="there are no keys"):
        driver("oidc_identity_provider").create(inputs)
    assert providers_by_id(tenancy) == {}


def test_a_provider_requires_an_administrator_who_can_repair_it(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The bot user does not count because it has no password."""
    inputs = SAMPLE | {"tenant": tenancy.hostname, "adopt": None}
    with pytest.raises(Failure, match="no active user with the role TenantAdmin"):
        driver("oidc_identity_provider").create(inputs)
    assert providers_by_id(tenancy) == {}


def test_a_provider_is_not_activated_while_the_login_service_is_down(
    driver: MakeDriver, tenancy: Tenancy
) -> None:
    inputs = inputs_for(tenancy)
    provider = driver("oidc_identity_provider").create(inputs)
    patch("active", False)(tenancy, provider.id)
    assert provider.drift() == {"active": False}
    tenancy.qlik.control.add_fault(path=DISCOVERY, status=503, body={}, times=1)
    with pytest.raises(Failure, match="503"):
        provider.update(inputs)
    assert active_ids(tenancy) == []
    provider.update(inputs)
    assert active_ids(tenancy) == [provider.id]


def test_the_provider_of_somebody_else_is_not_replaced_silently(driver: MakeDriver, tenancy: Tenancy) -> None:
    inputs, other_id = inputs_for(tenancy), create_as_somebody_else(tenancy)
    with pytest.raises(Failure, match=f"id {other_id}, described as 'By hand'"):
        driver("oidc_identity_provider").create(inputs)
    assert active_ids(tenancy) == [other_id]
    provider = driver("oidc_identity_provider").create(inputs | {"adopt": True})
    assert active_ids(tenancy) == [provider.id]
    assert other_id in providers_by_id(tenancy)


def test_an_inactive_provider_of_somebody_else_is_left_alone(driver: MakeDriver, tenancy: Tenancy) -> None:
    inputs, other_id = inputs_for(tenancy), create_as_somebody_else(tenancy)
    patch("active", False)(tenancy, other_id)
    provider = driver("oidc_identity_provider").create(inputs)
    assert set(providers_by_id(tenancy)) == {other_id, provider.id}


def test_a_lost_response_leaves_one_provider(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The provider has the secret that this run sent, so Tenantry keeps it."""
    inputs = inputs_for(tenancy)
    tenancy.qlik.control.add_fault(method="POST", path=PATH, drop_after=True, times=1)
    provider = driver("oidc_identity_provider").create(inputs)
    assert list(providers_by_id(tenancy)) == [provider.id]


def test_the_provider_of_a_revived_tenant_is_replaced(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Qlik shows no difference, but the secret in the stack may have changed in the meantime."""
    inputs = inputs_for(tenancy)
    first = driver("oidc_identity_provider").create(inputs)
    current_note(tenancy.hostname, "OidcIdentityProvider").clear()
    second = driver("oidc_identity_provider").create(inputs)
    assert list(providers_by_id(tenancy)) == active_ids(tenancy) == [second.id] != [first.id]


def test_the_provider_of_a_killed_run_is_replaced(
    driver: MakeDriver, tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows which secret that provider has."""

    def killed(handler: OidcIdentityProviderHandler, found: Doc) -> Doc:
        raise KeyboardInterrupt

    inputs = inputs_for(tenancy)
    with monkeypatch.context() as patched:
        patched.setattr(OidcIdentityProviderHandler, "decode", killed)
        with pytest.raises(KeyboardInterrupt):
            driver("oidc_identity_provider").create(inputs)
    [leftover_id] = providers_by_id(tenancy)
    provider = driver("oidc_identity_provider").create(inputs | {"client_secret": "another"})
    assert list(providers_by_id(tenancy)) == [provider.id] != [leftover_id]
    assert active_ids(tenancy) == [provider.id]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"provider": "okta"}, "only adfs and azureAD"),
        ({"claims_mapping": {"name": ["/name"]}}, "OIDC needs a source for sub"),
        ({"claims_mapping": {"sub": ["/sub"], "age": ["/age"]}}, "unknown claim age"),
        ({"discovery_url": "http://login.globex.example/"}, "https"),
    ],
)
def test_invalid_inputs_are_refused(
    driver: MakeDriver, tenancy: Tenancy, changes: Inputs, problem: str
) -> None:
    with pytest.raises(AssertionError, match=problem):
        driver("oidc_identity_provider").check(SAMPLE | changes)
