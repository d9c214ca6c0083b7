"""JWT identity providers: accepted keys, and protection of a key in use."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.providers.framework import engine
from tenantry.providers.framework.engine import Failure
from tenantry.providers.jwt_identity_provider import JwtIdentityProviderHandler
from tenantry.providers.qlik import Host
from tenantry.providers.values.pem import fingerprint, one_line
from tests.keys import public_pem
from tests.pems import certificate, private_pem
from tests.providers.resource_driver import Case, Drift, InPlace, Inputs, MakeDriver, Tenancy
from tests.world import Doc

PATH = "/api/v1/identity-providers"
PATCH = (f"PATCH {PATH}/{{id}}",)
IMMUTABLE = frozenset({"issuer", "kid", "pem", "clock_tolerance_seconds"})
ISSUER = "https://oem.example"


def inputs_for(tenancy: Tenancy) -> Inputs:
    return {
        "tenant": tenancy.hostname,
        "issuer": ISSUER,
        "kid": "one",
        "pem": one_line(public_pem()),
        "description": "Portal",
        "clock_tolerance_seconds": 30,
    }


def providers_by_id(tenancy: Tenancy) -> dict[str, Doc]:
    return {found["id"]: found for found in tenancy.world.every("identity-provider")}


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    found = providers_by_id(tenancy).get(id)
    if found is None:
        return None
    [key] = found["options"]["staticKeys"]
    return {
        "issuer": found["options"]["issuer"],
        "kid": key["kid"],
        "pem": key["pem"],
        "description": found["description"],
        "clock_tolerance_seconds": found["clockToleranceSec"],
    }


def create_by_hand(tenancy: Tenancy, **changes: Any) -> str:
    """Create a provider as somebody else. Return its id."""
    key = {"kid": changes.get("kid", "one"), "pem": changes.get("pem", public_pem())}
    body = {
        "provider": "external",
        "protocol": "jwtAuth",
        "options": {"issuer": ISSUER, "staticKeys": [key], "jwtLoginEnabled": True},
        "description": "By hand",
        "clockToleranceSec": changes.get("clock_tolerance_seconds", 30),
    }
    return str(tenancy.world.request("POST", "identity-providers", body)["id"])


CASE = Case(
    "jwt_identity_provider",
    inputs_for,
    remote,
    creates=(f"GET {PATH}", "GET /api/v1/tenants/me", "GET /api/v1/tenants/*", f"POST {PATH}"),
    deletes=(f"DELETE {PATH}/{{id}}",),
    changes={"description": InPlace("", PATCH)},
    immutable=IMMUTABLE,
    drifts={
        "description": Drift(lambda t, id: t.world.patch(f"identity-providers/{id}", description="x"), "x")
    },
    remove=lambda t, id: t.world.request("DELETE", f"identity-providers/{id}"),
)


def test_create_sends_the_same_body_as_the_samples_of_qlik(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The body contains the tenant id, enables the login, and has the key without line breaks."""
    jwt_provider = driver("jwt_identity_provider").create(inputs_for(tenancy) | {"pem": public_pem()})
    found = providers_by_id(tenancy)[jwt_provider.id]
    assert found["tenantIds"] == [tenancy.tenant_id]
    assert (found["provider"], found["protocol"], found["interactive"]) == ("external", "jwtAuth", False)
    assert found["options"]["jwtLoginEnabled"] is True
    assert "\n" not in found["options"]["staticKeys"][0]["pem"]
    assert found["active"] is True


