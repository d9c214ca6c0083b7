"""The fake network and clock themselves."""

from __future__ import annotations

import pytest

from tenantry.providers.qlik import Cloud
from tenantry.providers.qlik.testing import ENVIRONMENT, Call, FakeClock, MockTransport, Reply


def test_the_example_of_the_module() -> None:
    def handler(call: Call) -> Reply:
        return Reply(200, {"id": "123", **call.json})

    network = MockTransport(handler)
    with Cloud(ENVIRONMENT, adapter=network, clock=FakeClock()) as cloud:
        wanted = {"name": "Sales", "type": "shared"}
        found = cloud.tenant("acme.eu.qlikcloud.com").post("/api/v1/spaces", wanted)
    assert found == {"id": "123", **wanted}
    assert [(call.host, call.path) for call in network.calls] == [
        ("acme.eu.qlikcloud.com", "/oauth/token"),
        ("acme.eu.qlikcloud.com", "/api/v1/spaces"),
    ]


def test_it_sees_the_qlik_host_behind_an_endpoint() -> None:
    network = MockTransport(lambda call: Reply(200, {}))
    environ = {**ENVIRONMENT, "QLIK_CLOUD_ENDPOINT": "http://127.0.0.1:9"}
    with Cloud(environ, adapter=network) as cloud:
        cloud.tenant("acme.eu.qlikcloud.com").get("/x")
    assert {call.host for call in network.calls} == {"acme.eu.qlikcloud.com"}


def test_what_a_handler_raises_comes_through() -> None:
    def handler(call: Call) -> Reply:
        raise AssertionError(call.path)

    with (
        Cloud(ENVIRONMENT, adapter=MockTransport(handler)) as cloud,
        pytest.raises(AssertionError, match="/x"),
    ):
        cloud.tenant("acme.eu.qlikcloud.com").get("/x")


def test_fake_clock() -> None:
    clock = FakeClock(100)
    clock.sleep(5)
    clock.sleep(2)
    assert (clock.monotonic(), clock.time(), clock.slept) == (7, 107, [5, 2])
