"""Web integrations."""

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
    return {each["id"]: each for each in tenancy.world.every("web-integration")}


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
def test_what_is_no_origin(driver: MakeDriver, tenancy: Tenancy, origin: str, message: str) -> None:
    """The preview reports it with the right form, by the same rules as Qlik."""
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
def test_what_is_an_origin(driver: MakeDriver, tenancy: Tenancy, origin: str) -> None:
    """This applies to Tenantry and to Qlik."""
    made = driver("web_integration").create({**inputs_for(tenancy), "valid_origins": [origin]})
    assert integrations(tenancy)[made.id]["validOrigins"] == [origin]


def test_one_needs_at_least_one_origin(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Without an origin, no page could use it."""
    with pytest.raises(AssertionError, match="valid_origins: is required"):
        driver("web_integration").check({**inputs_for(tenancy), "valid_origins": []})


def test_several_of_the_name(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Tenantry takes the only one that is ours. If there is none, or more, it cannot decide."""
    body = {"name": "Portal", "validOrigins": ORIGINS}
    theirs = [tenancy.world.request("POST", "web-integrations", body)["id"] for _ in range(2)]
    with pytest.raises(Failure, match="several times") as caught:
        driver("web_integration").create({**inputs_for(tenancy), "adopt": True})
    assert all(id in str(caught.value) for id in theirs)
    ours, second = (tenancy.as_bot("POST", "web-integrations", body)["id"] for _ in range(2))
    with pytest.raises(Failure, match="several times"):
        driver("web_integration").create(inputs_for(tenancy))
    assert len(integrations(tenancy)) == 4, "none was made"
    tenancy.as_bot("DELETE", f"web-integrations/{second}")
    assert driver("web_integration").create(inputs_for(tenancy)).id == ours


@pytest.mark.parametrize("effect", ["drop_after", "truncate"])
def test_a_lost_answer_makes_no_second_one(driver: MakeDriver, tenancy: Tenancy, effect: str) -> None:
    """Tenantry does not repeat the POST. It searches for the object that the request created."""
    tenancy.qlik.control.add_fault(**CREATE, **{effect: True}, times=1)
    made = driver("web_integration").create(inputs_for(tenancy))
    assert integrations(tenancy).keys() == {made.id}
    assert made.drift() == {}


def test_a_request_that_never_arrived(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Tenantry does not repeat the request at once, because the result is unknown.

    The next run creates it.
    """
    tenancy.qlik.control.add_fault(**CREATE, drop_before=True, times=1)
    with pytest.raises(Failure, match="response was lost"):
        driver("web_integration").create(inputs_for(tenancy))
    assert integrations(tenancy) == {}
    made = driver("web_integration").create(inputs_for(tenancy))
    assert integrations(tenancy).keys() == {made.id}


def test_what_a_killed_run_made_is_known_by_its_id(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Even among others of the same name; once deleted it is forgotten."""
    first = driver("web_integration").create(inputs_for(tenancy))
    tenancy.as_bot("POST", "web-integrations", {"name": "Portal", "validOrigins": ORIGINS})
    second_driver = driver("web_integration").create(inputs_for(tenancy))
    assert second_driver.id == first.id
    second_driver.delete()
    [second] = integrations(tenancy)
    tenancy.as_bot("DELETE", f"web-integrations/{second}")
    tenancy.requests()
    driver("web_integration").create(inputs_for(tenancy))
    assert tenancy.requests() == [f"GET {PATH}", f"POST {PATH}"]


def test_a_note_never_takes_what_another_entry_has(driver: MakeDriver, tenancy: Tenancy) -> None:
    """A new entry under the key that one of another name had before is another web integration."""
    renamed = driver("web_integration").create(inputs_for(tenancy))
    other = driver("web_integration").create(inputs_for(tenancy) | {"name": "Shop"})
    assert other.id != renamed.id
    assert integrations(tenancy).keys() == {renamed.id, other.id}


def test_what_a_list_shows_late_is_waited_for(
    driver: MakeDriver, tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run was killed before it saw the answer: the next one finds what it made, and makes no second one."""
    there = create_existing(tenancy, inputs_for(tenancy), tenancy.as_bot)
    current_note(tenancy.hostname, "WebIntegration").write(started="2026-11-23T12:00:00.000+00:00")
    look = WebIntegrationHandler.lookup
    asked: list[str] = []

    def late(handler: WebIntegrationHandler, host: Host, want: Inputs) -> Doc | None:
        asked.append(want["name"])
        return look(handler, host, want) if len(asked) > 2 else None

    monkeypatch.setattr(WebIntegrationHandler, "lookup", late)
    monkeypatch.setenv("TENANTRY_LAG_SECONDS", "30")
    assert driver("web_integration").create(inputs_for(tenancy)).id == there
    assert asked == ["Portal"] * 3
