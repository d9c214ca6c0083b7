"""`tenantry status` over many stacks in a file backend. The stacks are copies of one stack after an `up`."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from bench.fleet import folder_in_memory, plan_of
from bench.table import Row
from tenantry.emulator import Emulator
from tests.e2e.fleet import TENANTRY, Fleet

STACKS, MAX_SECONDS = 1_000, 30.0
COMMANDS = (("status", "--all"), ("status", "--all", "--json"), ("outputs", "--all", "--csv"))


def rows() -> list[Row]:
    """Measure each command that reads all states."""
    with Emulator() as qlik, folder_in_memory() as folder:
        fleet = Fleet(folder, qlik)
        fleet.write_plan("bench", plan_of("2.3.0"))
        fleet.write("c0000", {"name": "Customer 0", "plan": "bench"})
        _run(fleet, "up", "c0000", "--yes")
        for number in range(1, STACKS):
            _copy(fleet, f"c{number:04}", number)
        return list(_rows(fleet))


def _rows(fleet: Fleet) -> Iterator[Row]:
    for command in COMMANDS:
        started = time.monotonic()
        output = _run(fleet, *command)
        seconds = time.monotonic() - started
        assert f"c{STACKS - 1:04}" in output
        yield Row(
            f"tenantry {' '.join(command)}",
            f"{STACKS} stacks in files",
            f"{seconds:.1f} s",
            f"{MAX_SECONDS:.0f} s",
            seconds / MAX_SECONDS,
            1.0,
        )


def _run(fleet: Fleet, *command: str) -> str:
    result = subprocess.run(
        [TENANTRY, *command], cwd=fleet.project, env=fleet.env, capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise SystemExit(f"failed: {result.stdout}{result.stderr}")
    return result.stdout


def _copy(fleet: Fleet, stack: str, number: int) -> None:
    """Copy the file, the state and the last run of a stack to a new one."""
    fleet.write(stack, {"name": f"Customer {number}", "plan": "bench"})
    backend = Path(fleet.env["PULUMI_BACKEND_URL"].removeprefix("file://")) / ".pulumi"
    (state,) = backend.glob("stacks/*/c0000.json")
    text = state.read_text("utf-8")
    assert json.loads(text)["checkpoint"]["latest"]["resources"]
    state.with_name(f"{stack}.json").write_text(text.replace("c0000", stack), "utf-8")
    for run in backend.glob("history/*/c0000/*.history.json"):
        history = run.parent.with_name(stack)
        history.mkdir(exist_ok=True)
        (history / run.name.replace("c0000", stack)).write_text(run.read_text("utf-8"), "utf-8")
