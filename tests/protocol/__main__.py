"""Search the scenarios of the tests: `python -m tests.protocol`. `--deep` adds the larger scenarios.

It prints the number of states of each scenario. With `--broken`, it prints the shortest counterexample for
each broken protocol and for each case without a guarantee. The exit code is 1 if any result is unexpected.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.protocol import model
from tests.protocol.scenarios import (
    BROKEN_PROTOCOLS,
    DEEP_SCENARIOS,
    NOT_GUARANTEED,
    QUICK_SCENARIOS,
    ExpectedViolation,
    check,
)


def main(argv: list[str] | None = None) -> int:
    """Return 1 if an invariant does not hold, or if the search misses a broken protocol."""
    parser = argparse.ArgumentParser(prog="python -m tests.protocol", description=str(__doc__).split("\n")[0])
    parser.add_argument("--deep", action="store_true", help="add the larger scenarios, which take minutes")
    parser.add_argument("--broken", action="store_true", help="print counterexamples of broken protocols")
    arguments = parser.parse_args(argv)
    if arguments.broken:
        return max(
            _misses_violation(name, expected)
            for name, expected in (BROKEN_PROTOCOLS | NOT_GUARANTEED).items()
        )
    failed = 0
    for name, scenario in (QUICK_SCENARIOS | DEEP_SCENARIOS if arguments.deep else QUICK_SCENARIOS).items():
        started = time.monotonic()
        result = check(scenario)
        invariants = len(model.invariants(scenario)) + 1
        print(f"{name}, {_bound(scenario.max_mishaps)}, {time.monotonic() - started:.1f} s:")
        verdict = "" if result.violated else f"; {invariants} of {invariants} invariants hold"
        print(f"  {result}{verdict}", flush=True)
        failed |= bool(result.violated)
    return failed


def _misses_violation(name: str, expected: ExpectedViolation) -> int:
    """Return 1 if the search does not find the expected violation, as an exit code."""
    result = check(expected.scenario)
    print(f"{name}: {result}\n", flush=True)
    return int(result.violated != expected.invariant)


def _bound(mishaps: int) -> str:
    return f"up to {mishaps} mishap{'' if mishaps == 1 else 's'}"


if __name__ == "__main__":
    sys.exit(main())
