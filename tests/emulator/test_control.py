"""The emulator's own API: faults, clock, settings, log, reset."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
import requests

from emulator import ControlError, Emulator
from emulator.control_client import send

from .api import REGISTER, SOURCE, Api, error, new_tenant


@pytest.fixture
def source(qlik: Emulator) -> Api:
    return Api(qlik, SOURCE).login()


def test_the_control_api_answers_on_loopback_names_only(qlik: Emulator) -> None:
    for host in ("127.0.0.1", "localhost:80", "[::1]:80", "127.0.0.2"):
        assert send(qlik.url, "GET", host, "/_emulator/health")[0] == 200
    for host in (SOURCE, "attacker.example", "127.attacker.example", "localhost.attacker.example", ""):
        assert send(qlik.url, "POST", host, "/_emulator/reset", json_body={})[0] == 404, host


def test_writes_need_json_which_no_page_sends_unasked(qlik: Emulator) -> None:
    for content_type in ("text/plain", "application/x-www-form-urlencoded", ""):
        headers = {"content-type": content_type} if content_type else {}
        answer = requests.post(f"{qlik.url}/_emulator/reset", data="{}", headers=headers, timeout=10)
        assert answer.status_code == 415


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "nothing", None, 404),
        ("DELETE", "clock", None, 405),
        ("POST", "clock", {"advance_seconds": -1}, 400),
        ("POST", "clock", {"advance_seconds": True}, 400),
        ("POST", "clock", {}, 400),
        ("POST", "settings", {"colour": "red"}, 400),
        ("POST", "settings", {"latency_ms": "fast"}, 400),
        ("POST", "settings", {"rate_limits": 1}, 400),
        ("POST", "settings", {"tenant_quota": -1}, 400),
        ("POST", "faults", {"status": 99}, 400),
        ("POST", "faults", {"path": "*"}, 400),
        ("POST", "faults", {"stats": 500}, 400),
        ("POST", "faults", [], 400),
        ("POST", "tokens", {"host": "nobody.eu.qlikcloud.com"}, 400),
        ("DELETE", "faults/nothing", None, 404),
    ],
)
def test_wrong_control_requests_say_what_is_wrong(
    qlik: Emulator, method: str, path: str, body: Any, status: int
) -> None:
    answer = send(qlik.url, method, "127.0.0.1", f"/_emulator/{path}", json_body=body)
    assert answer[0] == status
    assert answer[1]["error"]


def test_a_bad_setting_changes_none_of_them(qlik: Emulator) -> None:
    with pytest.raises(ControlError, match="colour"):
        qlik.control.settings(latency_ms=5, colour="red")
    assert qlik.control.settings()["latency_ms"] == 0


def test_health_lists_what_is_unknown(qlik: Emulator, source: Api) -> None:
    for _ in range(2):
        assert error(source.get("/api/v1/webhooks", expect=404))["code"] == "HTTP-404"
    source.send("PUT", "/api/v1/groups")
    unknown = qlik.control.health()["unknown"]
    assert unknown == [
        {"request": f"GET {SOURCE}/api/v1/webhooks", "count": 2},
        {"request": f"PUT {SOURCE}/api/v1/groups", "count": 1},
    ]


def test_the_log_tells_each_request_without_secrets(qlik: Emulator, source: Api) -> None:
    source.get("/api/v1/spaces?limit=5")
    token, listing = qlik.control.requests()
    assert (token["method"], token["path"], token["tier"]) == ("POST", "/oauth/token", "2")
    assert listing["path"] == "/api/v1/spaces?limit=5"
    assert (listing["host"], listing["status"], listing["tier"]) == (SOURCE, 200, "1")
    assert listing["client"] == "demo"
    assert set(listing) == {"time", "host", "method", "path", "status", "tier", "ms", "client"}
    assert "secret" not in str(qlik.control.requests())
    assert source.token not in str(qlik.control.requests())
    qlik.control.requests(clear=True)
    assert qlik.control.requests() == []


def test_requests_behind_the_clients_back_stay_out_of_the_log(qlik: Emulator) -> None:
    tenant = new_tenant(qlik)
    qlik.control.clear_requests()
    made = qlik.request("POST", tenant.host, "/api/v1/groups", {"name": "By hand"})
    assert made["createdBy"] != tenant.send("GET", "/api/v1/users/me").headers["location"].rsplit("/", 1)[1]
    assert [entry["path"] for entry in qlik.control.requests()] == ["/api/v1/users/me"]
    assert len(qlik.control.requests(all=True)) == 2
    with pytest.raises(ControlError, match="409"):
        qlik.request("POST", tenant.host, "/api/v1/groups", {"name": "By hand"})


def test_the_dump_shows_all_state_and_no_secret(qlik: Emulator, source: Api) -> None:
    dump = qlik.control.dump()
    assert {space["name"] for space in dump[SOURCE]["space"]} == {"Templates", "Locked templates", "Gallery"}
    assert dump["cloud"]["client"][0]["secret"] == "[secure]"
    for secret in ("demo-secret", "emulator-licence-key", source.token):
        assert secret not in str(dump)


def test_reset_goes_back_to_the_seed(qlik: Emulator) -> None:
    tenant = new_tenant(qlik)
    qlik.control.advance(1000)
    qlik.control.settings(latency_ms=1)
    qlik.control.add_fault(path="*", status=500)
    qlik.control.reset()
    assert qlik.control.faults == qlik.control.requests() == []
    assert qlik.control.settings()["latency_ms"] == 0
    assert tenant.host not in qlik.control.dump()
    assert tenant.on(SOURCE).login().everything("/api/v1/items?resourceType=app")


def test_latency_is_added_to_every_answer(qlik: Emulator, source: Api) -> None:
    qlik.control.settings(latency_ms=80, jitter_ms=10)
    qlik.control.clear_requests()
    source.get("/api/v1/spaces")
    assert 80 <= qlik.control.requests()[0]["ms"] < 1000


# --- faults


def test_a_status_fault_answers_instead_and_does_nothing(qlik: Emulator, source: Api) -> None:
    body = {"errors": [{"code": "X", "title": "Broken"}]}
    qlik.control.add_fault(host=SOURCE, path="/api/v1/gr*", method="post", status=503, body=body, times=2)
    for _ in range(2):
        assert source.post("/api/v1/groups", {"name": "A"}, expect=503) == body
    assert source.get("/api/v1/groups")["data"] == []
    source.post("/api/v1/groups", {"name": "A"})
    (fault,) = qlik.control.faults
    assert (fault["matched"], fault["hit"]) == (3, 2)


def test_a_fault_can_strike_the_nth_request(qlik: Emulator, source: Api) -> None:
    qlik.control.add_fault(path="/api/v1/spaces", nth=2, status=500, headers={"retry-after": "7"})
    answers = [source.send("GET", "/api/v1/spaces") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 500, 200]
    assert answers[1].headers["retry-after"] == "7"


def test_probability_0_never_strikes_and_1_always(qlik: Emulator, source: Api) -> None:
    qlik.control.add_fault(path="/api/v1/spaces", probability=0, status=500)
    for _ in range(5):
        source.get("/api/v1/spaces")
    qlik.control.clear_faults()
    qlik.control.add_fault(path="/api/v1/spaces", probability=1, status=500)
    for _ in range(5):
        source.get("/api/v1/spaces", expect=500)


@pytest.mark.parametrize(("effect", "made"), [("drop_before", []), ("drop_after", ["A"])])
def test_a_cut_connection_with_and_without_effect(
    qlik: Emulator, source: Api, effect: str, made: list[str]
) -> None:
    qlik.control.add_fault(path="/api/v1/groups", method="POST", **{effect: True})
    with pytest.raises(requests.ConnectionError):
        source.post("/api/v1/groups", {"name": "A"})
    assert [group["name"] for group in source.get("/api/v1/groups")["data"]] == made
    assert qlik.control.requests()[-2]["status"] == 0


def test_a_lost_answer_to_tenant_creation_leaves_an_orphan(qlik: Emulator) -> None:
    register = Api(qlik, REGISTER).login()
    before = qlik.control.health()["tenants"]
    qlik.control.add_fault(path="/api/v1/tenants", method="POST", drop_after=True, times=1)
    with pytest.raises(requests.ConnectionError):
        register.post("/api/v1/tenants", {"licenseKey": "emulator-licence-key-eu"})
    assert qlik.control.health()["tenants"] == before + 1


def test_a_truncated_answer_ends_in_the_middle(qlik: Emulator, source: Api) -> None:
    qlik.control.add_fault(path="/api/v1/spaces", truncate=True)
    with pytest.raises(requests.RequestException):
        source.get("/api/v1/spaces")
    qlik.control.clear_faults()
    item = source.get("/api/v1/items?name=inventory&spaceType=shared")["data"][0]
    location = source.send("POST", f"/api/v1/apps/{item['resourceId']}/export").headers["location"]
    qlik.control.add_fault(path="/api/v1/temp-contents/*", truncate=True)
    with pytest.raises(requests.RequestException):
        source.get(location)


def test_merged_fields_reach_the_client(qlik: Emulator, source: Api) -> None:
    qlik.control.add_fault(path="/api/v1/spaces", merge={"news": {"of": "tomorrow"}})
    answer = source.get("/api/v1/spaces")
    assert answer["news"] == {"of": "tomorrow"}
    assert answer["data"]


def test_a_delayed_answer_is_late(qlik: Emulator, source: Api) -> None:
    qlik.control.add_fault(path="/api/v1/spaces", delay_ms=120)
    started = time.monotonic()
    source.get("/api/v1/spaces")
    assert time.monotonic() - started >= 0.12


def test_a_held_request_waits_until_released_and_holds_nobody_else(qlik: Emulator, source: Api) -> None:
    fault = qlik.control.add_fault(path="/api/v1/groups", method="POST", hold=True)
    thread = threading.Thread(target=source.post, args=("/api/v1/groups", {"name": "Late"}))
    thread.start()
    _until(lambda: qlik.control.faults[0]["hit"] == 1)
    assert source.get("/api/v1/groups")["data"] == []
    assert thread.is_alive()
    qlik.control.release(fault)
    thread.join(10)
    assert [group["name"] for group in source.get("/api/v1/groups")["data"]] == ["Late"]


def test_stopping_does_not_wait_for_what_is_held() -> None:
    with Emulator() as qlik:
        qlik.control.add_fault(path="/api/v1/spaces", hold=True)
        api = Api(qlik, SOURCE).login()
        failed: list[Exception] = []
        thread = threading.Thread(target=_swallow, args=(api, failed))
        thread.start()
        _until(lambda: qlik.control.faults[0]["hit"] == 1)
        started = time.monotonic()
    assert time.monotonic() - started < 5
    thread.join(10)
    assert isinstance(failed[0], requests.ConnectionError)


def _swallow(api: Api, failed: list[Exception]) -> None:
    try:
        api.get("/api/v1/spaces")
    except requests.ConnectionError as error:
        failed.append(error)


def _until(true: Any) -> None:
    for _ in range(500):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("did not come true")


# --- rate limits


def drain(api: Api, count: int) -> None:
    for _ in range(count):
        api.get("/api/v1/licenses/settings")


def test_a_tier_closes_at_its_limit_and_the_other_stays_open(qlik: Emulator) -> None:
    tenant = new_tenant(qlik)
    # 100 per minute x 5 minutes x 0.5 for the one user of the tenant, in a window of 1/10.
    qlik.control.settings(rate_limits=True, rate_window_scale=0.1)
    for number in range(25):
        tenant.post("/api/v1/groups", {"name": f"G{number}"})
    answer = tenant.send("POST", "/api/v1/groups", json={"name": "one more"})
    assert answer.status_code == 429
    wait = int(answer.headers["retry-after"])
    assert 0 < wait <= 30
    assert error(answer.json()) == {
        "code": "HTTP-429",
        "title": "API rate limit reached.",
        "detail": f"You need to wait {wait} seconds until limit is lifted.",
        "status": 429,
    }
    tenant.get("/api/v1/groups")
    qlik.control.advance(wait)
    tenant.post("/api/v1/groups", {"name": "one more"})


def test_more_users_raise_the_cap_of_the_tenant_to_the_users_own_limit(qlik: Emulator) -> None:
    tenant = new_tenant(qlik)
    for number in range(3):
        tenant.post("/api/v1/users", {"subject": f"u{number}", "status": "active"})
    qlik.control.settings(rate_limits=True, rate_window_scale=0.02)
    # 100 x 5 x 0.02 = 10 for the user; the tenant's 20 are not reached.
    answers = [tenant.send("PUT", "/api/v1/licenses/settings", json={}).status_code for _ in range(11)]
    assert answers == [200] * 10 + [429]


def test_limits_are_per_tenant(qlik: Emulator) -> None:
    one, two = new_tenant(qlik), new_tenant(qlik)
    qlik.control.settings(rate_limits=True, rate_window_scale=0.02)
    answers = [one.send("PUT", "/api/v1/licenses/settings", json={}).status_code for _ in range(6)]
    assert answers[-1] == 429
    two.put("/api/v1/licenses/settings", {})
    qlik.request("PUT", one.host, "/api/v1/licenses/settings", {})


def test_there_is_no_limit_unless_asked_for(qlik: Emulator) -> None:
    drain(new_tenant(qlik), 60)
