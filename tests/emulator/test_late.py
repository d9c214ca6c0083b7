"""What Qlik does later than it was asked to: on request, or because creating takes a while."""

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


def names(source: Api) -> list[str]:
    return [group["name"] for group in source.get(GROUPS)["data"]]


def lose(api: Api, path: str, **body: Any) -> None:
    """Send a POST whose answer is cut off."""
    with pytest.raises(requests.ConnectionError):
        api.send("POST", path, **body)


def late(qlik: Emulator) -> list[Any]:
    """What came of each request that was put off."""
    return [entry["late"]["status"] for entry in qlik.control.requests() if "late" in entry]


def until(true: Callable[[], Any]) -> None:
    for _ in range(6_000):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("did not come true")


def test_a_request_whose_answer_is_lost_is_done_later(qlik: Emulator, source: Api) -> None:
    qlik.control.add_fault(path=GROUPS, method="POST", done_after_ms=600_000, times=1)
    qlik.control.clear_requests()
    lose(source, GROUPS, json={"name": "Late"})
    assert names(source) == []
    entry = qlik.control.requests()[0]
    assert (entry["status"], entry["late"]["status"]) == (0, None)
    assert qlik.control.health()["waiting"] == 1
    qlik.control.advance(600)
    (group,) = source.get(GROUPS)["data"]
    assert group["name"] == "Late"
    done = qlik.control.requests()[0]
    assert done == entry | {"late": {"at": group["createdAt"], "status": 201}}
    assert 300 < seconds(entry["time"], done["late"]["at"]) < 600.01
    assert qlik.control.health()["waiting"] == 0


def test_a_proxy_gives_up_before_qlik_is_done(qlik: Emulator, source: Api) -> None:
    rule = {"status": 504, "body": "<html>Timeout</html>", "done_after_ms": 600_000}
    qlik.control.add_fault(path=GROUPS, method="POST", **rule)
    answer = source.send("POST", GROUPS, json={"name": "Late"})
    assert (answer.status_code, answer.text) == (504, "<html>Timeout</html>")
    assert names(source) == []
    qlik.control.advance(300)
    assert names(source) == []
    qlik.control.advance(300)
    assert names(source) == ["Late"]


def test_it_is_done_in_its_own_time_too(qlik: Emulator, source: Api) -> None:
    qlik.control.add_fault(path=GROUPS, method="POST", done_after_ms=50)
    lose(source, GROUPS, json={"name": "Late"})
    until(lambda: names(source) == ["Late"])


def test_a_leap_of_the_clock_does_all_in_its_order_and_at_its_moment(qlik: Emulator, source: Api) -> None:
    for name, seconds_later in (("Second", 600), ("First", 300)):
        fault = qlik.control.add_fault(path=GROUPS, method="POST", done_after_ms=seconds_later * 1000)
        lose(source, GROUPS, json={"name": name})
        qlik.control.release(fault)
    qlik.control.advance(3600)
    made = {group["name"]: group["createdAt"] for group in source.get(GROUPS)["data"]}
    at = {
        entry["late"]["at"]: entry["late"]["status"] for entry in qlik.control.requests() if "late" in entry
    }
    assert at == {made["First"]: 201, made["Second"]: 201}
    assert made["First"] < made["Second"]
    assert seconds(made["Second"], qlik.control.health()["time"]) > 2900


def test_an_upload_is_kept_until_it_is_due(qlik: Emulator) -> None:
    tenant = new_tenant(qlik)
    space = tenant.post("/api/v1/spaces", {"name": "Sales", "type": "shared"})["id"]
    content = bytes(range(256)) * 4096
    qlik.control.add_fault(path="/api/v1/apps/import", done_after_ms=600_000)
    lose(tenant, f"/api/v1/apps/import?spaceId={space}&name=Big", data=content)
    assert tenant.get("/api/v1/items")["data"] == []
    assert not [file.path for file in psutil.Process().open_files() if file.path.endswith(".part")]
    qlik.control.advance(600)
    (item,) = tenant.get("/api/v1/items")["data"]
    location = tenant.send("POST", f"/api/v1/apps/{item['resourceId']}/export").headers["location"]
    assert tenant.get(location).endswith(b"\n" + content)
    assert not list((qlik._folder / "files").glob("*.part"))


