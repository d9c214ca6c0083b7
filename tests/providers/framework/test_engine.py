"""The real provider process, driven like the engine does: errors, unfinished objects, threads, exit."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from pulumi.runtime import rpc

from tenantry.emulator import Emulator
from tenantry.providers.framework import engine
from tenantry.providers.framework.resource import provider_string
from tenantry.pulumi_internals.calls import current_call
from tenantry.pulumi_internals.dynamic_resources import PROVIDER_KEY
from tests import hostile
from tests.providers.provider_process import FailedCall, ProviderProcess
from tests.pulumi_internals.strings import foreign_string
from tests.world import World

SOURCE = "templates.eu.qlikcloud.com"
TENANT: dict[str, object] = {
    "region": "eu",
    "source_tenant": SOURCE,
    "name": "Globex",
    "status": "active",
    "grace_days": 30,
}
SPACE = {"tenant": SOURCE, "name": "Sales", "type": "shared", "description": ""}

StartProvider = Callable[..., ProviderProcess]


@pytest.fixture
def start(qlik: Emulator, tmp_path: Path) -> Iterator[StartProvider]:
    """Return a function that starts the provider process of a module. The process ends with the test."""
    with ExitStack() as stack:

        def start(module: str, **options: str) -> ProviderProcess:
            return stack.enter_context(ProviderProcess(module, qlik.url, tmp_path, **options))

        yield start


def test_the_lifecycle_of_a_space(start: StartProvider, qlik: Emulator) -> None:
    """Run every call of the engine, and compare with Qlik after each."""
    provider = start("space")
    inputs, failures = provider.check({}, {"tenant": SOURCE, "name": "Sales", "type": "shared"})
    assert (inputs, failures) == (SPACE, [])
    id, outputs = provider.create(inputs)
    assert outputs == SPACE | {"owner_id": qlik.request("GET", SOURCE, f"/api/v1/spaces/{id}")["ownerId"]}

    renamed = SPACE | {"name": "Revenue"}
    assert provider.diff(id, outputs, SPACE | {"type": "managed"}) == ["type"]
    assert provider.diff(id, outputs, renamed) == []
    assert provider.update(id, outputs, renamed) == outputs | {"name": "Revenue"}
    qlik.request(
        "PATCH", SOURCE, f"/api/v1/spaces/{id}", [{"op": "replace", "path": "/description", "value": "Ours"}]
    )
    live = {"name": "Revenue", "description": "Ours"}
    assert provider.read(id, outputs) == (id, outputs | live, SPACE | live)

    next_provider = start("space")
    next_provider.delete(id, outputs)
    assert "Revenue" not in World(qlik, SOURCE).spaces
    next_provider.delete(id, outputs)
    assert next_provider.read(id, outputs) == ("", {}, {})


def test_a_failed_check_names_the_properties(start: StartProvider) -> None:
    """Invalid inputs are failures of the check. The call itself succeeds."""
    _, failures = start("space").check({}, {"tenant": SOURCE, "name": "a|b", "type": "shard"})
    assert [name for name, _ in failures] == ["name", "type"]


def test_an_error_is_shown_without_a_traceback(start: StartProvider, qlik: Emulator) -> None:
    """The text has Qlik's message with its code and traceId."""
    qlik.control.add_fault(
        method="POST",
        path="/api/v1/spaces",
        status=403,
        body={"errors": [{"code": "X-1", "title": "No"}], "traceId": "t9"},
    )
    provider = start("space")
    for call in (
        lambda: provider.create(SPACE),
        lambda: provider.read("x", SPACE | {"tenant": "nobody.example.com"}),
    ):
        failed = FailedCall(call)
        assert failed.status is not None, failed.details
        assert failed.unfinished is None
        assert "Traceback" not in failed.text
        assert ".py" not in failed.text
    assert (
        "POST templates.eu.qlikcloud.com/api/v1/spaces answered 403 X-1 No (traceId t9)"
        in FailedCall(lambda: provider.create(SPACE)).text
    )


