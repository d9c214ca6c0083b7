"""The real provider process, spoken to as the engine does: errors, half-made objects, threads, its end."""

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
from tests.providers.provider_process import Failed, ProviderProcess
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

Start = Callable[..., ProviderProcess]


@pytest.fixture
def start(qlik: Emulator, tmp_path: Path) -> Iterator[Start]:
    """Start the provider process of a kind; it ends with the test."""
    with ExitStack() as stack:

        def start(module: str, **options: str) -> ProviderProcess:
            return stack.enter_context(ProviderProcess(module, qlik.url, tmp_path, **options))

        yield start


def test_the_life_of_a_space(start: Start, qlik: Emulator) -> None:
    """Every call of the engine, and what Qlik holds after each."""
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

    later = start("space")
    later.delete(id, outputs)
    assert "Revenue" not in World(qlik, SOURCE).spaces
    later.delete(id, outputs)
    assert later.read(id, outputs) == ("", {}, {})


def test_a_failed_check_names_its_property(start: Start) -> None:
    """And an error in it is not one of the call."""
    _, failures = start("space").check({}, {"tenant": SOURCE, "name": "a|b", "type": "shard"})
    assert [name for name, _ in failures] == ["name", "type"]


def test_an_error_is_its_text_alone(start: Start, qlik: Emulator) -> None:
    """What Qlik said, with its code and traceId; no traceback of Python."""
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
        failed = Failed(call)
        assert failed.status is not None, failed.details
        assert failed.recorded is None
        assert "Traceback" not in failed.text
        assert ".py" not in failed.text
    assert (
        "POST templates.eu.qlikcloud.com/api/v1/spaces answered 403 X-1 No (traceId t9)"
        in Failed(lambda: provider.create(SPACE)).text
    )


def test_a_half_made_object_is_recorded(start: Start, qlik: Emulator) -> None:
    """With its id and all outputs, the provider string too: the next `up` updates it."""
    qlik.control.add_fault(method="PATCH", path="/api/v1/tenants/*", status=400)
    provider = start("tenant")
    tenant = TENANT | {"proof": provider.proof()}
    failed = Failed(lambda: provider.create(tenant))
    made = next(
        each
        for each in qlik.control.dump()["cloud"]["tenant"]
        if each["name"] == each["hostnames"][0].split(".")[0]
    )
    assert failed.recorded is not None
    assert failed.recorded.id == made["hostnames"][0]
    outputs = rpc.deserialize_properties(failed.recorded.properties)
    assert outputs == tenant | {
        "name": made["name"],
        "tenant_id": made["id"],
        "hostname": made["hostnames"][0],
        PROVIDER_KEY: provider_string("tenant"),
    }
    assert list(failed.recorded.reasons) == [failed.text]
    assert "answered 400" in failed.text
    assert "The next `pulumi up` continues from here" in failed.text


HIDDEN = """
import sys
sys.argv = ["-c", sys.argv[-1]]
from tenantry.providers.framework import engine
engine.current_call = lambda: None
"""


def test_without_the_frame_of_the_sdk_the_error_still_says_it(start: Start, qlik: Emulator) -> None:
    """A later SDK may hide it. Then the message comes with its traceback, and nothing else breaks."""
    qlik.control.add_fault(method="PATCH", path="/api/v1/tenants/*", status=400)
    provider = start("tenant", before=HIDDEN)
    tenant = TENANT | {"proof": provider.proof()}
    failed = Failed(lambda: provider.create(tenant))
    assert (failed.status, failed.recorded) == (None, None)
    assert "answered 400" in failed.text
    assert "Traceback" in failed.text


def test_the_frame_is_looked_for_without_harm() -> None:
    """Outside of the engine there is no call, and errors are plain; what only looks like it is not taken."""
    context, request = "no context", "no request"
    assert current_call() is None, (context, request)
    assert engine.current_urn() == ""
    assert str(engine.failure("why")) == "why"
    assert str(engine.partial_failure("id", {"a": 1}, "why")) == "why"


