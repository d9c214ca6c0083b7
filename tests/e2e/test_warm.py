"""Warm processes, which Tenantry reuses for several stacks, change nothing except the duration."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from tenantry.emulator import Emulator
from tenantry.fleet.outcome import Outcome
from tests.e2e.customers import everything, with_changes
from tests.e2e.fleet import Fleet, wait_until

COLD = {"TENANTRY_COLD": "1"}
PROGRAM = """
import os
import sys

import pulumi

from tenantry import QlikCustomerTenant, current_settings

stack = pulumi.get_stack()
customer = QlikCustomerTenant(stack, current_settings())
print("printed by the program of", stack)
print("folder:", os.path.basename(os.getcwd()), file=sys.stderr)
for name, value in customer.outputs.items():
    pulumi.export(name, value)
if stack == "raises":
    raise ValueError("an unexpected failure")
if stack == "refuses":
    raise pulumi.RunError("this customer is refused")
if stack == "leaves":
    sys.exit(3)
"""
FAILING = ("leaves", "raises", "refuses")
VARYING = re.compile(
    r'v1:[\w+/=]+:[\w+/=]+|(?<="secret_hint": ")\w+|'
    r"[0-9a-f]{8}-[0-9a-f-]{27}|(?<![\w-])(?=[\w-]*\d)[\w-]{24,64}(?![\w-])|\d{4}-\d\d-\d\dT[\d:.]+Z?|[\w-]+\.eu\.qlikcloud\.com"
)
"""Ciphertexts, ids, hints of secrets, times and host names, which differ between emulators."""

Results = dict[str, list[Any]]


@pytest.fixture
def warm_and_cold(tmp_path: Path) -> Iterator[tuple[Fleet, Fleet]]:
    """Two projects with the same stacks, each with its own emulator."""
    with Emulator() as one, Emulator() as other:
        fleets = []
        for name, qlik in (("warm", one), ("cold", other)):
            (tmp_path / name).mkdir()
            fleet = Fleet(tmp_path / name, qlik)
            (fleet.project / "__main__.py").unlink()
            (fleet.project / "__main__.py").write_text(PROGRAM)
            fleets.append(fleet)
        yield fleets[0], fleets[1]


def without_varying_data(outcomes: dict[str, Outcome], folder: Path) -> dict[str, Outcome]:
    """Return outcomes without data that differs between runs."""

    def clean(value: Any) -> Any:
        if isinstance(value, str):
            return VARYING.sub("*", value.replace(str(folder), "")).replace(folder.name, "")
        return tuple(map(clean, value)) if isinstance(value, (list, tuple)) else value

    cleaned = {}
    for name, outcome in outcomes.items():
        troubles = tuple(
            replace(
                trouble,
                text=clean(trouble.text),
                details=clean(trouble.details),
                where=clean(trouble.where),
            )
            for trouble in outcome.troubles
        )
        cleaned[name] = replace(
            outcome,
            seconds=0,
            logs="",
            troubles=troubles,
            remarks=clean(sorted(outcome.remarks)),
        )
    return cleaned


def state_file(fleet: Fleet, stack: str) -> Path:
    """Return the state file of a stack."""
    return fleet.folder / "pulumi/state/.pulumi/stacks/tenantry" / f"{stack}.json"


def state(fleet: Fleet, stack: str) -> dict[str, Any]:
    """Return the resources in a stack's state by URN, without ids and times."""
    latest = json.loads(state_file(fleet, stack).read_text("utf-8"))["checkpoint"]["latest"]
    entries: list[dict[str, Any]] = json.loads(VARYING.sub("*", json.dumps(latest.get("resources", []))))
    for entry in entries:
        entry["dependencies"] = sorted(entry.get("dependencies", []))
        entry["stackTrace"] = entry.get("stackTrace", [])[:1]  # the other frames belong to the language host
    return {entry["urn"]: entry for entry in entries}


def test_warm_processes_change_no_outcome(warm_and_cold: tuple[Fleet, Fleet]) -> None:
    """The stacks are a customer with every resource type, and programs with each type of failure."""
    results: dict[str, Results] = {}
    for fleet, env in zip(warm_and_cold, ({}, COLD), strict=True):
        fleet.write("complete", everything())
        for name in FAILING:
            fleet.write(name, {"name": name.title(), "lifecycle": everything()["lifecycle"]})
        observed = results.setdefault(fleet.folder.name, {"outcomes": [], "states": [], "requests": []})

        def run(
            *command: str,
            fleet: Fleet = fleet,
            env: dict[str, str] = env,
            observed: Results = observed,
        ) -> None:
            result = fleet.run(*command, "--json", expect=None, **env)
            observed["outcomes"].append(without_varying_data(result.outcomes, fleet.project))
            observed["requests"].append(
                sorted(
                    f"{request['method']} {VARYING.sub('*', request['path'])}" for request in result.requests
                )
            )

        for command in (("preview", "--all"), ("up", "--all", "--yes")):
            run(*command)
        observed["states"].append({name: state(fleet, name) for name in ("complete", *FAILING)})
        fleet.write(
            "complete",
            with_changes(everything(), ("spaces/Sales/description", "For all"), ("groups/New", {})),
        )
        for command in (("preview", "complete"), ("up", "complete", "--yes")):
            run(*command)
        observed["states"].append(state(fleet, "complete"))
    warm, cold = results["warm"], results["cold"]
    for part in ("outcomes", "requests", "states"):
        for warm_result, cold_result in zip(warm[part], cold[part], strict=True):
            assert warm_result == cold_result, part
    first, second, third, last = warm["outcomes"]
    assert (first["complete"].status, second["complete"].status, last["complete"].status) == (
        "ok",
        "ok",
        "ok",
    )
    assert third["complete"].counts == last["complete"].counts == {"create": 1, "update": 1}
    assert any("printed by the program of complete" in remark for remark in second["complete"].remarks)
    assert {name: second[name].status for name in FAILING} == dict.fromkeys(FAILING, "failed")
    assert "an unexpected failure" in second["raises"].troubles[0].text


def test_a_killed_tenantry_leaves_a_complete_state(scratch: Path, qlik: Emulator) -> None:
    """The language host ends too. The engine finishes and records its current step, and starts no other."""
    fleet = Fleet(scratch, qlik)
    fleet.write("acme", {"name": "Acme", "lifecycle": everything()["lifecycle"], "groups": {"Analysts": {}}})
    fault = qlik.control.add_fault(method="POST", path="/api/v1/groups", hold=True)
    with fleet.start("up", "acme", "--yes", "--skip-preview") as process:
        wait_until(lambda: qlik.control.faults[0]["hit"], "a held request")
        (engine,) = [child for child in psutil.Process(process.pid).children() if "pulumi" in child.name()]
        process.kill()
    qlik.control.release(fault)
    psutil.wait_procs([engine], timeout=60)
    latest = json.loads(state_file(fleet, "acme").read_text("utf-8"))["checkpoint"]["latest"]
    assert not latest.get("pending_operations")
    assert any(
        resource["urn"].endswith("Group::Analysts") and resource["id"] for resource in latest["resources"]
    )
    assert not any("TenantActivation" in resource["urn"] for resource in latest["resources"])
    result = fleet.run("up", "acme", "--yes", "--skip-preview", "--json").outcomes["acme"]
    assert (result.status, [change.kind for change in result.changes if change.kind == "Group"]) == ("ok", [])
