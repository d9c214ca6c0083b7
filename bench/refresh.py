"""A refresh of a large customer: Qlik's lists compared with one request per object."""

from __future__ import annotations

import shutil

from bench import stacks
from bench.table import Row
from tenantry.emulator import Emulator
from tests.e2e.harness import ROOT, Stack

GROUPS, SPACES, GROUPS_PER_SPACE = 100, 100, 3
LATENCY_SECONDS = 0.1
MAX_REQUEST_RATIO = 0.25

FIND_NOTHING = '''

def find(*_: object) -> None:
    """Find nothing in a list."""
'''
"""The end of the module `listings` in the copy. It replaces the function that reads lists."""


def rows() -> list[Row]:
    """Measure `up --refresh` of 500 unchanged objects at 100 ms per request."""
    with Emulator() as qlik, stacks.stack(qlik) as stack:
        customer = stacks.customer(GROUPS, SPACES, GROUPS_PER_SPACE)
        stack.write(region="eu", source_tenant="templates.eu.qlikcloud.com", customer=customer)
        stacks.run_measured(stack, "up", "--skip-preview", "--yes")
        qlik.control.settings(latency_ms=LATENCY_SECONDS * 1000)
        with_lists = _refresh(stack)
        _without_lists(stack)
        one_by_one = _refresh(stack)
    details = f"{GROUPS} groups, {SPACES} spaces, {GROUPS_PER_SPACE * SPACES} assignments"
    ratio = with_lists.requests / one_by_one.requests
    return [
        Row(
            "up --refresh",
            f"{details}, {LATENCY_SECONDS * 1000:.0f} ms per request; lists compared with one by one",
            f"{with_lists.seconds:.1f} s",
            f"{one_by_one.seconds:.1f} s",
            with_lists.seconds / one_by_one.seconds,
            1.0,
        ),
        Row("  requests", "", str(with_lists.requests), str(one_by_one.requests), ratio, MAX_REQUEST_RATIO),
    ]


def _refresh(stack: Stack) -> stacks.Measurement:
    return stacks.run_measured(stack, "up", "--refresh", "--skip-preview", "--yes", "--expect-no-changes")


def _without_lists(stack: Stack) -> None:
    """Give the stack a copy of the package in which a refresh does not use lists."""
    package = stack.folder / "tenantry"
    shutil.copytree(ROOT / "tenantry", package)
    with (package / "providers" / "framework" / "listings.py").open("a") as module:
        module.write(FIND_NOTHING)
