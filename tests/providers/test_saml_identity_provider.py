"""SAML identity providers: the differences from OpenID Connect."""

from __future__ import annotations

import pytest

from tenantry.providers.framework.engine import Failure
from tenantry.providers.saml_identity_provider import HANDLER
from tenantry.providers.values.saml_metadata import plain
from tests.archives import FOLDER
from tests.pems import certificate, expired_certificate
from tests.providers.resource_driver import Case, Drift, InPlace, Inputs, MakeDriver, Tenancy
from tests.providers.test_oidc_identity_provider import (
    PATCH,
    PATH,
    RECOVERY,
    TENANT,
    active_ids,
    create_administrator,
    patch,
    providers_by_id,
    remove,
)
from tests.providers.test_oidc_identity_provider import inputs_for as oidc_inputs_for

CLAIMS = {name: [name] for name in ("sub", "name", "email", "groups", "picture")}
FORMATS = "urn:oasis:names:tc:SAML:"
SAMPLE: Inputs = {
    "tenant": "acme.eu.qlikcloud.com",
    "provider": "okta",
    "description": "Our login",
    "active": True,
    "entity_id": "https://login.globex.example",
    "sign_on_url": "https://login.globex.example/sso",
    "certificates": sorted([plain(certificate()), plain(expired_certificate())]),
    "name_id_format": f"{FORMATS}2.0:nameid-format:persistent",
    "allow_idp_initiated_login": True,
    "claims_mapping": CLAIMS,
    "create_new_users_on_login": False,
    "post_logout_redirect_uri": "https://portal.globex.example/bye",
    "clock_tolerance_seconds": 30,
    "adopt": True,
}

EXAMPLE = {
    "Login": {
        "provider": "okta",
        "metadata_file": str(FOLDER / "saml-metadata.xml"),
        "claims_mapping": CLAIMS,
    }
}


def inputs_for(tenancy: Tenancy) -> Inputs:
    create_administrator(tenancy)
    return SAMPLE | {"tenant": tenancy.hostname, "adopt": None}


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    found = providers_by_id(tenancy).get(id)
    options = found["options"] if found else {}
    return found and {
        "provider": found["provider"],
        "description": found["description"],
        "active": found["active"],
        "entity_id": options["entityId"],
        "sign_on_url": options["signOnUrl"],
        "certificates": [certificate["certificate"] for certificate in options["certificates"]],
        "name_id_format": options["nameIdFormat"],
        "allow_idp_initiated_login": options["allowIdpInitiatedLogin"],
        "claims_mapping": options["claimsMapping"],
        "create_new_users_on_login": found["createNewUsersOnLogin"],
        "post_logout_redirect_uri": found["postLogoutRedirectUri"],
        "clock_tolerance_seconds": found["clockToleranceSec"],
    }


CASE = Case(
    "saml_identity_provider",
    inputs_for,
    remote,
    creates=(f"GET {PATH}", "GET /sso", *RECOVERY, *TENANT, f"POST {PATH}"),
    deletes=(f"GET {PATH}/{{id}}", *PATCH, f"DELETE {PATH}/{{id}}"),
    changes={
        "description": InPlace("", PATCH),
        "active": InPlace(False, PATCH),
        "post_logout_redirect_uri": InPlace("https://portal.globex.example/", PATCH),
        "clock_tolerance_seconds": InPlace(0, PATCH),
    },
    replaces={
        "provider": "adfs",
        "entity_id": "https://new.globex.example",
        "sign_on_url": "https://new.globex.example/sso",
        "certificates": [plain(certificate())],
        "name_id_format": f"{FORMATS}1.1:nameid-format:emailAddress",
        "allow_idp_initiated_login": False,
        "claims_mapping": CLAIMS | {"name": ["cn"]},
        "create_new_users_on_login": True,
    },
    drifts={
        "description": Drift(patch("description", "Mine"), "Mine"),
        "active": Drift(patch("active", False), False),
        "post_logout_redirect_uri": Drift(
            patch("postLogoutRedirectUri", "https://x.example/"), "https://x.example/"
        ),
        "clock_tolerance_seconds": Drift(patch("clockToleranceSec", 7), 7),
    },
    remove=remove,
)


def test_a_sign_on_address_that_fails_changes_nothing(driver: MakeDriver, tenancy: Tenancy) -> None:
    inputs = inputs_for(tenancy)
    tenancy.qlik.control.add_fault(path="/sso", status=500, body={})
    with pytest.raises(Failure, match="it answered 500"):
        driver("saml_identity_provider").create(inputs)
    assert providers_by_id(tenancy) == {}


def test_a_sign_on_address_that_expects_a_saml_request_is_accepted(
    driver: MakeDriver, tenancy: Tenancy
) -> None:
    """Most of these addresses answer a plain GET with 400 or redirect it to a form."""
    inputs = inputs_for(tenancy)
    for status in (400, 302):
        fault = tenancy.qlik.control.add_fault(path="/sso", status=status, body={})
        provider = driver("saml_identity_provider").create(inputs)
        provider.delete()
        tenancy.qlik.control.release(fault)


def test_at_least_one_certificate_must_be_valid(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Without a valid certificate, each login fails."""
    inputs = inputs_for(tenancy)
    expired = plain(expired_certificate())
    with pytest.raises(Failure, match="its last certificate ended on 20"):
        driver("saml_identity_provider").create(inputs | {"certificates": [expired]})
    assert providers_by_id(tenancy) == {}
    provider = driver("saml_identity_provider").create(
        inputs | {"certificates": [expired, plain(certificate())]}
    )
    assert active_ids(tenancy) == [provider.id]


def test_line_breaks_and_order_of_certificates_are_no_drift(driver: MakeDriver, tenancy: Tenancy) -> None:
    provider = driver("saml_identity_provider").create(inputs_for(tenancy))
    found = providers_by_id(tenancy)[provider.id]
    at_qlik = [{"certificate": pem} for pem in (certificate(), expired_certificate())]
    live = HANDLER.decode(found | {"options": found["options"] | {"certificates": at_qlik}})
    assert live["certificates"] == provider.state["certificates"]


def test_an_identical_provider_is_reused(driver: MakeDriver, tenancy: Tenancy) -> None:
    """A revived tenant still has its provider, and Qlik does not say who created it. Here it is inactive."""
    inputs = inputs_for(tenancy)
    first = driver("saml_identity_provider").create(inputs)
    patch("active", False)(tenancy, first.id)
    second = driver("saml_identity_provider").create(inputs | {"description": "Another"})
    assert second.id == first.id
    assert list(providers_by_id(tenancy)) == active_ids(tenancy) == [first.id]
    assert providers_by_id(tenancy)[first.id]["description"] == "Another"


def test_a_change_to_saml_always_has_an_active_login(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The new login is active before the old one is deleted."""
    old = driver("oidc_identity_provider").create(oidc_inputs_for(tenancy))
    new = driver("saml_identity_provider").create(inputs_for(tenancy) | {"adopt": True})
    assert active_ids(tenancy) == [new.id]
    old.delete()
    assert list(providers_by_id(tenancy)) == active_ids(tenancy) == [new.id]
