"""The control API: faults, clock, settings, log, reset."""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from tenantry.emulator import ControlError, Emulator
from tenantry.emulator.control_client import send
from tests.emulator.api import SOURCE, Api, error, new_tenant


@pytest.fixture
def source(qlik: Emulator) -> Api:
    return Api(qlik, SOURCE).login()


def test_the_control_api_answers_on_loopback_names_only(qlik: Emulator) -> None:
    for host in ("127.0.0.1", "localhost:80", "[::1]:80", "127.0.0.2"):
        assert send(qlik.url, "GET", host, "/_emulator/health")[0] == 200
    for host in (SOURCE, "attacker.example", "127.attacker.example", "localhost.attacker.example", ""):
        assert send(qlik.url, "POST", host, "/_emulator/reset", json_body={})[0] == 404, host


def test_writes_need_json_because_a_web_page_cannot_send_it(qlik: Emulator) -> None:
    for content_type in ("text/plain", "application/x-www-form-urlencoded", ""):
        headers = {"content-type": content_type} if content_type else {}
        response = requests.post(f"{qlik.url}/_emulator/reset", data="{}", headers=headers, timeout=10)
        assert response.status_code == 415


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "nothing", None, 404),
        ("DELETE", "clock", None, 405),
        ("POST", "clock", {"advance_seconds": -1}, 400),
        ("POST", "clock", {"advance_seconds": True}, 400),
        ("POST", "clock", {}, 400),
        ("POST", "clock", {"advance_seconds": float("nan")}, 400),
        ("POST", "clock", {"advance_seconds": float("inf")}, 400),
        ("POST", "clock", {"advance_seconds": 2e11}, 400),
        ("POST", "clock", {"advance_seconds": 10**400}, 400),
        ("POST", "settings", {"latency_ms": float("nan")}, 400),
        ("POST", "faults", {"delay_ms": float("nan")}, 400),
        ("POST", "faults", {"delay_ms": 1e9}, 400),
        ("POST", "faults", {"probability": float("-inf")}, 400),
        ("POST", "faults", {"status": 500, "headers": {"a": 5}}, 400),
        ("POST", "faults", {"status": 500, "headers": {"a b": "x"}}, 400),
        ("POST", "faults", {"status": 500, "headers": {"a": "x\r\nb: c"}}, 400),
        ("POST", "tokens", {"host": "\ud800"}, 400),
        ("POST", "settings", {"colour": "red"}, 400),
        ("POST", "settings", {"latency_ms": "fast"}, 400),
        ("POST", "settings", {"rate_limits": 1}, 400),
        ("POST", "settings", {"tenant_quota": -1}, 400),
        ("POST", "settings", {"not_found": "none"}, 400),
        ("POST", "settings", {"not_found": ["bare"]}, 400),
        ("POST", "settings", {"lenient": "autoreplace"}, 400),
        ("POST", "settings", {"lenient": ["everything"]}, 400),
        ("POST", "settings", {"lenient": [{}]}, 400),
        ("POST", "faults", {"status": 99}, 400),
        ("POST", "faults", {"path": "*"}, 400),
        ("POST", "faults", {"done": True}, 400),
        ("POST", "faults", {"done": True, "delay_ms": 5}, 400),
        ("POST", "faults", {"done_after_ms": 5, "done": True, "status": 200}, 400),
        ("POST", "faults", {"done_after_ms": 5, "drop_before": True}, 400),
        ("POST", "faults", {"done_after_ms": -5}, 400),
        ("POST", "faults", {"stats": 500}, 400),
        ("POST", "faults", [], 400),
        ("POST", "tokens", {"host": "nobody.eu.qlikcloud.com"}, 400),
        ("DELETE", "faults/nothing", None, 404),
    ],
)
def test_an_invalid_control_request_returns_an_error(
    qlik: Emulator, method: str, path: str, body: Any, status: int
) -> None:
    response = send(qlik.url, method, "127.0.0.1", f"/_emulator/{path}", json_body=body)
    assert response[0] == status
    assert response[1]["error"]


def test_a_bad_setting_changes_no_setting(qlik: Emulator) -> None:
    with pytest.raises(ControlError, match="colour"):
        qlik.control.settings(latency_ms=5, colour="red")
    assert qlik.control.settings()["latency_ms"] == 0


