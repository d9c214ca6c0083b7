"""A refresh of a large customer: Qlik's lists compared with one request per object."""

from __future__ import annotations

import shutil

from bench import stacks
from bench.table import Row
from tenantry.emulator import Emulator
from tests.e2e.harness import ROOT, Stack

GROUPS, SPACES, GROUPS_OF_A_SPACE = 100, 100, 3
LATENCY = 0.1
MOST_REQUESTS = 0.25

ONE_BY_ONE = '''

def find(*_: object) -> None:
    """Find nothing in a list."""
'''
"""The end of the module `listings` in the copy. It replaces the function that reads lists."""


def rows() -> list[Row]:
    """Measure `up --refresh` of 500 unchanged objects at 100 ms per request."""
    with Emulator() as qlik, stacks.stack(qlik) as stack:
        customer = stacks.customer(GROUPS, SPACES, GROUPS_OF_A_SPACE)
        stack.write(region="eu", source_tenant="templates.eu.qlikcloud.com", customer=customer)
        stacks.watched(stack, "up", "--skip-preview", "--yes")
        qlik.control.settings(latency_ms=LATENCY * 1000)
        listed = _refreshed(stack)
        _without_lists(stack)
        single = _refreshed(stack)
    what = f"{GROUPS} groups, {SPACES} spaces, {GROUPS_OF_A_SPACE * SPACES} assignments"
    ratio = listed.requests / single.requests
    return [
        Row(
            "up --refresh",
            f"{what}, {LATENCY * 1000:.0f} ms per request; lists compared with one by one",
            f"{listed.seconds:.1f} s",
            f"{single.seconds:.1f} s",
            listed.seconds / single.seconds,
            1.0,
        ),
        Row("  requests", "", str(listed.requests), str(single.requests), ratio, MOST_REQUESTS),
    ]


def _refreshed(stack: Stack) -> stacks.Measured:
    return stacks.watched(stack, "up", "--refresh", "--skip-preview", "--yes", "--expect-no-changes")


def _without_lists(stack: Stack) -> None:
    """Give the stack a copy of the package in which a refresh does not use lists."""
    ours = stack.folder / "tenantry"
    shutil.copytree(ROOT / "tenantry", ours)
    with (ours / "providers" / "framework" / "listings.py").open("a") as module:
        module.write(ONE_BY_ONE)
