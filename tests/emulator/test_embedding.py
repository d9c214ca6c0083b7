"""Web integrations, CSP origins, identity providers, licence settings."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.emulator import Emulator
from tenantry.emulator.apis import csp_origins
from tests import logins
from tests.emulator.api import Api, error, new_tenant
from tests.keys import public_pem

PEM = "".join(public_pem().splitlines())


@pytest.fixture
def tenant(qlik: Emulator) -> Api:
    return new_tenant(qlik)


def jwt(kid: str = "one", **fields: Any) -> dict[str, Any]:
    options = {
        "issuer": "https://oem.example",
        "staticKeys": [{"kid": kid, "pem": PEM}],
        "jwtLoginEnabled": True,
    }
    return {"provider": "external", "protocol": "jwtAuth", "interactive": False, "options": options, **fields}


def test_a_web_integration_is_created_changed_and_deleted(tenant: Api) -> None:
    origins = ["https://app.example", "http://localhost:3000"]
    created = tenant.post("/api/v1/web-integrations", {"name": "Portal", "validOrigins": origins})
    path = f"/api/v1/web-integrations/{created['id']}"
    tenant.patch(path, {"/name": "New", "/validOrigins": ["https://new.example"]})
    current = tenant.get(path)
    assert (current["name"], current["validOrigins"]) == ("New", ["https://new.example"])
    tenant.delete(path)
    assert error(tenant.get(path, expect=404))["code"] == "WEBINTEGRATIONS_NOT_FOUND"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "WEBINTEGRATIONS-5"),
        ({"name": 1}, "WEBINTEGRATIONS-6"),
        ({"name": "x", "validOrigins": ["*.example"]}, "WEBINTEGRATIONS-6"),
        ({"name": "x", "validOrigins": ["https://a.example/path"]}, "WEBINTEGRATIONS-6"),
        ({"name": "x", "colour": "red"}, "WEBINTEGRATIONS-6"),
    ],
)
def test_a_bad_web_integration_is_refused_with_qliks_codes(tenant: Api, body: Any, code: str) -> None:
    assert error(tenant.post("/api/v1/web-integrations", body, expect=400))["code"] == code


def test_a_bad_patch_of_a_web_integration_has_its_own_code(tenant: Api) -> None:
    created = tenant.post("/api/v1/web-integrations", {"name": "Portal"})
    response = tenant.patch(
        f"/api/v1/web-integrations/{created['id']}", {"/validOrigins": "https://x"}, expect=400
    )
    assert error(response)["code"] == "WEBINTEGRATIONS-4"


def test_pages_of_web_integrations_start_at_ids(tenant: Api) -> None:
    for number in range(12):
        tenant.post("/api/v1/web-integrations", {"name": f"Portal {number:02}"})
    names = [doc["name"] for doc in tenant.everything("/api/v1/web-integrations?limit=5&sort=-name")]
    assert names == [f"Portal {number:02}" for number in reversed(range(12))]
    tenant.get("/api/v1/web-integrations?startingAfter=nothing", expect=400)


def test_a_jwt_provider_has_one_key_and_only_its_description_can_change(tenant: Api) -> None:
    created = tenant.post("/api/v1/identity-providers", jwt(description="Signer"))
    assert created["options"] == {"issuer": "https://oem.example", "staticKeys": [{"kid": "one", "pem": PEM}]}
    path = f"/api/v1/identity-providers/{created['id']}"
    tenant.patch(path, {"/description": "New"})
    assert tenant.get(path)["description"] == "New"
    tenant.patch(path, {"/clockToleranceSec": 10}, expect=400)
    tenant.post("/api/v1/identity-providers", jwt(), expect=400)
    two = jwt("two")
    two["options"]["staticKeys"] *= 2
    tenant.post("/api/v1/identity-providers", two, expect=400)
    tenant.post("/api/v1/identity-providers", jwt("two"))
    assert len(tenant.everything("/api/v1/identity-providers?limit=1")) == 2
    tenant.delete(path)
    tenant.get(path, expect=404)


@pytest.mark.parametrize(
    "pem",
    ["", "hello", "-----BEGIN PUBLIC KEY-----MIIB-----END PUBLIC KEY-----", logins.private_pem().decode()],
)
def test_a_jwt_provider_accepts_only_a_public_key(tenant: Api, pem: str) -> None:
    body = jwt()
    body["options"]["staticKeys"][0]["pem"] = pem
    response = tenant.send("POST", "/api/v1/identity-providers", json=body)
    assert response.status_code == 400
    assert error(response.json())["source"] == {"pointer": "/options/staticKeys/0/pem"}
    assert not pem or pem not in response.text
    assert tenant.get("/api/v1/identity-providers")["data"] == []


def test_a_provider_must_belong_to_the_callers_tenant(tenant: Api) -> None:
    tenant.post("/api/v1/identity-providers", jwt(tenantIds=["other"]), expect=403)


def test_an_interactive_provider_becomes_active_by_promotion_and_cannot_be_deleted(tenant: Api) -> None:
    pending_options = {
        "clientId": "c",
        "clientSecret": "hush",
        "claimsMapping": {},
        "discoveryUrl": "https://idp.example",
    }
    body = {"provider": "okta", "protocol": "OIDC", "interactive": True, "pendingOptions": pending_options}
    response = tenant.send("POST", "/api/v1/identity-providers", json=body)
    assert response.status_code == 201
    assert "hush" not in response.text
    created = response.json()
    assert (created["active"], created["pendingState"]) == (False, "pending")
    path = f"/api/v1/identity-providers/{created['id']}"
    promote = [{"op": "promote-options"}]
    assert tenant.send("PATCH", path, json=promote).status_code == 412
    match = {"qlik-idp-popts-match": response.headers["qlik-idp-popts"]}
    assert tenant.send("PATCH", path, json=promote, headers=match).status_code == 204
    assert tenant.get(path)["options"]["clientId"] == "c"
    assert tenant.get("/api/v1/identity-providers/status")["active_interactive_idps_count"] == 1
    tenant.delete(path, expect=400)


def test_licence_settings_are_replaced_as_a_whole(tenant: Api) -> None:
    assert tenant.get("/api/v1/licenses/settings") == {
        "autoAssignAnalyzer": False,
        "autoAssignProfessional": False,
    }
    both = {"autoAssignAnalyzer": True, "autoAssignProfessional": True}
    assert tenant.put("/api/v1/licenses/settings", both) == both
    assert (
        tenant.put("/api/v1/licenses/settings", {"autoAssignAnalyzer": True})["autoAssignProfessional"]
        is False
    )
    tenant.put("/api/v1/licenses/settings", {"autoAssignAnalyzer": 1}, expect=400)


def test_a_csp_origin_is_created_changed_and_deleted(tenant: Api) -> None:
    """A PUT replaces the whole entry. Wildcards in a list's query match parts of an origin."""
    created = tenant.post("/api/v1/csp-origins", {"name": "Maps", "origin": "*.maps.example", "imgSrc": True})
    path = f"/api/v1/csp-origins/{created['id']}"
    assert (created["imgSrc"], created["fontSrc"], created["description"]) == (True, False, "")
    tenant.put(path, {"origin": "maps.example", "fontSrc": True})
    current = tenant.get(path)
    assert (current["name"], current["origin"], current["imgSrc"], current["fontSrc"]) == (
        "",
        "maps.example",
        False,
        True,
    )
    assert [entry["id"] for entry in tenant.everything("/api/v1/csp-origins?origin=MAPS.*")] == [
        created["id"]
    ]
    assert tenant.everything("/api/v1/csp-origins?fontSrc=false") == []
    tenant.delete(path)
    tenant.get(path, expect=404)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"origin": 1},
        {"origin": "https://a.example/path"},
        {"origin": "a.example", "imgSrc": "yes"},
        {"origin": "a.example", "colour": "red"},
    ],
)
def test_a_bad_csp_origin_is_refused(tenant: Api, body: Any) -> None:
    tenant.post("/api/v1/csp-origins", body, expect=400)


def test_the_csp_header_and_the_number_of_entries_are_limited(tenant: Api, qlik: Emulator) -> None:
    host = "a" * 220 + ".example"
    directives = dict.fromkeys(csp_origins.DIRECTIVES, True)
    tenant.post("/api/v1/csp-origins", {"origin": host, **directives})
    tenant.post("/api/v1/csp-origins", {"origin": host, **directives})
    tenant.post("/api/v1/csp-origins", {"origin": host, **directives}, expect=400)
    qlik.control.settings(rate_limits=False)
    for number in range(254):
        tenant.post("/api/v1/csp-origins", {"origin": f"{number}.example"})
    tenant.post("/api/v1/csp-origins", {"origin": "one-more.example"}, expect=400)