def test_an_upload_into_a_space_that_is_gone_by_then_leaves_nothing(qlik: Emulator) -> None:
    tenant = new_tenant(qlik)
    space = tenant.post("/api/v1/spaces", {"name": "Sales", "type": "shared"})["id"]
    qlik.control.add_fault(path="/api/v1/apps/import", done_after_ms=600_000)
    lose(tenant, f"/api/v1/apps/import?spaceId={space}", data=b"content")
    tenant.delete(f"/api/v1/spaces/{space}")
    qlik.control.advance(600)
    assert late(qlik) == [404]
    assert not list((qlik._folder / "files").glob("*.part"))


def test_what_is_late_meets_what_has_become_of_the_tenant(qlik: Emulator, source: Api) -> None:
    tenant = new_tenant(qlik)
    own = tenant.send("GET", "/api/v1/tenants/me").headers["location"]
    qlik.control.add_fault(host=tenant.host, path=GROUPS, method="POST", done_after_ms=600_000, times=1)
    qlik.control.add_fault(path=own, method="PATCH", done_after_ms=600_000, times=1)
    lose(tenant, GROUPS, json={"name": "Twice"})
    with pytest.raises(requests.ConnectionError):
        tenant.patch(own, {"/enableAnalyticCreation": True})
    tenant.post(GROUPS, {"name": "Twice"})
    tenant.patch(own, {"/name": "Globex"})
    qlik.control.advance(600)
    assert names(tenant) == ["Twice"]
    found = tenant.get(own)
    assert (found["name"], found["enableAnalyticCreation"]) == ("Globex", True)
    assert late(qlik) == [409, 204]


def test_a_tenant_that_was_closed_meanwhile_takes_nothing(qlik: Emulator) -> None:
    tenant = new_tenant(qlik)
    own_id = tenant.send("GET", "/api/v1/tenants/me").headers["location"].rsplit("/", 1)[1]
    qlik.control.add_fault(path=GROUPS, method="POST", done_after_ms=600_000)
    lose(tenant, GROUPS, json={"name": "Late"})
    register, headers = tenant.on(REGISTER).login(), {"qlik-confirm-hostname": tenant.host}
    register.post(f"/api/v1/tenants/{own_id}/actions/deactivate", expect=200, headers=headers)
    qlik.control.advance(600)
    assert late(qlik) == [401]
    register.post(f"/api/v1/tenants/{own_id}/actions/reactivate", expect=200, headers=headers)
    assert names(tenant) == []


def test_a_user_who_was_disabled_meanwhile_does_nothing(qlik: Emulator) -> None:
    tenant = new_tenant(qlik)
    bot = tenant.send("GET", "/api/v1/users/me").headers["location"]
    qlik.control.add_fault(path=GROUPS, method="POST", done_after_ms=600_000)
    lose(tenant, GROUPS, json={"name": "Late"})
    disabled = [{"op": "replace", "path": "/status", "value": "disabled"}]
    qlik.request("PATCH", tenant.host, bot, disabled)
    qlik.control.advance(600)
    assert late(qlik) == [401]
    assert qlik.request("GET", tenant.host, GROUPS)["data"] == []


@pytest.mark.parametrize(("body", "token", "status"), [({}, None, 400), ({"name": "A"}, "wrong", 401)])
def test_what_qlik_would_refuse_at_the_door_does_not_wait(
    qlik: Emulator, source: Api, body: Any, token: str | None, status: int
) -> None:
    qlik.control.add_fault(path=GROUPS, method="POST", done_after_ms=600_000)
    lose(source, GROUPS, json=body, token=token)
    assert qlik.control.health()["waiting"] == 0
    assert qlik.control.requests()[-1]["late"]["status"] == status


def test_a_cleared_log_still_shows_what_is_done_afterwards(qlik: Emulator, source: Api) -> None:
    qlik.control.add_fault(path=GROUPS, method="POST", done_after_ms=600_000, times=1)
    lose(source, GROUPS, json={"name": "Late"})
    qlik.control.clear_requests()
    for _ in range(3):
        names(source)
    qlik.control.advance(600)
    assert [entry["method"] for entry in qlik.control.requests()] == ["GET", "GET", "GET", "POST"]


