from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from tenantry.providers.qlik import Cloud, Host
from tenantry.providers.qlik.testing import ENVIRONMENT, Call, FakeClock, MockTransport, Reply
from tests.providers.qlik.wire import Wire

TENANT = "acme.eu.qlikcloud.com"


@dataclass
class CloudHarness:
    """A Cloud over a fake network: what it sent, how long it slept, what it told the user."""

    cloud: Cloud
    network: MockTransport
    clock: FakeClock
    notifications: list[str]

    @property
    def tenant(self) -> Host:
        return self.cloud.tenant(TENANT)

    @property
    def api_calls(self) -> list[Call]:
        """The calls, without those for tokens."""
        return [call for call in self.network.calls if call.path != "/oauth/token"]

    @property
    def token_calls(self) -> list[Call]:
        return [call for call in self.network.calls if call.path == "/oauth/token"]


MakeHarness = Callable[..., CloudHarness]


@pytest.fixture
def make_harness() -> Iterator[MakeHarness]:
    """Make a Sky from a handler, or from a list of replies and exceptions, given one after the other."""
    with ExitStack() as stack:

        def make(
            replies: Callable[[Call], Reply] | list[Any],
            environ: dict[str, str] | None = None,
            tokens: bool = True,
        ) -> CloudHarness:
            handler = one_after_the_other(replies) if isinstance(replies, list) else replies
            network, clock = MockTransport(handler, tokens=tokens), FakeClock()
            notifications: list[str] = []
            cloud = Cloud(
                {**ENVIRONMENT, **(environ or {})}, notify=notifications.append, clock=clock, adapter=network
            )
            return CloudHarness(stack.enter_context(cloud), network, clock, notifications)

        yield make


def one_after_the_other(replies: list[Any]) -> Callable[[Call], Reply]:
    """A handler that gives each answer once, and raises those that are exceptions."""
    left = iter(replies)

    def handler(call: Call) -> Reply:
        reply = next(left, None)
        assert reply is not None, f"one request too many: {call}"
        if isinstance(reply, Exception):
            raise reply
        assert isinstance(reply, Reply)
        return reply

    return handler


MakeWire = Callable[..., Wire]


@pytest.fixture
def make_wire() -> Iterator[MakeWire]:
    """Start loopback servers, each with a script of its own."""
    with ExitStack() as stack:

        def make(script: Any) -> Wire:
            return stack.enter_context(Wire(script))

        yield make


@pytest.fixture
def make_cloud() -> Iterator[Callable[..., Cloud]]:
    """Make a Cloud that reaches a Wire; retries do not really wait."""
    with ExitStack() as stack:

        def make(wire: Wire, clock: Any = None, **environ: str) -> Cloud:
            known = {
                **ENVIRONMENT,
                "QLIK_CLOUD_ENDPOINT": wire.url,
                "TENANTRY_REQUEST_TIMEOUT": "5",
                **environ,
            }
            return stack.enter_context(Cloud(known, clock=clock or FakeClock()))

        yield make


def error_body(code: str, title: str = "No.", **more: Any) -> dict[str, Any]:
    """An error body of Qlik's."""
    return {"errors": [{"code": code, "title": title, **more}], "traceId": "0123456789abcdef"}


def error_reply(status: int, code: str = "X-1", **headers: str) -> Reply:
    return Reply(status, error_body(code), {name.replace("_", "-"): value for name, value in headers.items()})
