"""Traces of runs for OpenTelemetry.

Tracing is on if an environment variable sets an endpoint and the extra `otel` is installed. The variables are
the standard ones, see https://opentelemetry.io/docs/specs/otel/protocol/exporter/. OpenTelemetry is imported
only if an endpoint is set.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tenantry.fleet.tracing.spans import Tracer

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")


def tracers(project: str, operation: str, stacks: int) -> list[Tracer]:
    """Return the tracer of a run over `stacks` stacks, or an empty list if tracing is off."""
    exporter = _exporter(os.environ)
    if not exporter or not _is_installed(exporter):
        return []
    from tenantry.fleet.tracing.spans import Tracer, exporter_factory

    return [Tracer(project, operation, stacks, exporter_factory(exporter))]


def _exporter(environment: Mapping[str, str]) -> str:
    """Return the module of the configured exporter, or an empty string."""
    off = environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    kinds = environment.get("OTEL_TRACES_EXPORTER", "").strip() or "otlp"
    if off or "otlp" not in map(str.strip, kinds.split(",")):
        return ""
    if not any(environment.get(name, "").strip() for name in ENDPOINTS):
        return ""
    protocol = next((value for name in PROTOCOLS if (value := environment.get(name, "").strip())), "")
    return f"opentelemetry.exporter.otlp.proto.{'grpc' if protocol == 'grpc' else 'http'}.trace_exporter"


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
