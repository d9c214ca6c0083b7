"""A response of any shape causes at most one error line of Tenantry, without a secret.

The state has only values of the right type. Every created object is in the state, or the next run finds it.
The test creates, reads, updates and deletes each resource type like the engine, and changes the shape of one
2xx response.
"""

from __future__ import annotations

import io
import json
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, get_origin

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPHeaderDict, HTTPResponse

from tenantry.emulator import Emulator
from tenantry.providers.framework import adapter, evidence
from tenantry.providers.framework.engine import Failure
from tenantry.providers.framework.properties import is_certainly_valid
from tenantry.providers.qlik import Cloud
from tests.fuzz.examples import EXAMPLES
from tests.providers.framework.test_every_resource_type import CASES
from tests.providers.resource_driver import LICENCE, Case, ResourceDriver, Tenancy, resolve

DEFAULT_EXAMPLES = 6
SALT = os.urandom(4).hex() if EXAMPLES else ""
SECRET = "demo-secret"

BODIES = [b"", b"null", b'""', b"{}", b"[]", b"7", b"true", b"\xef\xbb\xbf", b"<html></html>", b"[" * 50_000]
VALUES: list[Any] = [
    *(
        None,
        "",
        7,
        -0.5,
        True,
        [],
        {},
        [[]],
        [None],
        {"x": []},
        "x",
        "a\nb",
        "../..",
        "\0",
        "\ud800",
        10**400,
    ),
    [{}],
    {"name": 1},
    "x" * 5000,
]


class MutatingAdapter(HTTPAdapter):
    """An adapter that changes the shape of one 2xx response, chosen by its number."""

    def __init__(self) -> None:
        super().__init__()
        self.random = random.Random()
        self.responses_before_change: int | None = None
        self.changed = ""

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """Send the request, and count down to the response to change."""
        response = super().send(request, *args, **options)
        if self.responses_before_change is None or not 200 <= response.status_code < 300:
            return response
        self.responses_before_change -= 1
        if self.responses_before_change >= 0:
            return response
        self.responses_before_change = None
        content = response.content
        headers = {name: value for name, value in response.headers.items() if name != "Content-Length"}
        mutated = self._mutate(content)
        self.changed = f"{request.method} {request.url}: {mutated[:300]!r}"
        raw = HTTPResponse(
            io.BytesIO(mutated), HTTPHeaderDict(headers), response.status_code, preload_content=False
        )
        return self.build_response(request, raw)

    def _mutate(self, content: bytes) -> bytes:
        try:
            value = json.loads(content)
        except ValueError:
            return self.random.choice(BODIES)
        locations = list(_locations(value))
        if not locations or self.random.random() < 0.25:
            return self.random.choice([*BODIES, content[: len(content) // 2]])
        holder, key = self.random.choice(locations)
        if self.random.random() < 0.3:
            del holder[key]
        else:
            holder[key] = self.random.choice(VALUES)
        return json.dumps(value).encode()


def _locations(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each location in a value as its container and its key."""
    keys = range(len(value)) if isinstance(value, list) else list(value) if isinstance(value, dict) else ()
    for key in keys:
        yield value, key
        yield from _locations(value[key])


def attempt(network: MutatingAdapter, step: Callable[[], object]) -> bool:
    """Run a step and return whether it succeeded. It raises only Tenantry's own errors, without secrets."""
    try:
        step()
    except Failure as error:
        text = str(error)
        assert not any(secret in text for secret in (SECRET, LICENCE, "eyJ")), text
        assert len(text) < 3000, text
        return False
    finally:
        network.responses_before_change = None
    return True


def check_state_types(driver: ResourceDriver) -> None:
    """Check that each output has the type of its property. An unknown enum value can be new at Qlik."""
    for name, prop in driver.resource_type.properties.items():
        value = driver.state.get(name)
        value = int(value) if prop.type is int and isinstance(value, float) else value
        type_ = str if get_origin(prop.type) is Literal else prop.type
        assert value is None or is_certainly_valid(value, type_, {}) or isinstance(value, dict), (
            name,
            value,
        )


def count(tenancy: Tenancy) -> dict[str, int]:
    """Count the objects of each type in the tenant."""
    objects = tenancy.qlik.control.dump()[tenancy.hostname]
    return {kind: len(documents) for kind, documents in objects.items() if kind in COUNTED_TYPES}


COUNTED_TYPES = (
    "app",
    "assignment",
    "automation",
    "csp-origin",
    "data-file",
    "group",
    "identityProvider",
    "identity_provider",
    "pinned-link",
    "space",
    "user",
    "web_integration",
    "webhook",
)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_response_of_another_shape_loses_no_object(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "PAUSE_SECONDS", 0.0)
    monkeypatch.setenv("TENANTRY_CACHE", str(tmp_path / "cache"))
    for name in ("LAG", "CREATION", "READY"):
        monkeypatch.setenv(f"TENANTRY_{name}_SECONDS", "0")
    for number in range(EXAMPLES // len(CASES) + 1 if EXAMPLES else DEFAULT_EXAMPLES):
        monkeypatch.setenv("TENANTRY_STATE", str(tmp_path / f"state{number}"))
        seed = f"{SALT} {case.module} {number}"
        network = MutatingAdapter()
        network.random.seed(seed)
        with Emulator() as qlik:
            environ = {
                "QLIK_CLOUD_ENDPOINT": qlik.url,
                "QLIK_CLIENT_ID": "demo",
                "QLIK_CLIENT_SECRET": SECRET,
                "TENANTRY_DEADLINE": "20",
            }
            with Cloud(environ, adapter=network) as cloud:
                monkeypatch.setattr(adapter, "_cloud", lambda cloud=cloud: cloud)
                try:
                    run_lifecycle(case, Tenancy(qlik, cloud), network)
                except Exception as error:
                    raise AssertionError(f"seed {seed!r}, {network.changed}") from error


def run_lifecycle(case: Case, tenancy: Tenancy, network: MutatingAdapter) -> None:
    """Create, read, update and delete a resource; change the shape of one response in one of the steps."""
    inputs = case.inputs_for(tenancy)
    step = network.random.choice(["create", "create", "read", "update", "delete"])
    driver = ResourceDriver(tenancy, case.module)
    before = count(tenancy)
    if step == "create":
        network.responses_before_change = network.random.randrange(max(1, len(case.creates)))
    if not attempt(network, lambda: driver.create(inputs)):
        driver = ResourceDriver(tenancy, case.module)
        if not attempt(network, lambda: driver.create(inputs)):
            assert case.module == "tenant", "the next run does not find the created object"
            return
    check_state_types(driver)
    after = count(tenancy)
    assert all(after[kind] <= before.get(kind, 0) + 1 for kind in after), (before, after)
    if step == "read":
        network.responses_before_change = 0
    known = driver.state
    if attempt(network, driver.drift):
        check_state_types(driver)
    driver.state = known  # the read may return another value of the right type
    change = next(iter(case.changes.items()), None)
    if change and driver.id:
        new_inputs = {**inputs, change[0]: resolve(tenancy, change[1].value)}
        network.responses_before_change = 0 if step == "update" else None
        if not attempt(network, lambda: driver.update(new_inputs)):
            # A wrong response can leave wrong values of the right type in the state. A refresh corrects them,
            # or finds no object with the id. Then, the next run finds the created object.
            if driver.drift() is None:
                driver = ResourceDriver(tenancy, case.module)
                driver.create(new_inputs)
            else:
                driver.update(new_inputs)
        check_state_types(driver)
    if step == "delete":
        network.responses_before_change = 0
    if not attempt(network, driver.delete):
        driver.delete()
