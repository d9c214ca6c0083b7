"""The trace of a run: its spans, the variables that enable it, and receivers that misbehave."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from tenantry.fleet import tracing
from tenantry.fleet.following import Followers
from tenantry.fleet.job import Job
from tenantry.fleet.outcome import Change, Outcome, Report, Trouble
from tenantry.fleet.pool import NoWatcher, Pool
from tenantry.fleet.tracing import spans, tracers
from tests.fleet.notify.receiver import Receiver, receiving
from tests.fleet.samples import job

SECRET = "top-secret"
VARIABLES = (
    *tracing.ENDPOINTS,
    *tracing.PROTOCOLS,
    "OTEL_SDK_DISABLED",
    "OTEL_TRACES_EXPORTER",
    "OTEL_SERVICE_NAME",
    "OTEL_RESOURCE_ATTRIBUTES",
    "OTEL_EXPORTER_OTLP_HEADERS",
)


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Remove the variables, allow time for slow machines, and restore the loggers and threads."""
    monkeypatch.setattr(spans, "FLUSH_SECONDS", 60.0)
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    logger = logging.getLogger("opentelemetry")
    before = logger.propagate, list(logger.handlers)
    yield
    logger.propagate, logger.handlers = before
    # The receiver is closed by now, so an export that still waits for it ends.
    for thread in [thread for thread in threading.enumerate() if thread.name == "traces"]:
        thread.join(60)
        assert not thread.is_alive()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def work(job: Job) -> Outcome:
    """Return an outcome full of secret text. Fail for stacks whose name starts with "bad"."""
    changes = (Change("create", "Space", SECRET), Change("update", "Group", SECRET))
    if job.member.stack.startswith("bad"):
        trouble = Trouble(SECRET, f"Space {SECRET}", SECRET, "FORBIDDEN", "t-1", SECRET)
        return job.outcome(status="failed", troubles=(trouble, Trouble(SECRET)))
    return job.outcome(changes=changes, drift=changes[:1], same=3, remarks=(SECRET,))


def run(tracer: spans.Tracer, waves: Mapping[str, tuple[str, ...]], *earlier: Outcome) -> list[str]:
    """Run these stacks and return the lines that the tracer prints at the end.

    `earlier` are the outcomes of stacks that need no job.
    """
    watcher = Followers(NoWatcher(), [tracer])
    pool = Pool(2, watcher=watcher, work=work)
    outcomes = list(earlier)
    for wave, stacks in waves.items():
        outcomes += pool.run([replace(job(stack), wave=wave) for stack in stacks])
    return watcher.finish(Report("up", tuple(outcomes), stopped=SECRET, seconds=3))


WAVES = {"pilot": ("acme", "bad"), "broad": ("globex",)}


@pytest.fixture
def spans_by_name() -> dict[str, ReadableSpan]:
    """Return the spans of a run over two waves by the name of their stack or wave."""
    exporter = InMemorySpanExporter()
    tracer = spans.Tracer("tenantry", "up", 3, lambda: exporter)
    assert run(tracer, WAVES, Outcome("refused", "up", "failed", ring="early")) == []
    found = {}
    for span in exporter.get_finished_spans():
        attributes = span.attributes or {}
        found[str(attributes.get("tenantry.stack") or attributes.get("tenantry.wave") or span.name)] = span
    assert len(found) == len(exporter.get_finished_spans())
    return found


def test_a_trace_has_a_span_for_each_wave_and_stack(spans_by_name: dict[str, ReadableSpan]) -> None:
    assert {name: span.name for name, span in spans_by_name.items()} == {
        "tenantry.run": "tenantry.run",
        "pilot": "tenantry.wave",
        "broad": "tenantry.wave",
        "acme": "tenantry.stack",
        "bad": "tenantry.stack",
        "globex": "tenantry.stack",
        "refused": "tenantry.stack",
    }
    assert len({span.context.trace_id for span in spans_by_name.values()}) == 1
    parents = {"pilot": "tenantry.run", "broad": "tenantry.run", "refused": "tenantry.run"}
    parents |= {"acme": "pilot", "bad": "pilot", "globex": "broad"}
    for name, parent in parents.items():
        parent_context = spans_by_name[name].parent
        assert parent_context
        assert parent_context.span_id == spans_by_name[parent].context.span_id
    assert spans_by_name["tenantry.run"].parent is None
    for span in spans_by_name.values():
        assert span.start_time
        assert span.end_time
        assert span.start_time <= span.end_time
    assert (spans_by_name["pilot"].end_time or 0) <= (spans_by_name["broad"].start_time or 0)


