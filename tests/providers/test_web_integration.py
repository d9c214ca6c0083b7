"""Web integrations: valid origins, and web integrations that already exist."""

from __future__ import annotations

import pytest

from tenantry.providers.framework.engine import Failure
from tenantry.providers.framework.notes import current_note
from tenantry.providers.qlik import Host
from tenantry.providers.web_integration import WebIntegrationHandler
from tests.providers.resource_driver import (
    Case,
    Drift,
    InPlace,
    Inputs,
    MakeDriver,
    SendRequest,
    Tenancy,
)
from tests.world import Doc

PATH = "/api/v1/web-integrations"
PATCH = (PATH.join(("PATCH ", "/{id}")),)
ORIGINS = ["http://localhost:3000", "https://portal.example"]
CREATE = {"method": "POST", "path": PATH}


def inputs_for(tenancy: Tenancy) -> Inputs:
    return {"tenant": tenancy.hostname, "name": "Portal", "valid_origins": ORIGINS}


def integrations(tenancy: Tenancy) -> dict[str, Doc]:
    return {integration["id"]: integration for integration in tenancy.world.every("web-integration")}


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    found = integrations(tenancy).get(id)
    return found and {"name": found["name"], "valid_origins": sorted(found["validOrigins"])}


def create_existing(tenancy: Tenancy, inputs: Inputs, send: SendRequest) -> str:
    for name in ("portal", "Portal 2"):
        send("POST", "web-integrations", {"name": name, "validOrigins": ORIGINS})
    body = {"name": inputs["name"], "validOrigins": ["https://theirs.example"]}
    return str(send("POST", "web-integrations", body)["id"])


CASE = Case(
    "web_integration",
    inputs_for,
    remote,
    creates=(f"GET {PATH}", f"POST {PATH}"),
    deletes=(f"DELETE {PATH}/{{id}}",),
    changes={
        "name": InPlace("Customers", PATCH),
        "valid_origins": InPlace(["https://portal.example"], PATCH),
    },
    drifts={
        "name": Drift(lambda t, id: t.world.patch(f"web-integrations/{id}", name="Mine"), "Mine"),
        "valid_origins": Drift(
            lambda t, id: t.world.patch(f"web-integrations/{id}", validOrigins=["https://mine.example"]),
            ["https://mine.example"],
        ),
    },
    remove=lambda t, id: t.world.request("DELETE", f"web-integrations/{id}"),
    create_existing=create_existing,
    corrected=frozenset({"valid_origins"}),
)


@pytest.mark.parametrize(
    ("origin", "message"),
    [
        ("https://*.example.com", "wildcard"),
        ("*", "wildcard"),
        ("https://portal.example/", "write https://portal.example"),
        ("https://portal.example/app?x#y", "write https://portal.example"),
        ("portal.example", "write https://portal.example"),
        ("localhost:3000", "write https://localhost:3000"),
        ("https://me@portal.example", "write https://portal.example"),
        (" https://portal.example", "write https://portal.example"),
        ("https://portal.example\n", "write https://portal.example"),
        ("https://portal.example:70000", "port above 65535"),
        ("https://", "for example https://"),
        ("https://a b", "not an origin"),
    ],
)
def test_an_invalid_origin_is_refused(
    driver: MakeDriver, tenancy: Tenancy, origin: str, message: str
) -> None:
    """The preview shows the correct form. The rules are those of Qlik."""
    tenancy.requests()
    with pytest.raises(AssertionError) as caught:
        driver("web_integration").check(
            {**inputs_for(tenancy), "valid_origins": ["https://good.example", origin]}
        )
    assert "valid_origins: " in str(caught.value)
    assert message in str(caught.value)
    assert tenancy.requests() == []


@pytest.mark.parametrize(
    "origin",
    ["https://a.example", "http://127.0.0.1:8080", "https://[2001:db8::1]:443", "capacitor://localhost"],
)
def test_a_valid_origin_is_accepted(driver: MakeDriver, tenancy: Tenancy, origin: str) -> None:
    """Both Tenantry and Qlik accept it."""
    resource = driver("web_integration").create({**inputs_for(tenancy), "valid_origins": [origin]})
    assert integrations(tenancy)[resource.id]["validOrigins"] == [origin]


