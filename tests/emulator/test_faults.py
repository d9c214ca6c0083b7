"""Faults: rules that make requests fail or wait."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
import requests

from tenantry.emulator import Emulator
from tests.emulator.api import REGISTER, SOURCE, Api, error


@pytest.fixture
def source(qlik: Emulator) -> Api:
    return Api(qlik, SOURCE).login()


def test_a_status_fault_replaces_the_response_and_changes_nothing(qlik: Emulator, source: Api) -> None:
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
    responses = [source.send("GET", "/api/v1/spaces") for _ in range(3)]
    assert [response.status_code for response in responses] == [200, 500, 200]
    assert responses[1].headers["retry-after"] == "7"


def test_probability_0_never_strikes_and_1_always_strikes(qlik: Emulator, source: Api) -> None:
    qlik.control.add_fault(path="/api/v1/spaces", probability=0, status=500)
    for _ in range(5):
        source.get("/api/v1/spaces")
    qlik.control.clear_faults()
    qlik.control.add_fault(path="/api/v1/spaces", probability=1, status=500)
    for _ in range(5):
        source.get("/api/v1/spaces", expect=500)


@pytest.mark.parametrize(("effect", "names"), [("drop_before", []), ("drop_after", ["A"])])
def test_a_connection_can_be_dropped_before_or_after_the_change(
    qlik: Emulator, source: Api, effect: str, names: list[str]
) -> None:
    qlik.control.add_fault(path="/api/v1/groups", method="POST", **{effect: True})
    with pytest.raises(requests.ConnectionError):
        source.post("/api/v1/groups", {"name": "A"})
    assert [group["name"] for group in source.get("/api/v1/groups")["data"]] == names
    assert qlik.control.requests()[-2]["status"] == 0


@pytest.mark.parametrize(
    ("status", "body", "text"),
    [
        (502, "<html>Bad gateway</html>", "<html>Bad gateway</html>"),
        (200, '{"id": "', '{"id": "'),
        (201, "", ""),
    ],
)
def test_a_done_fault_replaces_the_response_after_the_change(
    qlik: Emulator, source: Api, status: int, body: str, text: str
) -> None:
    rule = {"path": "/api/v1/groups", "method": "POST", "status": status, "body": body, "times": 1}
    qlik.control.add_fault(**rule, done=True, headers={"x-served-by": "proxy"})
    response = source.send("POST", "/api/v1/groups", json={"name": "A"})
    assert (response.status_code, response.text, response.headers["x-served-by"]) == (status, text, "proxy")
    assert qlik.control.requests()[-1]["status"] == status
    assert [group["name"] for group in source.get("/api/v1/groups")["data"]] == ["A"]
    source.post("/api/v1/groups", {"name": "A"}, expect=409)


def test_a_done_fault_also_replaces_a_refusal(qlik: Emulator, source: Api) -> None:
    qlik.control.add_fault(path="/api/v1/groups", method="POST", status=500, done=True)
    assert error(source.post("/api/v1/groups", {"nome": "A"}, expect=500))["code"] == "HTTP-500"
    assert source.get("/api/v1/groups")["data"] == []


def test_a_lost_response_to_a_tenant_creation_leaves_an_orphan(qlik: Emulator) -> None:
    register = Api(qlik, REGISTER).login()
    before = qlik.control.health()["tenants"]
    qlik.control.add_fault(path="/api/v1/tenants", method="POST", drop_after=True, times=1)
    with pytest.raises(requests.ConnectionError):
        register.post("/api/v1/tenants", {"licenseKey": "emulator-licence-key-eu"})
    assert qlik.control.health()["tenants"] == before + 1


def test_a_truncated_response_ends_in_the_middle(qlik: Emulator, source: Api) -> None:
    qlik.control.add_fault(path="/api/v1/spaces", truncate=True)
    with pytest.raises(requests.RequestException):
        source.get("/api/v1/spaces")
    qlik.control.clear_faults()
    item = source.get("/api/v1/items?name=inventory&spaceType=shared")["data"][0]
    location = source.send("POST", f"/api/v1/apps/{item['resourceId']}/export").headers["location"]
    qlik.control.add_fault(path="/api/v1/temp-contents/*", truncate=True)
    with pytest.raises(requests.RequestException):
        source.get(location)


def test_a_merge_fault_adds_members_to_the_response(qlik: Emulator, source: Api) -> None:
    qlik.control.add_fault(path="/api/v1/spaces", merge={"news": {"of": "tomorrow"}})
    response = source.get("/api/v1/spaces")
    assert response["news"] == {"of": "tomorrow"}
    assert response["data"]


def test_a_delay_fault_delays_the_response(qlik: Emulator, source: Api) -> None:
    qlik.control.add_fault(path="/api/v1/spaces", delay_ms=120)
    started = time.monotonic()
    source.get("/api/v1/spaces")
    assert time.monotonic() - started >= 0.12


def test_a_held_request_waits_for_its_release_and_does_not_block_others(qlik: Emulator, source: Api) -> None:
    fault = qlik.control.add_fault(path="/api/v1/groups", method="POST", hold=True)
    thread = threading.Thread(target=source.post, args=("/api/v1/groups", {"name": "Late"}))
    thread.start()
    _wait_until(lambda: qlik.control.faults[0]["hit"] == 1)
    assert source.get("/api/v1/groups")["data"] == []
    assert thread.is_alive()
    qlik.control.release(fault)
    thread.join(10)
    assert [group["name"] for group in source.get("/api/v1/groups")["data"]] == ["Late"]


def test_stopping_does_not_wait_for_held_requests() -> None:
    with Emulator() as qlik:
        qlik.control.add_fault(path="/api/v1/spaces", hold=True)
        api = Api(qlik, SOURCE).login()
        errors: list[Exception] = []
        thread = threading.Thread(target=_send_and_record_the_error, args=(api, errors))
        thread.start()
        _wait_until(lambda: qlik.control.faults[0]["hit"] == 1)
        started = time.monotonic()
    assert time.monotonic() - started < 5
    thread.join(10)
    assert isinstance(errors[0], requests.ConnectionError)


def _send_and_record_the_error(api: Api, errors: list[Exception]) -> None:
    try:
        api.get("/api/v1/spaces")
    except requests.ConnectionError as error:
        errors.append(error)


def _wait_until(condition: Any) -> None:
    for _ in range(500):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("the condition is still false")