def test_a_reset_forgets_what_was_to_come(qlik: Emulator, source: Api) -> None:
    qlik.control.settings(creation_ms=600_000)
    qlik.control.add_fault(path=GROUPS, method="POST", done_after_ms=600_000)
    lose(source, GROUPS, json={"name": "Late"})
    waiting = Waiting(Api(qlik, REGISTER).login(), "/api/v1/tenants", json=KEY)
    until(lambda: qlik.control.health()["waiting"] == 2)
    tenants = qlik.control.health()["tenants"]
    qlik.control.reset()
    assert isinstance(waiting.answer(), requests.ConnectionError)
    qlik.control.advance(600)
    assert names(source.login()) == []
    assert qlik.control.health()["tenants"] == tenants


def test_stopping_does_not_wait_for_what_is_to_come() -> None:
    with Emulator(creation_ms=1e8) as qlik:
        waiting = Waiting(Api(qlik, REGISTER).login(), "/api/v1/tenants", json=KEY)
        until(lambda: qlik.control.health()["waiting"] == 1)
    assert isinstance(waiting.answer(), requests.ConnectionError)


class Waiting:
    """A POST in a thread."""

    def __init__(self, api: Api, path: str, **body: Any) -> None:
        self._result: Any = None
        self._thread = threading.Thread(target=self._send, args=(api, path, body))
        self._thread.start()

    def answer(self) -> Any:
        """What came of it: an answer or an exception."""
        self._thread.join(60)
        assert not self._thread.is_alive()
        return self._result

    def _send(self, api: Api, path: str, body: dict[str, Any]) -> None:
        try:
            self._result = api.send("POST", path, **body)
        except requests.RequestException as error:
            self._result = error


def makers(qlik: Emulator) -> dict[str, tuple[Api, str, dict[str, Any], str]]:
    """Kind -> who asks, where and with what, and the kind of document it leaves."""
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


def count(qlik: Emulator, kind: str) -> int:
    return sum(len(kinds.get(kind, [])) for kinds in qlik.control.dump().values())


@pytest.mark.parametrize(
    "name", ["tenant", "import", "publish", "integration", "origin", "webhook", "automation", "provider"]
)
def test_creating_takes_a_while(qlik: Emulator, name: str) -> None:
    api, path, body, kind = makers(qlik)[name]
    before = count(qlik, kind)
    qlik.control.settings(creation_ms=600_000)
    started = qlik.control.health()["time"]
    waiting = Waiting(api, path, **body)
    until(lambda: qlik.control.health()["waiting"] == 1)
    assert count(qlik, kind) == before
    qlik.control.advance(300)
    assert count(qlik, kind) == before
    qlik.control.advance(10_000)
    made = waiting.answer()
    assert count(qlik, kind) == before + 1
    assert made.status_code in (200, 201)
    made = made.json().get("attributes", made.json())
    created = next(made[key] for key in ("created", "createdDate", "createdAt") if key in made)
    assert 599.99 < seconds(started, created) < 900


def test_without_a_test_that_moves_the_clock_it_comes_by_itself(qlik: Emulator) -> None:
    qlik.control.settings(creation_ms=50)
    register = Api(qlik, REGISTER).login()
    asked = qlik.control.health()["time"]
    made = register.post("/api/v1/tenants", KEY)
    assert seconds(asked, made["created"]) > 0.04


def test_it_comes_although_the_client_has_left(qlik: Emulator) -> None:
    qlik.control.settings(creation_ms=600_000)
    register = Api(qlik, REGISTER).login()
    before = qlik.control.health()["tenants"]
    connection = http.client.HTTPConnection(qlik.url.partition("//")[2], timeout=60)
    headers = {"Authorization": f"Bearer {register.token}", "Content-Type": "application/json"}
    connection.request("POST", "/api/v1/tenants", json.dumps(KEY), {"Host": REGISTER, **headers})
    until(lambda: qlik.control.health()["waiting"] == 1)
    connection.close()
    assert qlik.control.health()["tenants"] == before
    qlik.control.advance(600)
    assert qlik.control.health()["tenants"] == before + 1
    until(lambda: qlik.control.requests()[-1]["status"] == 201)


def test_other_objects_take_no_time(qlik: Emulator, source: Api) -> None:
    qlik.control.settings(creation_ms=600_000)
    source.post(GROUPS, {"name": "A"})
    assert names(source) == ["A"]


def seconds(earlier: str, later: str) -> float:
    """How far two of the emulator's times are apart."""
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)) / timedelta(seconds=1)