def test_four_calls_at_once_each_answer_their_own(start: Start, qlik: Emulator) -> None:
    """Each thread finds its own context: no error, id or note gets to another resource."""
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
    space = provider_space(qlik)
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
        failures = list(threads.map(lambda app: Failed(lambda: provider.create(app, app["name"])), apps))
    made = {app["id"]: app for app in qlik.control.dump()[SOURCE]["app"] if app["spaceId"] == space}
    assert len(made) == 4
    for app, failed in zip(apps, failures, strict=True):
        assert failed.recorded is not None, failed.details
        assert made[failed.recorded.id]["name"].startswith(app["name"])
        outputs = rpc.deserialize_properties(failed.recorded.properties)
        assert outputs["name"].startswith(app["name"])
        assert list(failed.recorded.reasons) == [failed.text]
        assert failed.recorded.id in failed.text
    assert sorted(code for code in range(4) for failed in failures if f"N-{code} " in failed.text) == [
        0,
        1,
        2,
        3,
    ]


def provider_space(qlik: Emulator) -> str:
    """A shared space that our bot user owns."""
    bot = next(user for user in qlik.control.dump()[SOURCE]["user"] if user["subject"].endswith("demo"))
    made = qlik.request("POST", SOURCE, "/api/v1/spaces", {"name": "Staging", "type": "shared"})
    qlik.request(
        "POST",
        SOURCE,
        f"/api/v1/spaces/{made['id']}/assignments",
        {"type": "user", "assigneeId": bot["id"], "roles": ["producer"]},
    )
    return str(made["id"])


def test_more_calls_at_once_than_the_sdk_has_threads_for(start: Start, qlik: Emulator) -> None:
    """All that the engine asks for at the same time is under way at the same time."""
    qlik.control.add_fault(method="POST", path="/api/v1/spaces", hold=True)
    provider = start("space")
    provider.check({}, SPACE)
    with ThreadPoolExecutor(engine.CONCURRENT_CALLS) as threads:
        spaces = [SPACE | {"name": f"Space {number}"} for number in range(engine.CONCURRENT_CALLS)]
        made = threads.map(provider.create, spaces)
        try:
            wait_for_fault(qlik, engine.CONCURRENT_CALLS)
        finally:
            qlik.control.clear_faults()
        assert len({id for id, _ in made}) == engine.CONCURRENT_CALLS > 4


def test_one_token_serves_all_threads(start: Start, qlik: Emulator) -> None:
    """Four calls at once that find none ask for one, not for four."""
    qlik.control.settings(latency_ms=50)
    provider = start("space")
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda number: provider.create(SPACE | {"name": f"Space {number}"}), range(8)))
    asked = [each["path"] for each in qlik.control.requests()]
    assert asked.count("/oauth/token") == 1
    assert asked.count("/api/v1/spaces") == 8


def test_the_process_ends_with_its_engine(start: Start, qlik: Emulator) -> None:
    """Within two seconds of the engine's end, also in the middle of a call; it sends nothing more."""
    qlik.control.add_fault(method="POST", path="/api/v1/spaces", hold=True)
    provider = start("space")
    with ThreadPoolExecutor(1) as thread:
        call = thread.submit(lambda: Failed(lambda: provider.create(SPACE)))
        wait_for_fault(qlik)
        assert provider.process.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            provider.process.wait(1.2)
        provider.engine.die()
        assert provider.process.wait(2) == 1
        assert "answered" not in call.result().details
    assert [each for each in qlik.control.requests() if each["path"] != "/oauth/token"] == []


def wait_for_fault(qlik: Emulator, times: int = 1) -> None:
    """Wait until so many requests are held."""
    end = time.monotonic() + 20
    while qlik.control.faults[0]["hit"] < times:
        assert time.monotonic() < end, "no request came"
        time.sleep(0.02)


def test_what_is_said_is_obeyed_by_no_terminal_and_no_log(capsys: pytest.CaptureFixture[str]) -> None:
    for text in hostile.ALL:
        engine.say(f'app "{text}" was taken over')
        assert not list(hostile.faults(str(engine.failure(f"409 {text.replace('INJECTED', '')}"))))
        assert not list(hostile.faults(capsys.readouterr().out.replace("INJECTED", "")))


def test_a_provider_that_is_not_ours_is_refused(start: Start, tmp_path: Path) -> None:
    """Whoever can write the state would run code: the process makes no other providers than ours."""
    ran = tmp_path / "ran"
    process = start("space")
    process.check({}, {"tenant": "x1y2z3.eu.qlikcloud.com", "name": "Sales", "type": "shared"})
    process._provider = foreign_string(ran)
    failed = Failed(lambda: process.delete("1", {}))
    assert failed.text.startswith("the state names a provider that does not belong to Tenantry")
    assert not ran.exists()
