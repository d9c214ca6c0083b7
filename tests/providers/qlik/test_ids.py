"""Ids of answers and of files lead nowhere else, whoever answered or wrote them."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.providers.qlik import Cloud, ConfigurationError, UnexpectedAnswer
from tenantry.providers.qlik.testing import ENVIRONMENT, Call, FakeClock, MockTransport, Reply

HOST = "acme.eu.qlikcloud.com"
ODD = ["a/b", "../x", "..", ".", "a?b=c", "a#b", "a%2fb", "a\\b", "a\nb"]


def _host(answer: Any) -> tuple[Any, list[Call]]:
    calls: list[Call] = []

    def handler(call: Call) -> Reply:
        calls.append(call)
        return Reply(200, answer)

    return Cloud(ENVIRONMENT, adapter=MockTransport(handler), clock=FakeClock()).tenant(HOST), calls


@pytest.mark.parametrize("id", ODD)
@pytest.mark.parametrize("wrap", ["{}", "page", "app", "attributes"])
def test_an_answer_with_an_id_that_leads_elsewhere_is_refused(id: str, wrap: str) -> None:
    answers = {
        "{}": {"id": id},
        "page": {"data": [{"id": "1"}, {"id": "2", "spaceId": id}]},
        "app": {"data": [{"resourceType": "app", "resourceId": id}]},
        "attributes": {"attributes": {"id": id}},
    }
    host, _ = _host(answers[wrap])
    with pytest.raises(UnexpectedAnswer, match="as an id, which would lead elsewhere"):
        host.get("/api/v1/things")


def test_other_ids_and_addresses_of_data_sets_pass() -> None:
    dataset = {"resourceType": "dataset", "resourceId": "qri:qdf:space://abc#def", "id": "65fb1c"}
    answer = {"data": [dataset, {"id": "auth0|ada", "name": "../x"}, {"id": 7}]}
    host, _ = _host(answer)
    assert host.get("/api/v1/items") == answer


@pytest.mark.parametrize(
    "path",
    ["/api/v1/tenants/../users", "/api/v1//x", "/api/v1/apps/", "/api/v1/apps/.", "/a#b", "/a\\b", "/a\nb"],
)
def test_a_path_that_leads_elsewhere_is_not_sent(path: str) -> None:
    host, calls = _host({})
    with pytest.raises(ConfigurationError, match="not sent, as an id in this path is none"):
        host.delete(path)
    assert calls == []
