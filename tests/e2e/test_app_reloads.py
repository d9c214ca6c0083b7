"""Tenantry reloads apps before it publishes them: users get new data or keep their current data."""

from __future__ import annotations

import signal
from typing import Any

from tenantry.emulator import Emulator
from tests.e2e.customers import GLOBEX, settings, with_changes
from tests.e2e.harness import Stack
from tests.e2e.test_harness import wait_for
from tests.e2e.test_kills import WAIT_FOR_HOURS
from tests.world import calls

APP = "apps/Sales Overview"
REPLACE = {"'template'": "'globex'"}
CUSTOMER = with_changes(
    GLOBEX, (f"{APP}/replace", REPLACE), (f"{APP}/reload", {"variables": {"vCustomer": "globex"}})
)


def write(stack: Stack, *changes: tuple[str, Any]) -> None:
    stack.write(**settings(with_changes(CUSTOMER, *changes)))


def published(qlik: Emulator) -> dict[str, Any]:
    """Return the one app that the customer's users open."""
    tenants = {host: docs for host, docs in qlik.control.dump().items() if not host.startswith("templates.")}
    [app] = [app for docs in tenants.values() for app in docs.get("app", []) if app["publishTime"]]
    return dict(app)


def reloads(qlik: Emulator) -> list[dict[str, Any]]:
    return [doc for docs in qlik.control.dump().values() for doc in docs.get("reload", [])]


def app_actions(requests: list[str]) -> list[str]:
    """Return the actions on apps in the order of the requests."""
    steps = {"/import": "import", "/scripts": "script", "/reloads": "reload", "/publish": "publish"}
    return [
        step
        for call in requests
        for end, step in steps.items()
        if call.startswith(("POST ", "PUT ")) and call.endswith(end)
    ]


def test_a_rollout_is_one_update_for_users(stack: Stack, qlik: Emulator) -> None:
    """The run sets the script and reloads before it publishes. The published app keeps its id."""
    write(stack)
    created = stack.up()
    assert app_actions(calls(created.requests)) == ["import", "script", "reload", "publish"]
    script_reads = [request for request in created.requests if request["path"].endswith("/scripts/current")]
    assert len(script_reads) == 2, "the reload must read the new script"
    first = published(qlik)
    assert "'globex'" in first["_script"]
    assert first["lastReloadTime"]
    stack.up("--expect-no-changes")

    write(stack, (f"{APP}/version", "2.4.0"))
    preview_result = stack.preview()
    assert preview_result.requests == []
    assert ("replace", "AppReload Sales Overview") in preview_result.operations
    assert ("update", "AppPublication Sales Overview in Sales") in preview_result.operations
    result = stack.up()
    assert app_actions(calls(result.requests)) == ["import", "script", "reload", "publish"]
    second = published(qlik)
    assert (second["id"], second["originAppId"] != first["originAppId"]) == (first["id"], True)
    stack.up("--expect-no-changes")
    stack.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")


def test_other_variables_reload_and_publish_the_same_import(stack: Stack, qlik: Emulator) -> None:
    write(stack)
    stack.up()
    first = published(qlik)
    write(stack, (f"{APP}/reload/variables/vCustomer", "initech"))
    result = stack.up()
    assert app_actions(calls(result.requests)) == ["reload", "publish"]
    assert published(qlik)["originAppId"] == first["originAppId"]
    assert [doc["_variables"] for doc in reloads(qlik)] == [{"vCustomer": "globex"}, {"vCustomer": "initech"}]


def test_a_failed_reload_changes_nothing_for_users(stack: Stack, qlik: Emulator) -> None:
    write(stack)
    stack.up()
    before = published(qlik)
    write(stack, (f"{APP}/version", "2.4.0"))
    qlik.control.settings(reload_error="Connector connect error: no route to db.globex.example")
    failed = stack.up(expect=1)
    assert "no route to db.globex.example in: Customers: LOAD" in failed.output
    assert published(qlik) == before

    qlik.control.settings(reload_error="")
    result = stack.up()
    assert app_actions(calls(result.requests)) == ["reload", "publish"]
    assert published(qlik)["id"] == before["id"]
    assert published(qlik)["originAppId"] != before["originAppId"]
    stack.up("--expect-no-changes")


def test_the_run_after_a_kill_waits_for_the_same_reload(stack: Stack, qlik: Emulator) -> None:
    """Qlik counts reloads, so the run must not start a second one."""
    qlik.control.settings(reload_ms=3_600_000)
    write(stack)
    run = stack.start("up", "--skip-preview", "--yes", **WAIT_FOR_HOURS)
    wait_for(lambda: any("/reloads/" in request["path"] for request in stack.requests()), seconds=120)
    run.signal(signal.SIGKILL)
    wait_for(lambda: not stack.processes(), seconds=120)
    run.wait()
    stack.cancel()
    qlik.control.advance(3600)
    result = stack.up()
    assert len(reloads(qlik)) == 1
    assert app_actions(calls(result.requests)) == ["publish"]
    stack.up("--expect-no-changes")
