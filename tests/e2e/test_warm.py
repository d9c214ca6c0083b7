"""Processes that stay warm between stacks change only the time: each command runs warm and cold."""

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
from tests.e2e.customers import changed, everything
from tests.e2e.fleet import Fleet, wait_until

COLD = {"TENANTRY_COLD": "1"}
PROGRAM = """
import os
import sys

import pulumi

from tenantry import QlikCustomerTenant, current_settings

stack = pulumi.get_stack()
customer = QlikCustomerTenant(stack, current_settings())
print("said by the program of", stack)
print("and below:", os.path.basename(os.getcwd()), file=sys.stderr)
for name, value in customer.outputs.items():
    pulumi.export(name, value)
if stack == "raises":
    raise ValueError("nobody has thought of this")
if stack == "refuses":
    raise pulumi.RunError("this one is not to be made")
if stack == "leaves":
    sys.exit(3)
"""
FAILING = ("leaves", "raises", "refuses")
VARIES = re.compile(
    r'v1:[\w+/=]+:[\w+/=]+|(?<="secret_hint": ")\w+|'
    r"[0-9a-f]{8}-[0-9a-f-]{27}|(?<![\w-])(?=[\w-]*\d)[\w-]{24,64}(?![\w-])|\d{4}-\d\d-\d\dT[\d:.]+Z?|[\w-]+\.eu\.qlikcloud\.com"
)
"""Ciphertexts, ids, hints of secrets, times and host names, which differ between emulators."""

Seen = dict[str, list[Any]]


@pytest.fixture
def both(tmp_path: Path) -> Iterator[tuple[Fleet, Fleet]]:
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


def shown(outcomes: dict[str, Outcome], folder: Path) -> dict[str, Outcome]:
    """Return outcomes without data that differs between runs."""

    def alike(value: Any) -> Any:
        if isinstance(value, str):
            return VARIES.sub("*", value.replace(str(folder), "")).replace(folder.name, "")
        return tuple(map(alike, value)) if isinstance(value, (list, tuple)) else value

    found = {}
    for name, outcome in outcomes.items():
        troubles = tuple(
            replace(
                trouble, text=alike(trouble.text), details=alike(trouble.details), where=alike(trouble.where)
            )
            for trouble in outcome.troubles
        )
        found[name] = replace(
            outcome, seconds=0, logs="", troubles=troubles, remarks=alike(sorted(outcome.remarks))
        )
    return found


def state_file(fleet: Fleet, stack: str) -> Path:
    """Return the state file of a stack."""
    return fleet.folder / "pulumi/state/.pulumi/stacks/tenantry" / f"{stack}.json"


def state(fleet: Fleet, stack: str) -> dict[str, Any]:
    """Return the resources in a stack's state by URN, without ids and times."""
    latest = json.loads(state_file(fleet, stack).read_text("utf-8"))["checkpoint"]["latest"]
    alike: list[dict[str, Any]] = json.loads(VARIES.sub("*", json.dumps(latest.get("resources", []))))
    for entry in alike:
        entry["dependencies"] = sorted(entry.get("dependencies", []))
        entry["stackTrace"] = entry.get("stackTrace", [])[:1]  # the other frames belong to the host
    return {entry["urn"]: entry for entry in alike}


def test_warm_processes_change_no_outcome(both: tuple[Fleet, Fleet]) -> None:
    """Compare a customer with every resource type, its changes, and programs with every kind of failure."""
    seen: dict[str, Seen] = {}
    for fleet, env in zip(both, ({}, COLD), strict=True):
        fleet.write("whole", everything())
        for name in FAILING:
            fleet.write(name, {"name": name.title(), "lifecycle": everything()["lifecycle"]})
        way = seen.setdefault(fleet.folder.name, {"outcomes": [], "states": [], "requests": []})

        def run(*command: str, fleet: Fleet = fleet, env: dict[str, str] = env, way: Seen = way) -> None:
            done = fleet.run(*command, "--json", expect=None, **env)
            way["outcomes"].append(shown(done.outcomes, fleet.project))
            way["requests"].append(
                sorted(f"{request['method']} {VARIES.sub('*', request['path'])}" for request in done.requests)
            )

        for command in (("preview", "--all"), ("up", "--all", "--yes")):
            run(*command)
        way["states"].append({name: state(fleet, name) for name in ("whole", *FAILING)})
        fleet.write(
            "whole", changed(everything(), ("spaces/Sales/description", "For all"), ("groups/New", {}))
        )
        for command in (("preview", "whole"), ("up", "whole", "--yes")):
            run(*command)
        way["states"].append(state(fleet, "whole"))
    warm, cold = seen["warm"], seen["cold"]
    for part in ("outcomes", "requests", "states"):
        for mine, plain in zip(warm[part], cold[part], strict=True):
            assert mine == plain, part
    first, second, third, last = warm["outcomes"]
    assert (first["whole"].status, second["whole"].status, last["whole"].status) == ("ok", "ok", "ok")
    assert third["whole"].counts == last["whole"].counts == {"create": 1, "update": 1}
    assert any("said by the program of whole" in remark for remark in second["whole"].remarks)
    assert {text: second[text].status for text in FAILING} == dict.fromkeys(FAILING, "failed")
    assert "nobody has thought of this" in second["raises"].troubles[0].text


def test_a_killed_tenantry_leaves_a_complete_state(scratch: Path, qlik: Emulator) -> None:
    """Its host ends too. The engine finishes and records its current step, and starts no other."""
    fleet = Fleet(scratch, qlik)
    fleet.write("acme", {"name": "Acme", "lifecycle": everything()["lifecycle"], "groups": {"Analysts": {}}})
    fault = qlik.control.add_fault(method="POST", path="/api/v1/groups", hold=True)
    with fleet.start("up", "acme", "--yes", "--skip-preview") as process:
        wait_until(lambda: qlik.control.faults[0]["hit"], "a request that is held")
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
    done = fleet.run("up", "acme", "--yes", "--skip-preview", "--json").outcomes["acme"]
    assert (done.status, [change.kind for change in done.changes if change.kind == "Group"]) == ("ok", [])
