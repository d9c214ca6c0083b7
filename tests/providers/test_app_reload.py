"""Reloads of apps: Tenantry starts each reload once, waits for it, and recognises it among other reloads."""

from __future__ import annotations

import pytest

from tenantry.providers.app_reload import AppReloadHandler
from tenantry.providers.framework.engine import Failure
from tests.providers.resource_driver import Case, InPlace, Inputs, MakeDriver, Tenancy

RELOADS = "/api/v1/reloads"
RELOAD_REQUESTS = ("GET /api/v1/apps/{app}/scripts/current", f"POST {RELOADS}", f"GET {RELOADS}/*")


def inputs_for(tenancy: Tenancy) -> Inputs:
    return {
        "tenant": tenancy.hostname,
        "app": tenancy.app("Sales", "Staging"),
        "variables": {"vCustomer": "globex"},
        "version": 1,
        "minutes": 2,
    }


def reloads(tenancy: Tenancy) -> list[Inputs]:
    return list(tenancy.world.every("reload"))


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    found = [record for record in reloads(tenancy) if record["appId"] == id]
    return {"variables": found[-1]["_variables"]} if found else None


CASE = Case(
    "app_reload",
    inputs_for,
    remote,
    creates=RELOAD_REQUESTS,
    deletes=(),
    is_state_only=True,
    changes={
        "variables": InPlace({"vCustomer": "initech"}, RELOAD_REQUESTS),
        "version": InPlace(2, RELOAD_REQUESTS),
        "minutes": InPlace(3),
    },
    replaces={"app": lambda t: t.app("Orders", "Staging")},
)


def test_create_waits_for_the_end_of_the_reload(driver: MakeDriver, tenancy: Tenancy) -> None:
    tenancy.qlik.control.settings(reload_ms=700)
    reload = driver("app_reload").create(inputs_for(tenancy))
    [record] = reloads(tenancy)
    assert (reload.state["reload_id"], record["_variables"]) == (record["id"], {"vCustomer": "globex"})
    assert reload.state["ended"]


def test_the_error_of_a_failed_reload_shows_the_statement_and_no_secret(
    driver: MakeDriver, tenancy: Tenancy
) -> None:
    tenancy.qlik.control.settings(reload_error="Login failed for UID=reader;PWD=hunter2-of-globex;")
    with pytest.raises(Failure) as caught:
        driver("app_reload").create(inputs_for(tenancy))
    text = str(caught.value)
    assert "EngineReloadError: Login failed for UID=[secure];PWD=[secure]; in: Customers: LOAD" in text
    assert "users keep the old one" in text
    assert "hunter2" not in text
    tenancy.qlik.control.settings(reload_error="")
    assert driver("app_reload").create(inputs_for(tenancy)).state["reload_id"] == reloads(tenancy)[-1]["id"]


def test_a_variable_that_the_script_does_not_have_is_an_error(driver: MakeDriver, tenancy: Tenancy) -> None:
    with pytest.raises(Failure, match="has no variable vCustomers, vYear"):
        driver("app_reload").create(
            inputs_for(tenancy) | {"variables": {"vCustomers": "a", "vCustomer": "b", "vYear": "2026"}}
        )
    assert reloads(tenancy) == []


def test_the_reload_of_an_interrupted_run_is_reused(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The reload can still be running or have ended. Other variables need a new reload."""
    control = tenancy.qlik.control
    inputs = inputs_for(tenancy)
    fault = control.add_fault(path=f"{RELOADS}/*", method="GET", status=403)
    with pytest.raises(Failure):
        driver("app_reload").create(inputs)
    control.release(fault)
    reload = driver("app_reload").create(inputs)
    assert [record["id"] for record in reloads(tenancy)] == [reload.state["reload_id"]]
    reload.update(inputs | {"variables": {"vCustomer": "initech"}})
    reload.update(inputs)
    assert [record["_variables"]["vCustomer"] for record in reloads(tenancy)] == [
        "globex",
        "initech",
        "globex",
    ]


def test_a_lost_response_starts_no_second_reload(driver: MakeDriver, tenancy: Tenancy) -> None:
    tenancy.qlik.control.add_fault(path=RELOADS, method="POST", drop_after=True, times=1)
    reload = driver("app_reload").create(inputs_for(tenancy))
    assert [record["id"] for record in reloads(tenancy)] == [reload.state["reload_id"]]


def test_create_waits_for_another_reload_of_the_app(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Qlik returns 429 for it, and also for too many requests. Tenantry distinguishes the two."""
    inputs = inputs_for(tenancy)
    tenancy.qlik.control.settings(reload_ms=700)
    tenancy.bot.post(RELOADS, {"appId": inputs["app"]})
    tenancy.requests()
    reload = driver("app_reload").create(inputs)
    assert reload.state["reload_id"] == reloads(tenancy)[-1]["id"]
    assert len(reloads(tenancy)) == 2
    assert tenancy.requests().count(f"POST {RELOADS}") > 1


def test_a_reload_that_takes_too_long_continues_at_qlik(
    driver: MakeDriver, tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run ends with an error, and the next one waits for the same reload."""
    tenancy.qlik.control.settings(reload_ms=3_600_000)
    with monkeypatch.context() as patch:
        patch.setattr(AppReloadHandler, "extra_seconds", lambda *_: 0.3)
        with pytest.raises(Failure, match="has not ended after 0 s"):
            driver("app_reload").create(inputs_for(tenancy))
    tenancy.qlik.control.advance(3600)
    reload = driver("app_reload").create(inputs_for(tenancy))
    assert [record["id"] for record in reloads(tenancy)] == [reload.state["reload_id"]]


def test_an_exhausted_reload_quota_has_its_own_message(driver: MakeDriver, tenancy: Tenancy) -> None:
    body = {"errors": [{"code": "RELOADS-013", "title": "Forbidden"}]}
    tenancy.qlik.control.add_fault(path=RELOADS, method="POST", status=403, body=body)
    with pytest.raises(Failure, match="has used up its reloads for now"):
        driver("app_reload").create(inputs_for(tenancy))
