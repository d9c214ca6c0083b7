"""JWT identity providers: which keys are taken, and that a key in use is never cut off."""

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
FIXED = frozenset({"issuer", "kid", "pem", "clock_tolerance_seconds"})
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


def held(tenancy: Tenancy) -> dict[str, Doc]:
    return {each["id"]: each for each in tenancy.world.every("identity-provider")}


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    found = held(tenancy).get(id)
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


def by_hand(tenancy: Tenancy, **changes: Any) -> str:
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
    immutable=FIXED,
    drifts={
        "description": Drift(lambda t, id: t.world.patch(f"identity-providers/{id}", description="x"), "x")
    },
    remove=lambda t, id: t.world.request("DELETE", f"identity-providers/{id}"),
)


def test_qlik_gets_what_its_own_samples_send(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The tenant by its id, login switched on, and the key without line breaks."""
    made = driver("jwt_identity_provider").create(inputs_for(tenancy) | {"pem": public_pem()})
    found = held(tenancy)[made.id]
    assert found["tenantIds"] == [tenancy.tenant_id]
    assert (found["provider"], found["protocol"], found["interactive"]) == ("external", "jwtAuth", False)
    assert found["options"]["jwtLoginEnabled"] is True
    assert "\n" not in found["options"]["staticKeys"][0]["pem"]
    assert found["active"] is True


@pytest.mark.parametrize(
    "written",
    [
        public_pem(),
        public_pem().replace("\n", "\r\n"),
        public_pem().replace("\n", "\\n"),
        "\ufeff\n  " + public_pem().replace("\n", "\n  "),
        one_line(public_pem()),
    ],
    ids=["lines", "lines of Windows", "breaks written as \\n", "indented", "one line"],
)
def test_line_breaks_make_no_difference(driver: MakeDriver, tenancy: Tenancy, written: str) -> None:
    """Neither in what Qlik gets, nor as a difference later."""
    made = driver("jwt_identity_provider").create(inputs_for(tenancy) | {"pem": written})
    assert held(tenancy)[made.id]["options"]["staticKeys"][0]["pem"] == one_line(public_pem())
    assert made.check(inputs_for(tenancy)) == made.inputs
    assert made.drift() == {}


def test_a_certificate_will_do(driver: MakeDriver, tenancy: Tenancy) -> None:
    """With the text that openssl writes above it, too."""
    pem = f"Certificate:\n    Data:\n        Version: 3\n{certificate()}"
    made = driver("jwt_identity_provider").create(inputs_for(tenancy) | {"pem": pem})
    assert held(tenancy)[made.id]["options"]["staticKeys"][0]["pem"] == one_line(certificate())


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
def test_a_key_in_use_is_never_cut_off(driver: MakeDriver, tenancy: Tenancy, name: str, value: Any) -> None:
    """The preview refuses another value, and explains a rotation that always has a valid key."""
    made = driver("jwt_identity_provider").create(inputs_for(tenancy))
    tenancy.requests()
    with pytest.raises(
        AssertionError, match=rf"{name}.* can never change: .*Add a second provider"
    ) as caught:
        made.check(inputs_for(tenancy) | {name: value})
    assert "3. Switch the signer to the new key. 4. Remove this provider" in str(caught.value)
    assert public_pem().splitlines()[1] not in str(caught.value)
    assert tenancy.requests() == []
    made.check(inputs_for(tenancy) | {"description": "Still the same key"})


def test_two_keys_of_one_issuer_overlap(
    driver: MakeDriver, tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rotation: both are there until the old one is removed."""
    old = driver("jwt_identity_provider").create(inputs_for(tenancy))
    monkeypatch.setattr(engine, "current_urn", lambda: "urn:pulumi:s::p::qlik:JwtIdentityProvider::new")
    new = driver("jwt_identity_provider").create(
        inputs_for(tenancy) | {"kid": "two", "pem": one_line(public_pem("two"))}
    )
    assert held(tenancy).keys() == {old.id, new.id}
    old.delete()
    assert held(tenancy).keys() == {new.id}


def test_a_private_key_goes_nowhere(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Refused in the preview; the failure names no property, or the engine would show its value."""
    made = driver("jwt_identity_provider")
    secret = private_pem()
    for inputs in (inputs_for(tenancy) | {"pem": secret}, inputs_for(tenancy) | {"pem": [secret]}):
        result = made.provider.check({}, inputs)
        assert [each.property for each in result.failures] == [""]
        message = result.failures[0].reason
        assert message.startswith("pem ")
        assert not any(line in message for line in secret.splitlines())
    assert "openssl pkey" in made.provider.check({}, inputs_for(tenancy) | {"pem": secret}).failures[0].reason
    made.create(inputs_for(tenancy))
    failures = made.provider.check(made.state, inputs_for(tenancy) | {"pem": secret}).failures
    assert {each.property for each in failures} == {""}
    assert any("private key" in each.reason for each in failures)


def test_the_same_key_that_is_there_is_taken_over(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Qlik does not say who created it, so issuer, key id and key decide.

    Tenantry corrects the description.
    """
    by_hand(tenancy, kid="other")
    there = by_hand(tenancy)
    made = driver("jwt_identity_provider").create(inputs_for(tenancy))
    assert made.id == there
    assert held(tenancy)[there]["description"] == "Portal"
    assert any(there in line and "description" in line for line in tenancy.messages)
    assert made.drift() == {}


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("pem", public_pem("two"), fingerprint(public_pem("two"))),
        ("clock_tolerance_seconds", 0, "0 instead of 30"),
    ],
    ids=["pem", "clock_tolerance_seconds"],
)
def test_another_key_under_the_same_key_id_is_left_alone(
    driver: MakeDriver, tenancy: Tenancy, name: str, value: Any, shown: str
) -> None:
    """Tokens may be signed with it; the message tells the two keys apart."""
    there = by_hand(tenancy, **{name: value})
    before = held(tenancy)
    with pytest.raises(Failure) as caught:
        driver("jwt_identity_provider").create(inputs_for(tenancy))
    for words in (there, name, shown, "its own kid"):
        assert words in str(caught.value)
    assert held(tenancy) == before


