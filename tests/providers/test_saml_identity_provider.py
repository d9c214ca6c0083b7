"""SAML identity providers: what differs from OpenID Connect."""

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
    active,
    administrator,
    changed,
    held,
    remove,
)
from tests.providers.test_oidc_identity_provider import inputs_for as oidc

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
    administrator(tenancy)
    return SAMPLE | {"tenant": tenancy.hostname, "adopt": None}


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    found = held(tenancy).get(id)
    options = found["options"] if found else {}
    return found and {
        "provider": found["provider"],
        "description": found["description"],
        "active": found["active"],
        "entity_id": options["entityId"],
        "sign_on_url": options["signOnUrl"],
        "certificates": [each["certificate"] for each in options["certificates"]],
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
        "description": Drift(changed("description", "Mine"), "Mine"),
        "active": Drift(changed("active", False), False),
        "post_logout_redirect_uri": Drift(
            changed("postLogoutRedirectUri", "https://x.example/"), "https://x.example/"
        ),
        "clock_tolerance_seconds": Drift(changed("clockToleranceSec", 7), 7),
    },
    remove=remove,
)


def test_a_sign_on_address_that_fails_changes_nothing(driver: MakeDriver, tenancy: Tenancy) -> None:
    inputs = inputs_for(tenancy)
    tenancy.qlik.control.add_fault(path="/sso", status=500, body={})
    with pytest.raises(Failure, match="it answered 500"):
        driver("saml_identity_provider").create(inputs)
    assert held(tenancy) == {}


def test_a_sign_on_address_may_ask_for_a_saml_request(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Most answer 400 to a plain GET, or redirect to a form."""
    inputs = inputs_for(tenancy)
    for status in (400, 302):
        fault = tenancy.qlik.control.add_fault(path="/sso", status=status, body={})
        made = driver("saml_identity_provider").create(inputs)
        made.delete()
        tenancy.qlik.control.release(fault)


def test_no_certificate_that_has_ended(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Each login would fail. One valid certificate of several will do."""
    inputs = inputs_for(tenancy)
    ended = plain(expired_certificate())
    with pytest.raises(Failure, match="its last certificate ended on 20"):
        driver("saml_identity_provider").create(inputs | {"certificates": [ended]})
    assert held(tenancy) == {}
    made = driver("saml_identity_provider").create(inputs | {"certificates": [ended, plain(certificate())]})
    assert active(tenancy) == [made.id]


def test_the_lines_of_a_certificate_make_no_difference(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Neither does the way in which Qlik returns them."""
    made = driver("saml_identity_provider").create(inputs_for(tenancy))
    found = held(tenancy)[made.id]
    at_qlik = [{"certificate": pem} for pem in (certificate(), expired_certificate())]
    live = HANDLER.decode(found | {"options": found["options"] | {"certificates": at_qlik}})
    assert live["certificates"] == made.state["certificates"]


def test_the_very_same_one_is_taken_over(driver: MakeDriver, tenancy: Tenancy) -> None:
    """A revived tenant has the one that it had, and Qlik does not say who made it. Here it is inactive."""
    inputs = inputs_for(tenancy)
    first = driver("saml_identity_provider").create(inputs)
    changed("active", False)(tenancy, first.id)
    second = driver("saml_identity_provider").create(inputs | {"description": "Another"})
    assert second.id == first.id
    assert list(held(tenancy)) == active(tenancy) == [first.id]
    assert held(tenancy)[first.id]["description"] == "Another"


def test_from_openid_connect_to_saml(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The new login is active before the old one goes, and stays so."""
    old = driver("oidc_identity_provider").create(oidc(tenancy))
    new = driver("saml_identity_provider").create(inputs_for(tenancy) | {"adopt": True})
    assert active(tenancy) == [new.id]
    old.delete()
    assert list(held(tenancy)) == active(tenancy) == [new.id]
