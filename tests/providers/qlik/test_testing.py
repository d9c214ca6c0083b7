"""The fake network and the fake clock of `tenantry.providers.qlik.testing`."""

from __future__ import annotations

import pytest

from tenantry.providers.qlik import Cloud
from tenantry.providers.qlik.testing import ENVIRONMENT, Call, FakeClock, MockTransport, Reply


def test_the_example_in_the_docstring_of_the_module_works() -> None:
    def handler(call: Call) -> Reply:
        return Reply(200, {"id": "123", **call.json})

    network = MockTransport(handler)
    with Cloud(ENVIRONMENT, adapter=network, clock=FakeClock()) as cloud:
        body = {"name": "Sales", "type": "shared"}
        space = cloud.tenant("acme.eu.qlikcloud.com").post("/api/v1/spaces", body)
    assert space == {"id": "123", **body}
    assert [(call.host, call.path) for call in network.calls] == [
        ("acme.eu.qlikcloud.com", "/oauth/token"),
        ("acme.eu.qlikcloud.com", "/api/v1/spaces"),
    ]


def test_calls_have_the_qlik_host_even_with_an_endpoint() -> None:
    network = MockTransport(lambda call: Reply(200, {}))
    environ = {**ENVIRONMENT, "QLIK_CLOUD_ENDPOINT": "http://127.0.0.1:9"}
    with Cloud(environ, adapter=network) as cloud:
        cloud.tenant("acme.eu.qlikcloud.com").get("/x")
    assert {call.host for call in network.calls} == {"acme.eu.qlikcloud.com"}


def test_an_exception_of_a_handler_reaches_the_caller() -> None:
    def handler(call: Call) -> Reply:
        raise AssertionError(call.path)

    with (
        Cloud(ENVIRONMENT, adapter=MockTransport(handler)) as cloud,
        pytest.raises(AssertionError, match="/x"),
    ):
        cloud.tenant("acme.eu.qlikcloud.com").get("/x")


def test_a_fake_clock_advances_only_by_sleeping() -> None:
    clock = FakeClock(100)
    clock.sleep(5)
    clock.sleep(2)
    assert (clock.monotonic(), clock.time(), clock.sleeps) == (7, 107, [5, 2])
