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
    """A Cloud on a fake network, with its requests, its pauses and its messages to the user."""

    cloud: Cloud
    network: MockTransport
    clock: FakeClock
    notifications: list[str]

    @property
    def tenant(self) -> Host:
        """Return the host of the test tenant."""
        return self.cloud.tenant(TENANT)

    @property
    def api_calls(self) -> list[Call]:
        """Return the calls, without token requests."""
        return [call for call in self.network.calls if call.path != "/oauth/token"]

    @property
    def token_calls(self) -> list[Call]:
        """Return the token requests."""
        return [call for call in self.network.calls if call.path == "/oauth/token"]


MakeHarness = Callable[..., CloudHarness]


@pytest.fixture
def make_harness() -> Iterator[MakeHarness]:
    """Return a function that creates a harness.

    Its first argument is a handler, or a list of the replies and exceptions, one per request.
    """
    with ExitStack() as stack:

        def make(
            replies: Callable[[Call], Reply] | list[Any],
            environ: dict[str, str] | None = None,
            tokens: bool = True,
        ) -> CloudHarness:
            handler = handler_of(replies) if isinstance(replies, list) else replies
            network, clock = MockTransport(handler, tokens=tokens), FakeClock()
            notifications: list[str] = []
            cloud = Cloud(
                {**ENVIRONMENT, **(environ or {})}, notify=notifications.append, clock=clock, adapter=network
            )
            return CloudHarness(stack.enter_context(cloud), network, clock, notifications)

        yield make


def handler_of(replies: list[Any]) -> Callable[[Call], Reply]:
    """Return a handler that returns each reply once, or raises it if it is an exception."""
    remaining = iter(replies)

    def handler(call: Call) -> Reply:
        reply = next(remaining, None)
        assert reply is not None, f"one request too many: {call}"
        if isinstance(reply, Exception):
            raise reply
        assert isinstance(reply, Reply)
        return reply

    return handler


MakeWire = Callable[..., Wire]


@pytest.fixture
def make_wire() -> Iterator[MakeWire]:
    """Return a function that starts a loopback server with a script."""
    with ExitStack() as stack:

        def make(script: Any) -> Wire:
            return stack.enter_context(Wire(script))

        yield make


@pytest.fixture
def make_cloud() -> Iterator[Callable[..., Cloud]]:
    """Return a function that creates a Cloud which sends its requests to a Wire. Retries do not wait."""
    with ExitStack() as stack:

        def make(wire: Wire, clock: Any = None, **environ: str) -> Cloud:
            variables = {
                **ENVIRONMENT,
                "QLIK_CLOUD_ENDPOINT": wire.url,
                "TENANTRY_REQUEST_TIMEOUT": "5",
                **environ,
            }
            return stack.enter_context(Cloud(variables, clock=clock or FakeClock()))

        yield make


def error_body(code: str, title: str = "No.", **keys: Any) -> dict[str, Any]:
    """Return the body of an error response of Qlik."""
    return {"errors": [{"code": code, "title": title, **keys}], "traceId": "0123456789abcdef"}


def error_reply(status: int, code: str = "X-1", **headers: str) -> Reply:
    """Return an error response of Qlik. Underscores in header names become hyphens."""
    return Reply(status, error_body(code), {name.replace("_", "-"): value for name, value in headers.items()})