@pytest.mark.parametrize(
    "key",
    [
        public_pem(),
        public_pem().replace("\n", "\r\n"),
        public_pem().replace("\n", "\\n"),
        "\ufeff\n  " + public_pem().replace("\n", "\n  "),
        one_line(public_pem()),
    ],
    ids=["lines", "Windows lines", "escaped line breaks", "indented", "one line"],
)
def test_line_breaks_of_the_key_do_not_matter(driver: MakeDriver, tenancy: Tenancy, key: str) -> None:
    """Qlik always gets the same text, and line breaks are no drift."""
    jwt_provider = driver("jwt_identity_provider").create(inputs_for(tenancy) | {"pem": key})
    assert providers_by_id(tenancy)[jwt_provider.id]["options"]["staticKeys"][0]["pem"] == one_line(
        public_pem()
    )
    assert jwt_provider.check(inputs_for(tenancy)) == jwt_provider.inputs
    assert jwt_provider.drift() == {}


def test_a_certificate_is_accepted_as_key(driver: MakeDriver, tenancy: Tenancy) -> None:
    """openssl writes text above the certificate. Tenantry removes it."""
    pem = f"Certificate:\n    Data:\n        Version: 3\n{certificate()}"
    jwt_provider = driver("jwt_identity_provider").create(inputs_for(tenancy) | {"pem": pem})
    assert providers_by_id(tenancy)[jwt_provider.id]["options"]["staticKeys"][0]["pem"] == one_line(
        certificate()
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("issuer", "https://other.example"),
        ("kid", "two"),
        ("pem", one_line(public_pem("two"))),
        ("clock_tolerance_seconds", 60),
    ],
    ids=["issuer", "kid", "pem", "clock_tolerance_seconds"],
)
def test_a_key_in_use_cannot_change(driver: MakeDriver, tenancy: Tenancy, name: str, value: Any) -> None:
    """The preview refuses another value and explains a rotation that always has a valid key."""
    jwt_provider = driver("jwt_identity_provider").create(inputs_for(tenancy))
    tenancy.requests()
    with pytest.raises(
        AssertionError, match=rf"{name}.* can never change: .*Add a second provider"
    ) as caught:
        jwt_provider.check(inputs_for(tenancy) | {name: value})
    assert "3. Switch the signer to the new key. 4. Remove this provider" in str(caught.value)
    assert public_pem().splitlines()[1] not in str(caught.value)
    assert tenancy.requests() == []
    jwt_provider.check(inputs_for(tenancy) | {"description": "Still the same key"})