def test_an_unfinished_object_is_recorded(start: StartProvider, qlik: Emulator) -> None:
    """The record has the id, all outputs and the provider string, so the next `up` updates the object."""
    qlik.control.add_fault(method="PATCH", path="/api/v1/tenants/*", status=400)
    provider = start("tenant")
    inputs = TENANT | {"proof": provider.create_proof()}
    failed = FailedCall(lambda: provider.create(inputs))
    created_tenant = next(
        tenant
        for tenant in qlik.control.dump()["cloud"]["tenant"]
        if tenant["name"] == tenant["hostnames"][0].split(".")[0]
    )
    assert failed.unfinished is not None
    assert failed.unfinished.id == created_tenant["hostnames"][0]
    outputs = rpc.deserialize_properties(failed.unfinished.properties)
    assert outputs == inputs | {
        "name": created_tenant["name"],
        "tenant_id": created_tenant["id"],
        "hostname": created_tenant["hostnames"][0],
        PROVIDER_KEY: provider_string("tenant"),
    }
    assert list(failed.unfinished.reasons) == [failed.text]
    assert "answered 400" in failed.text
    assert "The next `pulumi up` continues from here" in failed.text


HIDE_THE_CALL = """
import sys
sys.argv = ["-c", sys.argv[-1]]
from tenantry.providers.framework import engine
engine.current_call = lambda: None
"""


def test_without_the_frame_of_the_sdk_the_error_has_a_traceback(start: StartProvider, qlik: Emulator) -> None:
    """A later SDK may hide the frame. The message must still be there."""
    qlik.control.add_fault(method="PATCH", path="/api/v1/tenants/*", status=400)
    provider = start("tenant", before=HIDE_THE_CALL)
    inputs = TENANT | {"proof": provider.create_proof()}
    failed = FailedCall(lambda: provider.create(inputs))
    assert (failed.status, failed.unfinished) == (None, None)
    assert "answered 400" in failed.text
    assert "Traceback" in failed.text


def test_outside_of_the_engine_there_is_no_call() -> None:
    """Errors are then plain text. Other locals with the names `context` and `request` are not a call."""
    context, request = "no context", "no request"
    assert current_call() is None, (context, request)
    assert engine.current_urn() == ""
    assert str(engine.failure("why")) == "why"
    assert str(engine.partial_failure("id", {"a": 1}, "why")) == "why"


def test_concurrent_calls_do_not_mix_up_their_results(start: StartProvider, qlik: Emulator) -> None:
    """Each thread finds its own context, so no error, id or note reaches another resource."""
    for number in range(4):
        qlik.control.add_fault(
            method="PUT",
            path="*",
            status=400,
            body={"errors": [{"code": f"N-{number}", "title": "No"}]},
            times=1,
        )
    qlik.control.settings(latency_ms=50)
    provider = start("app")
    space = create_space(qlik)
    apps = [
        {
            "tenant": SOURCE,
            "space": space,
            "name": f"App {number}",
            "description": "",
            "source_tenant": SOURCE,
            "template": "Inventory",
            "version": "1.0.0",
            "data": bool(number % 2),
        }
        for number in range(4)
    ]
    with ThreadPoolExecutor(4) as threads:
        failures = list(threads.map(lambda app: FailedCall(lambda: provider.create(app, app["name"])), apps))
    created = {app["id"]: app for app in qlik.control.dump()[SOURCE]["app"] if app["spaceId"] == space}
    assert len(created) == 4
    for app, failed in zip(apps, failures, strict=True):
        assert failed.unfinished is not None, failed.details
        assert created[failed.unfinished.id]["name"].startswith(app["name"])
        outputs = rpc.deserialize_properties(failed.unfinished.properties)
        assert outputs["name"].startswith(app["name"])
        assert list(failed.unfinished.reasons) == [failed.text]
        assert failed.unfinished.id in failed.text
    assert sorted(code for code in range(4) for failed in failures if f"N-{code} " in failed.text) == [
        0,
        1,
        2,
        3,
    ]


