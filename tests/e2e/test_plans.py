"""Customers on a plan that extends another plan get the values of both. Their own file overrides them.

`tenantry check` and `tenantry settings` show the values before the run, even if the stack already has a
tenant.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tenantry.emulator import Emulator
from tests.e2e.customers import TRIAL, settings
from tests.e2e.harness import ROOT, Stack
from tests.world import writes

TENANTRY = ROOT / ".venv" / "bin" / "tenantry"
BASE: dict[str, Any] = {
    "lifecycle": TRIAL,
    "groups": {"Analysts": {"roles": ["Developer"]}},
    "spaces": {"Staging": {"type": "shared"}, "Sales": {"type": "managed"}, "Extra": {"type": "data"}},
    "apps": {
        "Sales": {
            "template": "Sales Overview",
            "version": "2.3.0",
            "staging": "Staging",
            "publish_to": ["Sales"],
        }
    },
}
GOLD: dict[str, Any] = {"extends": "base", "spaces": {"Extra": None}}
CUSTOMERS: dict[str, dict[str, Any]] = {
    "globex": {"name": "Globex", "plan": "gold"},
    "initech": {"name": "Initech", "plan": "gold", "apps": {"Sales": {"version": "2.3.0"}}},
}


def tenantry(stack: Stack, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a `tenantry` command for a stack, in its folder and environment."""
    return subprocess.run(
        [TENANTRY, command, stack.name, *arguments],
        cwd=stack.folder,
        env=stack.env,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


@pytest.fixture
def stacks_on_plan(make_stack: Callable[..., Stack], qlik: Emulator) -> list[Stack]:
    """Two customers on the plan. One of them pins the version of the app."""
    stacks = [make_stack(name, qlik=qlik) for name in CUSTOMERS]
    for stack in stacks:
        stack.write(**settings(CUSTOMERS[stack.name]))
        write_plans(stack, "2.3.0")
        stack.up()
        assert "Space Extra" not in stack.resources()
    return stacks


def write_plans(stack: Stack, version: str) -> None:
    """Write both plans, with this version of the app in the base plan."""
    stack.write_plan("gold", GOLD)
    stack.write_plan("base", {**BASE, "apps": {"Sales": {**BASE["apps"]["Sales"], "version": version}}})


def test_a_version_rolls_out_to_all_customers_that_do_not_pin_it(
    stacks_on_plan: list[Stack], qlik: Emulator
) -> None:
    globex, initech = stacks_on_plan
    assert globex.outputs()["hostname"] != initech.outputs()["hostname"]

    for stack in stacks_on_plan:
        write_plans(stack, "9.9")
    requests_before = len(qlik.control.requests())
    invalid, valid = tenantry(globex, "check"), tenantry(initech, "check")
    assert (invalid.returncode, valid.returncode) == (1, 0), invalid.stdout + valid.stdout
    assert "stacks/plans/base.yaml" in invalid.stdout
    assert "version 9.9" in invalid.stdout
    for stack, completed in zip(stacks_on_plan, (invalid, valid), strict=True):
        assert f"all known on {stack.outputs()['hostname']}" in completed.stdout
    assert writes(qlik.control.requests()[requests_before:]) == []

    for stack in stacks_on_plan:
        write_plans(stack, "2.4.0")
        assert tenantry(stack, "check").returncode == 0
    printed_settings = json.loads(tenantry(globex, "settings", "--json").stdout)
    [version] = [
        value for value in printed_settings["values"] if value["path"] == "customer.apps.Sales.version"
    ]
    assert (version["value"], version["file"]) == ("2.4.0", "stacks/plans/base.yaml")

    changes = globex.up().changes
    assert changes["replace"] == ["App Sales"]
    assert changes["update"] == ["AppPublication Sales in Sales"]
    assert initech.up("--expect-no-changes").requests == []