def test_a_refusal_may_mean_that_it_is_there(
    driver: MakeDriver, tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Qlik publishes no 409: where another run was quicker, what it made is found after the 400."""
    quicker: list[str] = []
    look = JwtIdentityProviderHandler.lookup

    def just_before(handler: JwtIdentityProviderHandler, host: Host, want: Inputs) -> Doc | None:
        found = look(handler, host, want)
        quicker.extend([] if quicker else [by_hand(tenancy)])
        return found

    monkeypatch.setattr(JwtIdentityProviderHandler, "lookup", just_before)
    made = driver("jwt_identity_provider").create(inputs_for(tenancy))
    assert quicker == [made.id]
    assert held(tenancy).keys() == {made.id}


def test_a_refusal_for_another_reason(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The error of Qlik reaches the user."""
    tenancy.qlik.control.add_fault(
        method="POST", path=PATH, status=403, body={"errors": [{"code": "X", "title": "No"}]}
    )
    with pytest.raises(Failure, match=r"POST .*/identity-providers answered 403 X"):
        driver("jwt_identity_provider").create(inputs_for(tenancy))
    assert held(tenancy) == {}


@pytest.mark.parametrize("effect", ["drop_after", "truncate"])
def test_a_lost_answer_makes_no_second_one(driver: MakeDriver, tenancy: Tenancy, effect: str) -> None:
    """Tenantry searches for the provider that the request created."""
    tenancy.qlik.control.add_fault(method="POST", path=PATH, times=1, **{effect: True})
    made = driver("jwt_identity_provider").create(inputs_for(tenancy))
    assert held(tenancy).keys() == {made.id}


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
def test_limits(driver: MakeDriver, tenancy: Tenancy, name: str, value: Any, message: str) -> None:
    """The preview reports the limits of Qlik."""
    with pytest.raises(AssertionError, match=f"{name}.*{message}"):
        driver("jwt_identity_provider").check(inputs_for(tenancy) | {name: value})
