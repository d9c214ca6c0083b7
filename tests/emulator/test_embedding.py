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


def test_a_web_integration_from_making_to_removal(tenant: Api) -> None:
    origins = ["https://app.example", "http://localhost:3000"]
    made = tenant.post("/api/v1/web-integrations", {"name": "Portal", "validOrigins": origins})
    path = f"/api/v1/web-integrations/{made['id']}"
    tenant.patch(path, {"/name": "New", "/validOrigins": ["https://new.example"]})
    read = tenant.get(path)
    assert (read["name"], read["validOrigins"]) == ("New", ["https://new.example"])
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
def test_a_bad_web_integration_has_qliks_codes(tenant: Api, body: Any, code: str) -> None:
    assert error(tenant.post("/api/v1/web-integrations", body, expect=400))["code"] == code


def test_a_bad_patch_of_a_web_integration_has_its_own_code(tenant: Api) -> None:
    made = tenant.post("/api/v1/web-integrations", {"name": "Portal"})
    refused = tenant.patch(
        f"/api/v1/web-integrations/{made['id']}", {"/validOrigins": "https://x"}, expect=400
    )
    assert error(refused)["code"] == "WEBINTEGRATIONS-4"


def test_web_integrations_page_by_id(tenant: Api) -> None:
    for number in range(12):
        tenant.post("/api/v1/web-integrations", {"name": f"Portal {number:02}"})
    names = [doc["name"] for doc in tenant.everything("/api/v1/web-integrations?limit=5&sort=-name")]
    assert names == [f"Portal {number:02}" for number in reversed(range(12))]
    tenant.get("/api/v1/web-integrations?startingAfter=nothing", expect=400)


def test_a_jwt_provider_has_one_key_and_only_its_description_changes(tenant: Api) -> None:
    made = tenant.post("/api/v1/identity-providers", jwt(description="Signer"))
    assert made["options"] == {"issuer": "https://oem.example", "staticKeys": [{"kid": "one", "pem": PEM}]}
    path = f"/api/v1/identity-providers/{made['id']}"
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
def test_a_jwt_provider_takes_a_public_key_and_nothing_else(tenant: Api, pem: str) -> None:
    body = jwt()
    body["options"]["staticKeys"][0]["pem"] = pem
    said = tenant.send("POST", "/api/v1/identity-providers", json=body)
    assert said.status_code == 400
    assert error(said.json())["source"] == {"pointer": "/options/staticKeys/0/pem"}
    assert not pem or pem not in said.text
    assert tenant.get("/api/v1/identity-providers")["data"] == []


def test_a_provider_must_be_of_the_callers_tenant(tenant: Api) -> None:
    tenant.post("/api/v1/identity-providers", jwt(tenantIds=["other"]), expect=403)


def test_an_interactive_provider_is_tested_before_use_and_then_stays(tenant: Api) -> None:
    pending = {
        "clientId": "c",
        "clientSecret": "hush",
        "claimsMapping": {},
        "discoveryUrl": "https://idp.example",
    }
    body = {"provider": "okta", "protocol": "OIDC", "interactive": True, "pendingOptions": pending}
    answer = tenant.send("POST", "/api/v1/identity-providers", json=body)
    assert answer.status_code == 201
    assert "hush" not in answer.text
    made = answer.json()
    assert (made["active"], made["pendingState"]) == (False, "pending")
    path = f"/api/v1/identity-providers/{made['id']}"
    promote = [{"op": "promote-options"}]
    assert tenant.send("PATCH", path, json=promote).status_code == 412
    match = {"qlik-idp-popts-match": answer.headers["qlik-idp-popts"]}
    assert tenant.send("PATCH", path, json=promote, headers=match).status_code == 204
    assert tenant.get(path)["options"]["clientId"] == "c"
    assert tenant.get("/api/v1/identity-providers/status")["active_interactive_idps_count"] == 1
    tenant.delete(path, expect=400)


def test_licence_settings_are_put_whole(tenant: Api) -> None:
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


def test_a_csp_origin_from_making_to_removal(tenant: Api) -> None:
    """A PUT replaces all of it; a list finds parts of an origin by wildcards."""
    made = tenant.post("/api/v1/csp-origins", {"name": "Maps", "origin": "*.maps.example", "imgSrc": True})
    path = f"/api/v1/csp-origins/{made['id']}"
    assert (made["imgSrc"], made["fontSrc"], made["description"]) == (True, False, "")
    tenant.put(path, {"origin": "maps.example", "fontSrc": True})
    read = tenant.get(path)
    assert (read["name"], read["origin"], read["imgSrc"], read["fontSrc"]) == (
        "",
        "maps.example",
        False,
        True,
    )
    assert [each["id"] for each in tenant.everything("/api/v1/csp-origins?origin=MAPS.*")] == [made["id"]]
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


def test_a_policy_has_an_end(tenant: Api, qlik: Emulator) -> None:
    """By its header, and by the number of entries."""
    host = "a" * 220 + ".example"
    every = dict.fromkeys(csp_origins.DIRECTIVES, True)
    tenant.post("/api/v1/csp-origins", {"origin": host, **every})
    tenant.post("/api/v1/csp-origins", {"origin": host, **every})
    tenant.post("/api/v1/csp-origins", {"origin": host, **every}, expect=400)
    qlik.control.settings(rate_limits=False)
    for number in range(254):
        tenant.post("/api/v1/csp-origins", {"origin": f"{number}.example"})
    tenant.post("/api/v1/csp-origins", {"origin": "one-more.example"}, expect=400)