def test_an_issuer_can_have_two_keys_during_a_rotation(
    driver: MakeDriver, tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = driver("jwt_identity_provider").create(inputs_for(tenancy))
    monkeypatch.setattr(engine, "current_urn", lambda: "urn:pulumi:s::p::qlik:JwtIdentityProvider::new")
    new = driver("jwt_identity_provider").create(
        inputs_for(tenancy) | {"kid": "two", "pem": one_line(public_pem("two"))}
    )
    assert providers_by_id(tenancy).keys() == {old.id, new.id}
    old.delete()
    assert providers_by_id(tenancy).keys() == {new.id}


def test_a_private_key_is_refused_and_never_shown(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The failure has no property because the engine shows the value of the property."""
    jwt_provider = driver("jwt_identity_provider")
    secret = private_pem()
    for inputs in (inputs_for(tenancy) | {"pem": secret}, inputs_for(tenancy) | {"pem": [secret]}):
        result = jwt_provider.provider.check({}, inputs)
        assert [failure.property for failure in result.failures] == [""]
        message = result.failures[0].reason
        assert message.startswith("pem ")
        assert not any(line in message for line in secret.splitlines())
    assert (
        "openssl pkey"
        in jwt_provider.provider.check({}, inputs_for(tenancy) | {"pem": secret}).failures[0].reason
    )
    jwt_provider.create(inputs_for(tenancy))
    failures = jwt_provider.provider.check(jwt_provider.state, inputs_for(tenancy) | {"pem": secret}).failures
    assert {failure.property for failure in failures} == {""}
    assert any("private key" in failure.reason for failure in failures)


def test_an_existing_provider_with_the_same_key_is_reused(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Qlik does not say who created it, so Tenantry compares issuer, key id and key.

    Tenantry corrects the description.
    """
    create_by_hand(tenancy, kid="other")
    existing_id = create_by_hand(tenancy)
    jwt_provider = driver("jwt_identity_provider").create(inputs_for(tenancy))
    assert jwt_provider.id == existing_id
    assert providers_by_id(tenancy)[existing_id]["description"] == "Portal"
    assert any(existing_id in line and "description" in line for line in tenancy.messages)
    assert jwt_provider.drift() == {}


@pytest.mark.parametrize(
    ("name", "value", "difference"),
    [
        ("pem", public_pem("two"), fingerprint(public_pem("two"))),
        ("clock_tolerance_seconds", 0, "0 instead of 30"),
    ],
    ids=["pem", "clock_tolerance_seconds"],
)
def test_another_key_with_the_same_key_id_is_an_error(
    driver: MakeDriver, tenancy: Tenancy, name: str, value: Any, difference: str
) -> None:
    """The other key may sign tokens, so Tenantry does not change it. The message shows the difference."""
    existing_id = create_by_hand(tenancy, **{name: value})
    before = providers_by_id(tenancy)
    with pytest.raises(Failure) as caught:
        driver("jwt_identity_provider").create(inputs_for(tenancy))
    for words in (existing_id, name, difference, "its own kid"):
        assert words in str(caught.value)
    assert providers_by_id(tenancy) == before


def test_a_provider_of_a_parallel_run_is_reused_after_a_refusal(
    driver: MakeDriver, tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Qlik does not document a 409. After the 400, Tenantry searches for the provider of the other run."""
    created_by_other_run: list[str] = []
    original_lookup = JwtIdentityProviderHandler.lookup

    def lookup_then_create(handler: JwtIdentityProviderHandler, host: Host, want: Inputs) -> Doc | None:
        found = original_lookup(handler, host, want)
        created_by_other_run.extend([] if created_by_other_run else [create_by_hand(tenancy)])
        return found

    monkeypatch.setattr(JwtIdentityProviderHandler, "lookup", lookup_then_create)
    jwt_provider = driver("jwt_identity_provider").create(inputs_for(tenancy))
    assert created_by_other_run == [jwt_provider.id]
    assert providers_by_id(tenancy).keys() == {jwt_provider.id}


def test_another_refusal_shows_the_error_of_qlik(driver: MakeDriver, tenancy: Tenancy) -> None:
    tenancy.qlik.control.add_fault(
        method="POST", path=PATH, status=403, body={"errors": [{"code": "X", "title": "No"}]}
    )
    with pytest.raises(Failure, match=r"POST .*/identity-providers answered 403 X"):
        driver("jwt_identity_provider").create(inputs_for(tenancy))
    assert providers_by_id(tenancy) == {}


@pytest.mark.parametrize("effect", ["drop_after", "truncate"])
def test_a_lost_response_creates_no_second_provider(
    driver: MakeDriver, tenancy: Tenancy, effect: str
) -> None:
    """Tenantry searches for the provider that the request created."""
    tenancy.qlik.control.add_fault(method="POST", path=PATH, times=1, **{effect: True})
    jwt_provider = driver("jwt_identity_provider").create(inputs_for(tenancy))
    assert providers_by_id(tenancy).keys() == {jwt_provider.id}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("description", "x" * 129, "128 characters at most"),
        ("clock_tolerance_seconds", 7201, "0 to 7200 seconds"),
        ("clock_tolerance_seconds", -1, "0 to 7200 seconds"),
        ("kid", None, "is required"),
        ("pem", None, "is required"),
    ],
)
def test_values_outside_the_limits_of_qlik_are_refused(
    driver: MakeDriver, tenancy: Tenancy, name: str, value: Any, message: str
) -> None:
    """The preview shows the errors."""
    with pytest.raises(AssertionError, match=f"{name}.*{message}"):
        driver("jwt_identity_provider").check(inputs_for(tenancy) | {name: value})