def test_health_lists_unknown_requests(qlik: Emulator, source: Api) -> None:
    for _ in range(2):
        assert error(source.get("/api/v1/glossaries", expect=404))["code"] == "HTTP-404"
    source.send("PUT", "/api/v1/groups")
    unknown = qlik.control.health()["unknown"]
    assert unknown == [
        {"request": f"GET {SOURCE}/api/v1/glossaries", "count": 2},
        {"request": f"PUT {SOURCE}/api/v1/groups", "count": 1},
    ]


def test_the_log_has_each_request_without_secrets(qlik: Emulator, source: Api) -> None:
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


def test_requests_of_the_emulators_own_administrator_are_not_listed(qlik: Emulator) -> None:
    tenant = new_tenant(qlik)
    qlik.control.clear_requests()
    created = qlik.request("POST", tenant.host, "/api/v1/groups", {"name": "By hand"})
    assert (
        created["createdBy"] != tenant.send("GET", "/api/v1/users/me").headers["location"].rsplit("/", 1)[1]
    )
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


def test_reset_restores_the_seed(qlik: Emulator) -> None:
    tenant = new_tenant(qlik)
    qlik.control.advance(1000)
    qlik.control.settings(latency_ms=1)
    qlik.control.add_fault(path="*", status=500)
    qlik.control.reset()
    assert qlik.control.faults == qlik.control.requests() == []
    assert qlik.control.settings()["latency_ms"] == 0
    assert tenant.host not in qlik.control.dump()
    assert tenant.on(SOURCE).login().everything("/api/v1/items?resourceType=app")


def test_latency_delays_every_response(qlik: Emulator, source: Api) -> None:
    qlik.control.settings(latency_ms=80, jitter_ms=10)
    qlik.control.clear_requests()
    source.get("/api/v1/spaces")
    assert 80 <= qlik.control.requests()[0]["ms"] < 1000


def test_every_response_has_the_date_of_the_emulators_clock(qlik: Emulator, source: Api) -> None:
    qlik.control.add_fault(path="/api/v1/groups", status=503)
    for _ in range(2):
        qlik.control.advance(40_000)
        responses = [
            requests.get(f"{qlik.url}/_emulator/health", timeout=10),
            source.login().send("GET", "/api/v1/spaces"),
            source.send("GET", "/api/v1/groups"),
            source.send("GET", "/api/v1/glossaries"),
            source.send("GET", "/api/v1/users/me"),
        ]
        earliest = datetime.fromisoformat(responses[0].json()["time"]).replace(microsecond=0)
        dates = [parsedate_to_datetime(response.headers["date"]) for response in responses]
        assert dates == sorted(dates)
        assert earliest <= dates[0]
        assert dates[-1] <= datetime.fromisoformat(qlik.control.health()["time"])
        assert all(response.headers["date"].endswith(" GMT") for response in responses)


def test_a_fault_can_set_another_date(qlik: Emulator, source: Api) -> None:
    date = "Thu, 01 Jan 1970 00:00:00 GMT"
    qlik.control.add_fault(path="/api/v1/spaces", status=503, headers={"Date": date})
    assert source.send("GET", "/api/v1/spaces").headers["date"] == date


@pytest.mark.parametrize(
    ("body", "status"),
    [(b'{"advance_seconds": 1e999}', 400), (b"[" * 100_000, 400), (b" " * 600_000, 413), (b"\xff", 400)],
)
def test_a_body_that_is_not_json_or_too_large_is_refused(qlik: Emulator, body: bytes, status: int) -> None:
    headers = {"content-type": "application/json"}
    response = requests.post(f"{qlik.url}/_emulator/clock", data=body, headers=headers, timeout=10)
    assert (response.status_code, list(response.json())) == (status, ["error"])
    assert qlik.control.health()["status"] == "ok"


def test_the_clock_cannot_move_past_the_last_valid_date(qlik: Emulator) -> None:
    for _ in range(25):
        try:
            qlik.control.advance(9e9)
        except ControlError:
            break
    assert qlik.control.health()["time"].startswith("83")
    new_tenant(qlik)