def test_a_web_integration_needs_an_origin(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Without an origin, no page can use the web integration."""
    with pytest.raises(AssertionError, match="valid_origins: is required"):
        driver("web_integration").check({**inputs_for(tenancy), "valid_origins": []})


def test_several_web_integrations_with_one_name_are_an_error_unless_exactly_one_is_ours(
    driver: MakeDriver, tenancy: Tenancy
) -> None:
    """If our bot created none or several of them, Tenantry cannot decide."""
    body = {"name": "Portal", "validOrigins": ORIGINS}
    theirs = [tenancy.world.request("POST", "web-integrations", body)["id"] for _ in range(2)]
    with pytest.raises(Failure, match="several times") as caught:
        driver("web_integration").create({**inputs_for(tenancy), "adopt": True})
    assert all(id in str(caught.value) for id in theirs)
    ours, second = (tenancy.as_bot("POST", "web-integrations", body)["id"] for _ in range(2))
    with pytest.raises(Failure, match="several times"):
        driver("web_integration").create(inputs_for(tenancy))
    assert len(integrations(tenancy)) == 4, "none was created"
    tenancy.as_bot("DELETE", f"web-integrations/{second}")
    assert driver("web_integration").create(inputs_for(tenancy)).id == ours


@pytest.mark.parametrize("effect", ["drop_after", "truncate"])
def test_a_lost_response_creates_no_second_web_integration(
    driver: MakeDriver, tenancy: Tenancy, effect: str
) -> None:
    """Tenantry does not repeat the POST. It searches for the object that the request created."""
    tenancy.qlik.control.add_fault(**CREATE, **{effect: True}, times=1)
    resource = driver("web_integration").create(inputs_for(tenancy))
    assert integrations(tenancy).keys() == {resource.id}
    assert resource.drift() == {}


def test_the_next_run_repeats_a_request_that_never_arrived(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Tenantry does not repeat the request in the same run because the result is unknown."""
    tenancy.qlik.control.add_fault(**CREATE, drop_before=True, times=1)
    with pytest.raises(Failure, match="response was lost"):
        driver("web_integration").create(inputs_for(tenancy))
    assert integrations(tenancy) == {}
    resource = driver("web_integration").create(inputs_for(tenancy))
    assert integrations(tenancy).keys() == {resource.id}


def test_the_note_of_a_killed_run_identifies_the_web_integration(
    driver: MakeDriver, tenancy: Tenancy
) -> None:
    """Another web integration has the same name. After the deletion, the note has no effect."""
    first = driver("web_integration").create(inputs_for(tenancy))
    tenancy.as_bot("POST", "web-integrations", {"name": "Portal", "validOrigins": ORIGINS})
    next_run = driver("web_integration").create(inputs_for(tenancy))
    assert next_run.id == first.id
    next_run.delete()
    [second] = integrations(tenancy)
    tenancy.as_bot("DELETE", f"web-integrations/{second}")
    tenancy.requests()
    driver("web_integration").create(inputs_for(tenancy))
    assert tenancy.requests() == [f"GET {PATH}", f"POST {PATH}"]


def test_a_note_does_not_outweigh_the_name(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The note was written for the same key with another name, so it belongs to another web integration."""
    renamed = driver("web_integration").create(inputs_for(tenancy))
    other = driver("web_integration").create(inputs_for(tenancy) | {"name": "Shop"})
    assert other.id != renamed.id
    assert integrations(tenancy).keys() == {renamed.id, other.id}


def test_create_waits_for_a_web_integration_that_a_list_shows_late(
    driver: MakeDriver, tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run was killed before it got the response. The next run creates no second object."""
    existing_id = create_existing(tenancy, inputs_for(tenancy), tenancy.as_bot)
    current_note(tenancy.hostname, "WebIntegration").write(started="2026-11-23T12:00:00.000+00:00")
    original_lookup = WebIntegrationHandler.lookup
    lookups: list[str] = []

    def delayed_lookup(handler: WebIntegrationHandler, host: Host, want: Inputs) -> Doc | None:
        lookups.append(want["name"])
        return original_lookup(handler, host, want) if len(lookups) > 2 else None

    monkeypatch.setattr(WebIntegrationHandler, "lookup", delayed_lookup)
    monkeypatch.setenv("TENANTRY_LAG_SECONDS", "30")
    assert driver("web_integration").create(inputs_for(tenancy)).id == existing_id
    assert lookups == ["Portal"] * 3
