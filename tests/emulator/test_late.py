"""Requests that are executed late, because of a fault or because a creation takes time."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import psutil
import pytest
import requests

from tenantry.emulator import Emulator
from tests.emulator.api import REGISTER, SOURCE, Api, new_tenant
from tests.keys import public_pem

KEY = {"licenseKey": "emulator-licence-key-eu"}
GROUPS = "/api/v1/groups"


@pytest.fixture
def source(qlik: Emulator) -> Api:
    return Api(qlik, SOURCE).login()


def group_names(source: Api) -> list[str]:
    return [group["name"] for group in source.get(GROUPS)["data"]]


def send_and_lose_the_response(api: Api, path: str, **body: Any) -> None:
    """Send a POST whose response is lost."""
    with pytest.raises(requests.ConnectionError):
        api.send("POST", path, **body)


def deferred_statuses(qlik: Emulator) -> list[Any]:
    """Return the status of each deferred request."""
    return [entry["late"]["status"] for entry in qlik.control.requests() if "late" in entry]


def wait_until(condition: Callable[[], Any]) -> None:
    for _ in range(6_000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("the condition is still false")


def test_a_request_with_a_lost_response_is_executed_later(qlik: Emulator, source: Api) -> None:
    qlik.control.add_fault(path=GROUPS, method="POST", done_after_ms=600_000, times=1)
    qlik.control.clear_requests()
    send_and_lose_the_response(source, GROUPS, json={"name": "Late"})
    assert group_names(source) == []
    entry = qlik.control.requests()[0]
    assert (entry["status"], entry["late"]["status"]) == (0, None)
    assert qlik.control.health()["waiting"] == 1
    qlik.control.advance(600)
    (group,) = source.get(GROUPS)["data"]
    assert group["name"] == "Late"
    executed = qlik.control.requests()[0]
    assert executed == entry | {"late": {"at": group["createdAt"], "status": 201}}
    assert 300 < seconds_between(entry["time"], executed["late"]["at"]) < 600.01
    assert qlik.control.health()["waiting"] == 0


def test_a_proxy_can_time_out_before_qlik_is_done(qlik: Emulator, source: Api) -> None:
    rule = {"status": 504, "body": "<html>Timeout</html>", "done_after_ms": 600_000}
    qlik.control.add_fault(path=GROUPS, method="POST", **rule)
    response = source.send("POST", GROUPS, json={"name": "Late"})
    assert (response.status_code, response.text) == (504, "<html>Timeout</html>")
    assert group_names(source) == []
    qlik.control.advance(300)
    assert group_names(source) == []
    qlik.control.advance(300)
    assert group_names(source) == ["Late"]


def test_a_deferred_request_is_also_executed_without_a_clock_move(qlik: Emulator, source: Api) -> None:
    qlik.control.add_fault(path=GROUPS, method="POST", done_after_ms=50)
    send_and_lose_the_response(source, GROUPS, json={"name": "Late"})
    wait_until(lambda: group_names(source) == ["Late"])


def test_a_clock_move_executes_requests_in_order_and_at_their_due_times(qlik: Emulator, source: Api) -> None:
    for name, seconds_later in (("Second", 600), ("First", 300)):
        fault = qlik.control.add_fault(path=GROUPS, method="POST", done_after_ms=seconds_later * 1000)
        send_and_lose_the_response(source, GROUPS, json={"name": name})
        qlik.control.release(fault)
    qlik.control.advance(3600)
    created = {group["name"]: group["createdAt"] for group in source.get(GROUPS)["data"]}
    statuses = {
        entry["late"]["at"]: entry["late"]["status"] for entry in qlik.control.requests() if "late" in entry
    }
    assert statuses == {created["First"]: 201, created["Second"]: 201}
    assert created["First"] < created["Second"]
    assert seconds_between(created["Second"], qlik.control.health()["time"]) > 2900


def test_an_upload_is_kept_until_its_due_time(qlik: Emulator) -> None:
    tenant = new_tenant(qlik)
    space = tenant.post("/api/v1/spaces", {"name": "Sales", "type": "shared"})["id"]
    content = bytes(range(256)) * 4096
    qlik.control.add_fault(path="/api/v1/apps/import", done_after_ms=600_000)
    send_and_lose_the_response(tenant, f"/api/v1/apps/import?spaceId={space}&name=Big", data=content)
    assert tenant.get("/api/v1/items")["data"] == []
    assert not [file.path for file in psutil.Process().open_files() if file.path.endswith(".part")]
    qlik.control.advance(600)
    (item,) = tenant.get("/api/v1/items")["data"]
    location = tenant.send("POST", f"/api/v1/apps/{item['resourceId']}/export").headers["location"]
    assert tenant.get(location).endswith(b"\n" + content)
    assert not list((qlik._folder / "files").glob("*.part"))


def test_an_upload_into_a_space_deleted_before_the_due_time_leaves_no_file(qlik: Emulator) -> None:
    tenant = new_tenant(qlik)
    space = tenant.post("/api/v1/spaces", {"name": "Sales", "type": "shared"})["id"]
    qlik.control.add_fault(path="/api/v1/apps/import", done_after_ms=600_000)
    send_and_lose_the_response(tenant, f"/api/v1/apps/import?spaceId={space}", data=b"content")
    tenant.delete(f"/api/v1/spaces/{space}")
    qlik.control.advance(600)
    assert deferred_statuses(qlik) == [404]
    assert not list((qlik._folder / "files").glob("*.part"))


def test_a_deferred_request_sees_later_changes_of_the_tenant(qlik: Emulator, source: Api) -> None:
    tenant = new_tenant(qlik)
    tenant_path = tenant.send("GET", "/api/v1/tenants/me").headers["location"]
    qlik.control.add_fault(host=tenant.host, path=GROUPS, method="POST", done_after_ms=600_000, times=1)
    qlik.control.add_fault(path=tenant_path, method="PATCH", done_after_ms=600_000, times=1)
    send_and_lose_the_response(tenant, GROUPS, json={"name": "Twice"})
    with pytest.raises(requests.ConnectionError):
        tenant.patch(tenant_path, {"/enableAnalyticCreation": True})
    tenant.post(GROUPS, {"name": "Twice"})
    tenant.patch(tenant_path, {"/name": "Globex"})
    qlik.control.advance(600)
    assert group_names(tenant) == ["Twice"]
    found = tenant.get(tenant_path)
    assert (found["name"], found["enableAnalyticCreation"]) == ("Globex", True)
    assert deferred_statuses(qlik) == [409, 204]


def test_a_tenant_that_is_deactivated_meanwhile_refuses_a_deferred_request(qlik: Emulator) -> None:
    tenant = new_tenant(qlik)
    own_id = tenant.send("GET", "/api/v1/tenants/me").headers["location"].rsplit("/", 1)[1]
    qlik.control.add_fault(path=GROUPS, method="POST", done_after_ms=600_000)
    send_and_lose_the_response(tenant, GROUPS, json={"name": "Late"})
    register, headers = tenant.on(REGISTER).login(), {"qlik-confirm-hostname": tenant.host}
    register.post(f"/api/v1/tenants/{own_id}/actions/deactivate", expect=200, headers=headers)
    qlik.control.advance(600)
    assert deferred_statuses(qlik) == [401]
    register.post(f"/api/v1/tenants/{own_id}/actions/reactivate", expect=200, headers=headers)
    assert group_names(tenant) == []


def test_a_deferred_request_of_a_user_who_is_disabled_meanwhile_is_refused(qlik: Emulator) -> None:
    tenant = new_tenant(qlik)
    bot = tenant.send("GET", "/api/v1/users/me").headers["location"]
    qlik.control.add_fault(path=GROUPS, method="POST", done_after_ms=600_000)
    send_and_lose_the_response(tenant, GROUPS, json={"name": "Late"})
    body = [{"op": "replace", "path": "/status", "value": "disabled"}]
    qlik.request("PATCH", tenant.host, bot, body)
    qlik.control.advance(600)
    assert deferred_statuses(qlik) == [401]
    assert qlik.request("GET", tenant.host, GROUPS)["data"] == []


@pytest.mark.parametrize(("body", "token", "status"), [({}, None, 400), ({"name": "A"}, "wrong", 401)])
def test_a_request_that_qlik_refuses_immediately_does_not_wait(
    qlik: Emulator, source: Api, body: Any, token: str | None, status: int
) -> None:
    qlik.control.add_fault(path=GROUPS, method="POST", done_after_ms=600_000)
    send_and_lose_the_response(source, GROUPS, json=body, token=token)
    assert qlik.control.health()["waiting"] == 0
    assert qlik.control.requests()[-1]["late"]["status"] == status


def test_a_cleared_log_still_shows_requests_executed_afterwards(qlik: Emulator, source: Api) -> None:
    qlik.control.add_fault(path=GROUPS, method="POST", done_after_ms=600_000, times=1)
    send_and_lose_the_response(source, GROUPS, json={"name": "Late"})
    qlik.control.clear_requests()
    for _ in range(3):
        group_names(source)
    qlik.control.advance(600)
    assert [entry["method"] for entry in qlik.control.requests()] == ["GET", "GET", "GET", "POST"]


def test_a_reset_drops_waiting_requests(qlik: Emulator, source: Api) -> None:
    qlik.control.settings(creation_ms=600_000)
    qlik.control.add_fault(path=GROUPS, method="POST", done_after_ms=600_000)
    send_and_lose_the_response(source, GROUPS, json={"name": "Late"})
    pending = PendingRequest(Api(qlik, REGISTER).login(), "/api/v1/tenants", json=KEY)
    wait_until(lambda: qlik.control.health()["waiting"] == 2)
    tenants = qlik.control.health()["tenants"]
    qlik.control.reset()
    assert isinstance(pending.response(), requests.ConnectionError)
    qlik.control.advance(600)
    assert group_names(source.login()) == []
    assert qlik.control.health()["tenants"] == tenants


def test_stopping_does_not_wait_for_deferred_requests() -> None:
    with Emulator(creation_ms=1e8) as qlik:
        pending = PendingRequest(Api(qlik, REGISTER).login(), "/api/v1/tenants", json=KEY)
        wait_until(lambda: qlik.control.health()["waiting"] == 1)
    assert isinstance(pending.response(), requests.ConnectionError)


class PendingRequest:
    """A POST in a thread."""

    def __init__(self, api: Api, path: str, **body: Any) -> None:
        self._result: Any = None
        self._thread = threading.Thread(target=self._send, args=(api, path, body))
        self._thread.start()

    def response(self) -> Any:
        """Wait for the result. Return the response or an exception."""
        self._thread.join(60)
        assert not self._thread.is_alive()
        return self._result

    def _send(self, api: Api, path: str, body: dict[str, Any]) -> None:
        try:
            self._result = api.send("POST", path, **body)
        except requests.RequestException as error:
            self._result = error


def creations(qlik: Emulator) -> dict[str, tuple[Api, str, dict[str, Any], str]]:
    """Return name -> client, path and body of a creation, and the kind of document it creates."""
    tenant = new_tenant(qlik)
    shared = tenant.post("/api/v1/spaces", {"name": "Staging", "type": "shared"})["id"]
    managed = tenant.post("/api/v1/spaces", {"name": "Sales", "type": "managed"})["id"]
    app = tenant.post(f"/api/v1/apps/import?spaceId={shared}", data=b"x", expect=200)["attributes"]["id"]
    keys = [{"kid": "k", "pem": public_pem()}]
    provider = {
        "provider": "external",
        "protocol": "jwtAuth",
        "options": {"issuer": "portal", "staticKeys": keys},
    }
    return {
        "tenant": (tenant.on(REGISTER).login(), "/api/v1/tenants", {"json": KEY}, "tenant"),
        "import": (tenant, f"/api/v1/apps/import?spaceId={shared}", {"data": b"x" * 100_000}, "app"),
        "publish": (tenant, f"/api/v1/apps/{app}/publish", {"json": {"spaceId": managed}}, "app"),
        "integration": (tenant, "/api/v1/web-integrations", {"json": {"name": "P"}}, "web-integration"),
        "origin": (tenant, "/api/v1/csp-origins", {"json": {"origin": "a.example"}}, "csp-origin"),
        "automation": (tenant, "/api/workflows/automations", {"json": {"name": "N"}}, "automation"),
        "webhook": (
            tenant,
            "/api/core/webhooks",
            {"json": {"name": "P", "url": "https://p.example"}},
            "webhook",
        ),
        "provider": (tenant, "/api/v1/identity-providers", {"json": provider}, "identity-provider"),
    }


def count_documents(qlik: Emulator, kind: str) -> int:
    return sum(len(kinds.get(kind, [])) for kinds in qlik.control.dump().values())


@pytest.mark.parametrize(
    "name", ["tenant", "import", "publish", "integration", "origin", "webhook", "automation", "provider"]
)
def test_creating_takes_as_long_as_the_setting_says(qlik: Emulator, name: str) -> None:
    api, path, body, kind = creations(qlik)[name]
    before = count_documents(qlik, kind)
    qlik.control.settings(creation_ms=600_000)
    started = qlik.control.health()["time"]
    pending = PendingRequest(api, path, **body)
    wait_until(lambda: qlik.control.health()["waiting"] == 1)
    assert count_documents(qlik, kind) == before
    qlik.control.advance(300)
    assert count_documents(qlik, kind) == before
    qlik.control.advance(10_000)
    created = pending.response()
    assert count_documents(qlik, kind) == before + 1
    assert created.status_code in (200, 201)
    created = created.json().get("attributes", created.json())
    created = next(created[key] for key in ("created", "createdDate", "createdAt") if key in created)
    assert 599.99 < seconds_between(started, created) < 900


def test_a_delayed_creation_also_happens_without_a_clock_move(qlik: Emulator) -> None:
    qlik.control.settings(creation_ms=50)
    register = Api(qlik, REGISTER).login()
    requested_at = qlik.control.health()["time"]
    created = register.post("/api/v1/tenants", KEY)
    assert seconds_between(requested_at, created["created"]) > 0.04


def test_a_delayed_creation_happens_even_if_the_client_disconnects(qlik: Emulator) -> None:
    qlik.control.settings(creation_ms=600_000)
    register = Api(qlik, REGISTER).login()
    before = qlik.control.health()["tenants"]
    connection = http.client.HTTPConnection(qlik.url.partition("//")[2], timeout=60)
    headers = {"Authorization": f"Bearer {register.token}", "Content-Type": "application/json"}
    connection.request("POST", "/api/v1/tenants", json.dumps(KEY), {"Host": REGISTER, **headers})
    wait_until(lambda: qlik.control.health()["waiting"] == 1)
    connection.close()
    assert qlik.control.health()["tenants"] == before
    qlik.control.advance(600)
    assert qlik.control.health()["tenants"] == before + 1
    wait_until(lambda: qlik.control.requests()[-1]["status"] == 201)


def test_creating_other_objects_takes_no_time(qlik: Emulator, source: Api) -> None:
    qlik.control.settings(creation_ms=600_000)
    source.post(GROUPS, {"name": "A"})
    assert group_names(source) == ["A"]


def seconds_between(earlier: str, later: str) -> float:
    """Return the seconds between two times of the emulator."""
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)) / timedelta(seconds=1)
