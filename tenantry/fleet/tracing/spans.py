"""A run as one trace: a span for the run, one for each wave, one for each stack.

Spans contain numbers, states, and the names of stacks, waves and rings. They contain Qlik's code and traceId
of an error, but not its text, because that may contain data of a customer.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module, metadata
from typing import TYPE_CHECKING

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Span, Status, StatusCode, set_span_in_context

from tenantry.fleet.outcome import Outcome, Report
from tenantry.fleet.report.words import states
from tenantry.providers.values.words import counted

if TYPE_CHECKING:
    from tenantry.fleet.job import Job

FLUSH_SECONDS = 3.0
"""How long a run waits at its end for its last spans to be sent."""

SERVICE_NAME = "tenantry"

ExporterFactory = Callable[[], SpanExporter]


def exporter_factory(module: str) -> ExporterFactory:
    """Return a function that creates the exporter of a module, configured by the environment."""

    def create() -> SpanExporter:
        exporter: SpanExporter = import_module(module).OTLPSpanExporter()
        return exporter

    return create


class Tracer:
    """A follower that creates a trace of a run."""

    product = "Traces"

    def __init__(self, project: str, operation: str, stacks: int, exporter: ExporterFactory) -> None:
        self._run_attributes = {"tenantry.project": project, "tenantry.operation": operation}
        self._stacks = stacks
        self._exporter = exporter
        self._sent: _CountingExporter | None = None
        self._provider: TracerProvider | None = None
        self._run: Span | None = None
        self._wave: Span | None = None
        self._wave_name = ""
        self._spans: dict[str, Span] = {}
        self._traced: set[str] = set()

    def begun(self, job: Job) -> None:
        """Start the span of a job. The first job of a wave also starts the span of the wave."""
        run = self._run_span()
        if self._wave is None or job.wave != self._wave_name:
            self._end_wave()
            self._wave = self._start("wave", run, {"tenantry.wave": job.wave})
            self._wave_name = job.wave
        attributes = {"tenantry.stack": job.member.stack, "tenantry.ring": job.member.ring}
        self._spans[job.member.stack] = self._start("stack", self._wave, attributes)

    def ended(self, job: Job, outcome: Outcome) -> None:
        """Handle the end of a job."""
        if span := self._spans.pop(outcome.stack, None):
            self._end(span, outcome)

    def tick(self) -> None:
        """Handle the passing of time."""

    def finish(self, report: Report) -> list[str]:
        """End all spans, and wait briefly until they are sent. Return a line if some were not sent."""
        run = self._run_span()
        for outcome in report.failed:
            if outcome.stack not in self._traced:  # its preview failed, so it never began
                attributes = {"tenantry.stack": outcome.stack, "tenantry.ring": outcome.ring}
                self._end(self._start("stack", run, attributes), outcome)
        for span in self._spans.values():
            span.end()
        self._end_wave()
        counts = {
            f"tenantry.stacks.{name.replace(' ', '_')}": n for name, n in states(report.outcomes).items()
        }
        run.set_attributes({"tenantry.stacks": len(report.outcomes), **counts})
        run.set_attribute("tenantry.stopped", bool(report.stopped))
        if report.failed or report.stopped:
            run.set_status(Status(StatusCode.ERROR))
        run.end()
        return self._close()

    def _run_span(self) -> Span:
        if self._run is None:
            self._sent = _CountingExporter(self._exporter())
            # `finish` reports errors. The library would print them in the middle of other output.
            logging.getLogger("opentelemetry").propagate = False
            logging.getLogger("opentelemetry").addHandler(logging.NullHandler())
            self._provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
            self._provider.add_span_processor(BatchSpanProcessor(self._sent))
            self._run = self._start("run", None, {"tenantry.stacks": self._stacks})
        return self._run

    def _start(self, level: str, parent: Span | None, facts: Mapping[str, str | int]) -> Span:
        assert self._provider is not None  # noqa: S101 (for the type checker)
        context = set_span_in_context(parent) if parent else None
        attributes = {**self._run_attributes, **facts}
        return self._provider.get_tracer(SERVICE_NAME).start_span(
            f"{SERVICE_NAME}.{level}", context, attributes=attributes
        )

    def _end(self, span: Span, outcome: Outcome) -> None:
        self._traced.add(outcome.stack)
        counts = Counter(change.operation for change in outcome.changes)
        span.set_attributes({f"tenantry.changes.{name}": number for name, number in counts.items()})
        span.set_attributes(
            {
                "tenantry.status": outcome.status,
                "tenantry.same": outcome.same,
                "tenantry.drift": len(outcome.drift),
                "tenantry.new": outcome.new,
            }
        )
        for trouble in outcome.troubles:
            attributes = {
                "error.type": trouble.code,
                "qlik.code": trouble.code,
                "qlik.trace_id": trouble.trace_id,
            }
            known_attributes = {name: value for name, value in attributes.items() if value}
            span.add_event("error", {"error.type": "_OTHER", **known_attributes})
        if outcome.failed:
            span.set_status(Status(StatusCode.ERROR))
        span.end()

    def _end_wave(self) -> None:
        if self._wave is not None:
            self._wave.end()
        self._wave = None

    def _close(self) -> list[str]:
        assert self._provider is not None and self._sent is not None  # noqa: S101, PT018 (for the type checker)
        # A daemon thread, because the library waits longer than a run should.
        thread = threading.Thread(target=self._provider.shutdown, name="traces", daemon=True)
        thread.start()
        thread.join(FLUSH_SECONDS)
        if thread.is_alive():
            self._sent.shutdown()  # so that it does not send them later
            return ["Traces: not all spans were delivered: no response in time."]
        return [f"Traces: {counted(self._sent.lost, 'span')} not delivered."] if self._sent.lost else []


class _CountingExporter(SpanExporter):
    """An exporter that passes spans on to another one, and counts those that were not delivered."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._open = True
        self.lost = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans. An error of the exporter counts as a failure."""
        try:
            result = self._exporter.export(spans)
        except Exception:  # noqa: BLE001 (after any error, the spans are lost)
            result = SpanExportResult.FAILURE
        if result is not SpanExportResult.SUCCESS:
            self.lost += len(spans)
        return result

    def shutdown(self) -> None:
        """Close the exporter once. After that, it sends no spans."""
        if self._open:
            self._open = False
            self._exporter.shutdown()


def _resource() -> Resource:
    """Return the resource of the spans: from the environment, or else Tenantry."""
    has_name = os.environ.get("OTEL_SERVICE_NAME") or "service.name=" in os.environ.get(
        "OTEL_RESOURCE_ATTRIBUTES", ""
    )
    return Resource.create(
        {"service.version": _version()} | ({} if has_name else {"service.name": SERVICE_NAME})
    )


def _version() -> str:
    try:
        return metadata.version(SERVICE_NAME)
    except metadata.PackageNotFoundError:
        return ""
