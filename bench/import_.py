"""An import of a large tenant, compared with the `up` that created it."""

from __future__ import annotations

import subprocess
import time

from bench import stacks
from bench.refresh import GROUPS, GROUPS_PER_SPACE, LATENCY_SECONDS, SPACES
from bench.table import Row
from tenantry.emulator import Emulator
from tests.e2e.harness import ROOT, Stack

SOURCE = "templates.eu.qlikcloud.com"
MAX_REQUEST_RATIO = 0.25


def rows() -> list[Row]:
    """Create a tenant with 500 objects, then import it into another backend, both at 100 ms per request.

    A refresh after the import must find no difference.
    """
    with Emulator() as qlik:
        qlik.control.settings(latency_ms=LATENCY_SECONDS * 1000)
        with stacks.stack(qlik) as first:
            customer = stacks.customer(GROUPS, SPACES, GROUPS_PER_SPACE)
            first.write(region="eu", source_tenant=SOURCE, customer=customer)
            creation = stacks.run_measured(first, "up", "--skip-preview", "--yes")
            hostname = first.outputs()["hostname"]
        with stacks.stack(qlik) as other:
            imported = _import(other, hostname)
            other.name = "imported"
            other.preview("--refresh", "--expect-no-changes")
    details = f"{GROUPS} groups, {SPACES} spaces, {GROUPS_PER_SPACE * SPACES} assignments"
    seconds = imported.seconds / creation.seconds
    requests = imported.requests / creation.requests
    return [
        Row(
            "tenantry import",
            f"{details}, {LATENCY_SECONDS * 1000:.0f} ms per request; compared with the up that created them",
            f"{imported.seconds:.1f} s",
            f"{creation.seconds:.1f} s",
            seconds,
        ),
        Row("  requests", "", str(imported.requests), str(creation.requests), requests, MAX_REQUEST_RATIO),
    ]


def _import(stack: Stack, hostname: str) -> stacks.Measurement:
    before, started = len(stack.requests()), time.monotonic()
    command = [str(ROOT / ".venv/bin/tenantry"), "import", hostname, "--stack", "imported"]
    command += ["--source-tenant", SOURCE]
    result = subprocess.run(
        command, cwd=stack.folder, env=stack.env, capture_output=True, text=True, timeout=900, check=False
    )
    if result.returncode:
        raise SystemExit(f"failed: {result.stderr}")
    return stacks.Measurement(time.monotonic() - started, len(stack.requests()) - before, {})
