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
class Sky:
    """A Cloud over a fake network: what it sent, how long it slept, what it told the user."""

    cloud: Cloud
    network: MockTransport
    clock: FakeClock
    told: list[str]

    @property
    def tenant(self) -> Host:
        return self.cloud.tenant(TENANT)

    @property
    def asked(self) -> list[Call]:
        """The calls, without those for tokens."""
        return [call for call in self.network.calls if call.path != "/oauth/token"]

    @property
    def token_calls(self) -> list[Call]:
        return [call for call in self.network.calls if call.path == "/oauth/token"]


MakeSky = Callable[..., Sky]


@pytest.fixture
def make_sky() -> Iterator[MakeSky]:
    """Make a Sky from a handler, or from a list of replies and exceptions, given one after the other."""
    with ExitStack() as stack:

        def make(
            answers: Callable[[Call], Reply] | list[Any],
            environ: dict[str, str] | None = None,
            tokens: bool = True,
        ) -> Sky:
            handler = in_turn(answers) if isinstance(answers, list) else answers
            network, clock = MockTransport(handler, tokens=tokens), FakeClock()
            told: list[str] = []
            cloud = Cloud(
                {**ENVIRONMENT, **(environ or {})}, notify=told.append, clock=clock, adapter=network
            )
            return Sky(stack.enter_context(cloud), network, clock, told)

        yield make


def in_turn(answers: list[Any]) -> Callable[[Call], Reply]:
    """A handler that gives each answer once, and raises those that are exceptions."""
    left = iter(answers)

    def handler(call: Call) -> Reply:
        answer = next(left, None)
        assert answer is not None, f"one request too many: {call}"
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, Reply)
        return answer

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
def wired() -> Iterator[Callable[..., Cloud]]:
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


def problem(code: str, title: str = "No.", **more: Any) -> dict[str, Any]:
    """An error body of Qlik's."""
    return {"errors": [{"code": code, "title": title, **more}], "traceId": "0123456789abcdef"}


def failed(status: int, code: str = "X-1", **headers: str) -> Reply:
    return Reply(status, problem(code), {name.replace("_", "-"): value for name, value in headers.items()})