def test_a_span_has_counts_a_status_and_the_error_code_of_qlik(
    spans_by_name: dict[str, ReadableSpan],
) -> None:
    common = {"tenantry.project": "tenantry", "tenantry.operation": "up"}
    assert dict(spans_by_name["acme"].attributes or {}) == common | {
        "tenantry.stack": "acme",
        "tenantry.ring": "broad",
        "tenantry.changes.create": 1,
        "tenantry.changes.update": 1,
        "tenantry.status": "ok",
        "tenantry.same": 3,
        "tenantry.drift": 1,
        "tenantry.new": False,
    }
    assert dict(spans_by_name["tenantry.run"].attributes or {}) == common | {
        "tenantry.stacks": 4,
        "tenantry.stacks.changed": 2,
        "tenantry.stacks.failed": 2,
        "tenantry.stopped": True,
    }
    codes = {name: span.status.status_code for name, span in spans_by_name.items()}
    assert {name for name, code in codes.items() if code is StatusCode.ERROR} == {
        "bad",
        "refused",
        "tenantry.run",
    }
    assert [(event.name, dict(event.attributes or {})) for event in spans_by_name["bad"].events] == [
        ("error", {"error.type": "FORBIDDEN", "qlik.code": "FORBIDDEN", "qlik.trace_id": "t-1"}),
        ("error", {"error.type": "_OTHER"}),
    ]


def test_a_span_has_no_text_about_a_customer(spans_by_name: dict[str, ReadableSpan]) -> None:
    for span in spans_by_name.values():
        assert SECRET not in span.to_json()


def identity(exporter: InMemorySpanExporter) -> InMemorySpanExporter:
    return exporter


def test_the_resource_names_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    for value, name in ((None, "tenantry"), ("fleet", "fleet")):
        if value:
            monkeypatch.setenv("OTEL_SERVICE_NAME", value)
        exporter = InMemorySpanExporter()
        run(spans.Tracer("tenantry", "up", 1, partial(identity, exporter)), {"all": ("acme",)})
        assert {span.resource.attributes["service.name"] for span in exporter.get_finished_spans()} == {name}


def test_spans_are_sent_with_the_standard_variables(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=abc")
    (tracer,) = tracers("tenantry", "up", 3)
    assert run(tracer, WAVES) == []
    assert set(receiver.paths) == {"/v1/traces"}
    assert {headers["x-key"] for headers in receiver.headers} == {"abc"}
    names = []
    for body in receiver.bodies:
        request = ExportTraceServiceRequest.FromString(body)
        scopes = [scope for resource in request.resource_spans for scope in resource.scope_spans]
        names += [span.name for scope in scopes for span in scope.spans]
    assert sorted(names) == ["tenantry.run", *["tenantry.stack"] * 3, *["tenantry.wave"] * 2]


@pytest.mark.parametrize(
    ("environment", "is_on"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://x"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": " "}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_SDK_DISABLED": "TRUE"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_TRACES_EXPORTER": "console, otlp"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, True),
        ({"OTEL_SERVICE_NAME": "x"}, False),
    ],
)
def test_tracing_is_on_if_the_environment_names_an_endpoint(
    environment: dict[str, str], is_on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert bool(tracers("tenantry", "up", 1)) is is_on


def test_without_the_extra_tracing_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://x")
    monkeypatch.setattr(tracing, "find_spec", lambda _: None)
    assert tracers("tenantry", "up", 1) == []


def test_without_tracing_opentelemetry_is_not_imported() -> None:
    script = (
        "import sys; from tenantry.cli import app; from tenantry.cli import runs, running; "
        "from tenantry.fleet.tracing import tracers; assert tracers('a', 'up', 1) == []; "
        "print([name for name in sys.modules if name.startswith(('opentelemetry', 'requests'))])"
    )
    process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert process.stdout == "[]\n"


def test_a_receiver_that_refuses_spans_causes_one_line(receiver: Receiver) -> None:
    """Its own process shows that the library prints nothing to standard error."""
    receiver.statuses = [400] * 100
    code = (
        "from tests.fleet.tracing.test_tracing import WAVES, run, tracers\n"
        "print(run(tracers('tenantry', 'up', 3)[0], WAVES))"
    )
    process = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[3],
        env={**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url},
        text=True,
        check=True,
        capture_output=True,
        timeout=120,
    )
    assert (process.stdout, process.stderr) == ("['Traces: 6 spans not delivered.']\n", "")


def test_a_redirect_gets_no_headers(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as other_server:
        receiver.statuses, receiver.location = [307] * 100, f"{other_server.url}/"
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=abc")
        (tracer,) = tracers("tenantry", "up", 3)
        run(tracer, WAVES)
        assert receiver.headers
        assert other_server.headers == []


@pytest.mark.parametrize("misbehaviour", ["hangs", "drips"])
def test_a_silent_receiver_does_not_delay_the_run(
    receiver: Receiver, misbehaviour: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    setattr(receiver, misbehaviour, True)
    monkeypatch.setattr(spans, "FLUSH_SECONDS", 0.3)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
    (tracer,) = tracers("tenantry", "up", 3)
    start = time.monotonic()
    assert run(tracer, WAVES) == ["Traces: not all spans were delivered: no response in time."]
    assert time.monotonic() - start < 0.3 + 5


def test_a_broken_exporter_causes_one_line_and_no_failure() -> None:
    class BrokenExporter(InMemorySpanExporter):
        def export(self, spans: object) -> SpanExportResult:
            raise RuntimeError(SECRET)

    def fail_to_create() -> SpanExporter:
        raise ValueError(SECRET)

    assert run(spans.Tracer("tenantry", "up", 3, BrokenExporter), WAVES) == ["Traces: 6 spans not delivered."]
    line = "Traces ended early: ValueError."
    assert run(spans.Tracer("tenantry", "up", 3, fail_to_create), WAVES) == [line]
