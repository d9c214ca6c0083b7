"""Logins with a JWT: the tokens that are accepted, and the users that they create or find."""

from __future__ import annotations

import base64
import datetime
from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from tenantry.emulator import Emulator
from tenantry.emulator.apis.identity_providers import public_key
from tests import keys, logins
from tests.emulator.api import REGISTER, Api, error, new_tenant
from tests.emulator.people import LOGIN, login, open_tenant
from tests.logins import token

COOKIES = ["_csrfToken", "_csrfToken.sig", "eas.sid", "eas.sid.sig"]


@pytest.fixture
def tenant(qlik: Emulator) -> Api:
    return open_tenant(qlik)


def refused_login(tenant: Api, jwt: str = "", status: int = 401, **claims: Any) -> dict[str, Any]:
    """Send a login that must be refused and change nothing. Return its error."""
    before = tenant.get("/api/v1/users/actions/count")
    response = tenant.send("POST", LOGIN, token=jwt or token(**claims))
    assert response.status_code == status, response.text
    assert "set-cookie" not in response.headers
    assert tenant.get("/api/v1/users/actions/count") == before
    return error(response.json())


def now(tenant: Api) -> float:
    return datetime.datetime.fromisoformat(tenant.qlik.control.health()["time"]).timestamp()


def test_a_login_creates_a_user_and_a_session(tenant: Api) -> None:
    person = login(tenant)
    assert sorted(person.cookies) == COOKIES
    me = person.me()
    assert (me["subject"], me["name"], me["email"]) == ("acme\\jdoe", "Jo Doe", "jo.doe@acme.example")
    assert me["status"] == "active"
    assert [group["name"] for group in me["assignedGroups"]] == ["Analysts"]
    assert login(tenant).me()["id"] == me["id"]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"signer": "two"}, "signature"),
        ({"kid": "key-2"}, "kid"),
        ({"kid": None}, "kid"),
        ({"iss": "https://other.example"}, "iss"),
        ({"aud": "qlik.api"}, "aud"),
        ({"algorithm": "HS256"}, "RS256"),
        ({"algorithm": "RS512"}, "RS256"),
    ],
)
def test_a_token_that_does_not_match_the_provider_is_refused(
    tenant: Api, changes: dict[str, Any], text: str
) -> None:
    assert text in refused_login(tenant, **changes)["detail"]


def test_a_token_without_signature_is_refused(tenant: Api) -> None:
    header, payload, _ = token().split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","kid":"key-1"}').decode().rstrip("=")
    for jwt in (
        f"{header}.{payload}.",
        f"{none}.{payload}.",
        f"{header}.{payload}",
        "x.y.z",
        "hello",
        "a.b.c",
    ):
        refused_login(tenant, jwt)
    assert tenant.send("POST", LOGIN, token="").status_code == 401


def test_claims_that_were_changed_after_signing_are_refused(tenant: Api) -> None:
    header, _, signature = token().split(".")
    forged = token(sub="acme\\boss").split(".")[1]
    assert "signature" in refused_login(tenant, f"{header}.{forged}.{signature}")["detail"]


@pytest.mark.parametrize(("nbf", "exp", "text"), [(-120, -60, "exp"), (60, 120, "nbf"), (0, 3601, "3600")])
def test_a_token_outside_its_time_or_valid_for_too_long_is_refused(
    tenant: Api, nbf: int, exp: int, text: str
) -> None:
    start = int(now(tenant))
    assert text in refused_login(tenant, nbf=start + nbf, exp=start + exp)["detail"]


def test_a_token_can_be_valid_for_an_hour(tenant: Api) -> None:
    start = int(now(tenant))
    login(tenant, nbf=start, exp=start + 3600)


def test_the_providers_clock_tolerance_applies_to_nbf_and_exp(tenant: Api) -> None:
    tenant.post("/api/v1/identity-providers", logins.provider(kid="patient", clockToleranceSec=100))
    start = int(now(tenant))
    validities: tuple[dict[str, Any], ...] = (
        {"nbf": start + 60, "exp": start + 120},
        {"nbf": start - 120, "exp": start - 60},
    )
    for times in validities:
        refused_login(tenant, **times)
        login(tenant, token(kid="patient", **times))


def test_a_token_expires_by_the_emulators_clock(tenant: Api) -> None:
    jwt = token()
    tenant.qlik.control.advance(120)
    assert "expired" in refused_login(tenant, jwt)["detail"]


@pytest.mark.parametrize("jti", ["once", 7])
def test_a_jti_allows_one_login_per_tenant(tenant: Api, jti: object) -> None:
    login(tenant, jti=jti)
    assert "jti" in refused_login(tenant, jti=jti)["detail"]
    login(tenant, jti=f"{jti} more")


def test_a_refused_login_does_not_use_up_the_jti(tenant: Api) -> None:
    refused_login(tenant, jti="again", aud="elsewhere")
    login(tenant, jti="again")


@pytest.mark.parametrize(
    "claim",
    ["aud", "sub", "subType", "name", "email", "email_verified", "jti", "iat", "nbf", "exp"],
)
def test_the_error_names_a_missing_claim(tenant: Api, claim: str) -> None:
    claims: dict[str, Any] = {claim: None}
    problem = refused_login(tenant, status=400, **claims)
    assert problem["code"] == "INTERNAL-TOKEN-1"
    assert problem["detail"] == f"JWT_LOGIN_VALIDATIONS Missing required claim: {claim}"