def create_space(qlik: Emulator) -> str:
    """Create a shared space in which the bot user is a producer, and return its id."""
    bot = next(user for user in qlik.control.dump()[SOURCE]["user"] if user["subject"].endswith("demo"))
    space = qlik.request("POST", SOURCE, "/api/v1/spaces", {"name": "Staging", "type": "shared"})
    qlik.request(
        "POST",
        SOURCE,
        f"/api/v1/spaces/{space['id']}/assignments",
        {"type": "user", "assigneeId": bot["id"], "roles": ["producer"]},
    )
    return str(space["id"])


def test_the_provider_runs_more_concurrent_calls_than_the_sdk_has_threads(
    start: StartProvider, qlik: Emulator
) -> None:
    qlik.control.add_fault(method="POST", path="/api/v1/spaces", hold=True)
    provider = start("space")
    provider.check({}, SPACE)
    with ThreadPoolExecutor(engine.CONCURRENT_CALLS) as threads:
        spaces = [SPACE | {"name": f"Space {number}"} for number in range(engine.CONCURRENT_CALLS)]
        created = threads.map(provider.create, spaces)
        try:
            wait_for_fault(qlik, engine.CONCURRENT_CALLS)
        finally:
            qlik.control.clear_faults()
        assert len({id for id, _ in created}) == engine.CONCURRENT_CALLS > 4


def test_concurrent_calls_share_one_token(start: StartProvider, qlik: Emulator) -> None:
    """Four calls that start without a token send one token request."""
    qlik.control.settings(latency_ms=50)
    provider = start("space")
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda number: provider.create(SPACE | {"name": f"Space {number}"}), range(8)))
    paths = [request["path"] for request in qlik.control.requests()]
    assert paths.count("/oauth/token") == 1
    assert paths.count("/api/v1/spaces") == 8


def test_the_process_ends_with_its_engine(start: StartProvider, qlik: Emulator) -> None:
    """It ends within two seconds, even in the middle of a call, and sends no more requests."""
    qlik.control.add_fault(method="POST", path="/api/v1/spaces", hold=True)
    provider = start("space")
    with ThreadPoolExecutor(1) as thread:
        call = thread.submit(lambda: FailedCall(lambda: provider.create(SPACE)))
        wait_for_fault(qlik)
        assert provider.process.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            provider.process.wait(1.2)
        provider.engine.die()
        assert provider.process.wait(2) == 1
        assert "answered" not in call.result().details
    assert [request for request in qlik.control.requests() if request["path"] != "/oauth/token"] == []


def wait_for_fault(qlik: Emulator, times: int = 1) -> None:
    """Wait until the first fault has held `times` requests."""
    end = time.monotonic() + 20
    while qlik.control.faults[0]["hit"] < times:
        assert time.monotonic() < end, "too few requests were held"
        time.sleep(0.02)


def test_hostile_text_is_harmless_in_messages_and_errors(capsys: pytest.CaptureFixture[str]) -> None:
    """Text from Qlik must not control a terminal or forge a line of a log."""
    for text in hostile.ALL:
        engine.say(f'app "{text}" was taken over')
        assert not list(hostile.faults(str(engine.failure(f"409 {text.replace('INJECTED', '')}"))))
        assert not list(hostile.faults(capsys.readouterr().out.replace("INJECTED", "")))


def test_a_foreign_provider_string_is_refused(start: StartProvider, tmp_path: Path) -> None:
    """Anyone who can write the state could otherwise run code here."""
    marker = tmp_path / "marker"
    provider = start("space")
    provider.check({}, {"tenant": "x1y2z3.eu.qlikcloud.com", "name": "Sales", "type": "shared"})
    provider._provider = foreign_string(marker)
    failed = FailedCall(lambda: provider.delete("1", {}))
    assert failed.text.startswith("the state names a provider that does not belong to Tenantry")
    assert not marker.exists()
