"""An import of a large tenant, compared with the `up` that created it."""

from __future__ import annotations

import subprocess
import time

from bench import stacks
from bench.refresh import GROUPS, GROUPS_OF_A_SPACE, LATENCY, SPACES
from bench.table import Row
from tenantry.emulator import Emulator
from tests.e2e.harness import ROOT, Stack

SOURCE = "templates.eu.qlikcloud.com"
MOST_REQUESTS = 0.25


def rows() -> list[Row]:
    """Create a tenant with 500 objects, then import it into another backend, both at 100 ms per request.

    A refresh after the import must find no difference.
    """
    with Emulator() as qlik:
        qlik.control.settings(latency_ms=LATENCY * 1000)
        with stacks.stack(qlik) as first:
            customer = stacks.customer(GROUPS, SPACES, GROUPS_OF_A_SPACE)
            first.write(region="eu", source_tenant=SOURCE, customer=customer)
            made = stacks.watched(first, "up", "--skip-preview", "--yes")
            hostname = first.outputs()["hostname"]
        with stacks.stack(qlik) as other:
            imported = _imported(other, hostname)
            other.name = "imported"
            other.preview("--refresh", "--expect-no-changes")
    what = f"{GROUPS} groups, {SPACES} spaces, {GROUPS_OF_A_SPACE * SPACES} assignments"
    seconds = imported.seconds / made.seconds
    requests = imported.requests / made.requests
    return [
        Row(
            "tenantry import",
            f"{what}, {LATENCY * 1000:.0f} ms per request; compared with the up that created them",
            f"{imported.seconds:.1f} s",
            f"{made.seconds:.1f} s",
            seconds,
        ),
        Row("  requests", "", str(imported.requests), str(made.requests), requests, MOST_REQUESTS),
    ]


def _imported(stack: Stack, hostname: str) -> stacks.Measured:
    before, began = len(stack.requests()), time.monotonic()
    command = [str(ROOT / ".venv/bin/tenantry"), "import", hostname, "--stack", "imported"]
    command += ["--source-tenant", SOURCE]
    done = subprocess.run(
        command, cwd=stack.folder, env=stack.env, capture_output=True, text=True, timeout=900, check=False
    )
    if done.returncode:
        raise SystemExit(f"failed: {done.stderr}")
    return stacks.Measured(time.monotonic() - began, len(stack.requests()) - before, {})