@pytest.mark.parametrize(
    ("claim", "value"), [("email_verified", "yes"), ("exp", "soon"), ("groups", "A"), ("subType", "app")]
)
def test_the_error_names_a_claim_of_the_wrong_type(tenant: Api, claim: str, value: Any) -> None:
    assert refused_login(tenant, status=400, **{claim: value})["detail"].endswith(f"Invalid claim: {claim}")


def test_claims_that_qlik_does_not_read_are_ignored(tenant: Api) -> None:
    login(tenant, colour="red")


def test_a_deleted_provider_allows_no_login(tenant: Api) -> None:
    (provider,) = tenant.get("/api/v1/identity-providers")["data"]
    person = login(tenant)
    tenant.delete(f"/api/v1/identity-providers/{provider['id']}")
    refused_login(tenant)
    assert person.me()["name"] == "Jo Doe", "a session outlives the provider"


def test_a_provider_with_logins_switched_off_allows_no_login(tenant: Api) -> None:
    body = logins.provider(kid="off")
    body["options"]["jwtLoginEnabled"] = False
    tenant.post("/api/v1/identity-providers", body)
    refused_login(tenant, kid="off")


def test_another_tenant_accepts_neither_the_token_nor_the_cookies(tenant: Api) -> None:
    person, other = login(tenant), new_tenant(tenant.qlik)
    assert other.send("GET", "/api/v1/users/me", token="", cookies=person.cookies).status_code == 401
    assert other.send("POST", LOGIN, token=token()).status_code == 401


def test_a_deactivated_tenant_allows_no_login(tenant: Api) -> None:
    person = login(tenant)
    tenant_id = tenant.get("/api/v1/groups")["data"][0]["tenantId"]
    tenant.on(REGISTER).login().post(
        f"/api/v1/tenants/{tenant_id}/actions/deactivate",
        {"purgeAfterDays": 10},
        expect=200,
        headers={"qlik-confirm-hostname": tenant.host},
    )
    for response in (tenant.send("POST", LOGIN, token=token()), person.send("GET", "/api/v1/users/me")):
        assert (response.status_code, error(response.json())["code"]) == (401, "TENANT_DISABLED")


def certificate_pem(name: str) -> str:
    """Return a certificate of the named key, as PEM."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "portal")])
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder(
        subject, subject, keys.key(name).public_key(), 1, start, start.replace(year=2036)
    )
    created = builder.sign(keys.key(name), hashes.SHA256())
    return created.public_bytes(serialization.Encoding.PEM).decode()


def without_breaks(pem: str) -> str:
    return "".join(pem.splitlines())


@pytest.mark.parametrize("layout", [str, without_breaks])
@pytest.mark.parametrize("pem", [keys.public_pem, certificate_pem])
def test_a_public_key_or_a_certificate_is_read_with_or_without_line_breaks(
    pem: Callable[[str], str], layout: Callable[[str], str]
) -> None:
    assert public_key(layout(pem("one"))) == keys.key("one").public_key()


@pytest.mark.parametrize(
    "pem",
    [
        "",
        "-----BEGIN PUBLIC KEY-----MIIB-----END PUBLIC KEY-----",
        "-----BEGIN CERTIFICATE-----MIIB-----END CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----!-----END PUBLIC KEY-----",
        logins.private_pem().decode(),
    ],
)
def test_a_pem_without_a_public_key_has_no_key(pem: str) -> None:
    assert public_key(pem) is None


def test_unknown_groups_are_created_only_if_the_tenant_allows_it(tenant: Api) -> None:
    def names() -> list[str]:
        return [group["name"] for group in tenant.get("/api/v1/groups")["data"]]

    person = login(tenant, groups=["Analysts", "Sales"])
    assert [group["name"] for group in person.me()["assignedGroups"]] == ["Analysts"]
    assert names() == ["Analysts"]
    tenant.patch("/api/v1/groups/settings", {"/autoCreateGroups": True})
    person = login(tenant, groups=["Sales", "Sales"])
    assert [group["name"] for group in person.me()["assignedGroups"]] == ["Sales"]
    assert names() == ["Analysts", "Sales"]
    (sales,) = person.me()["assignedGroups"]
    assert tenant.get(f"/api/v1/groups/{sales['id']}")["providerType"] == "idp"


def test_a_login_neither_adds_nor_removes_custom_groups(tenant: Api) -> None:
    custom = tenant.post("/api/v1/groups", {"name": "Club", "providerType": "custom"})["id"]
    person = login(tenant, groups=["Club"])
    assert person.me()["assignedGroups"] == []
    body = [{"op": "add", "path": "/assignedGroups/-", "value": custom}]
    assert tenant.send("PATCH", f"/api/v1/users/{person.me()['id']}", json=body).status_code == 204
    assert [group["id"] for group in login(tenant, groups=None).me()["assignedGroups"]] == [custom]


def test_a_user_who_was_created_before_the_login_is_found_by_subject(tenant: Api) -> None:
    body = {"subject": "acme\\jdoe", "email": "early@acme.example", "status": "invited", "name": "Early"}
    created = tenant.post("/api/v1/users", body)
    me = login(tenant).me()
    assert (me["id"], me["status"], me["name"]) == (created["id"], "active", "Early")


def test_another_users_email_and_a_disabled_user_are_refused(tenant: Api) -> None:
    login(tenant)
    assert "email" in refused_login(tenant, sub="acme\\other")["detail"]
    (user,) = [user for user in tenant.everything("/api/v1/users") if user["name"] == "Jo Doe"]
    tenant.patch(f"/api/v1/users/{user['id']}", {"/status": "disabled"})
    assert "disabled" in refused_login(tenant)["detail"]
