"""Search the worlds of the tests: `python -m tests.protocol`. `--deep` adds the larger worlds.

It prints the number of states of each world. `--broken` prints instead the shortest counterexample of each
broken protocol, and of everything that is not promised. Returns 1 if any result is unexpected.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.protocol import model
from tests.protocol.worlds import BROKEN, DEEP, NOT_PROMISED, QUICK, Broken, check


def main(arguments: list[str] | None = None) -> int:
    """Return 1 if a promise does not hold, or if the search misses a broken protocol."""
    options = argparse.ArgumentParser(
        prog="python -m tests.protocol", description=str(__doc__).split("\n")[0]
    )
    options.add_argument("--deep", action="store_true", help="add the larger worlds (minutes)")
    options.add_argument("--broken", action="store_true", help="print counterexamples of broken protocols")
    chosen = options.parse_args(arguments)
    if chosen.broken:
        return max(_must_break(name, broken) for name, broken in (BROKEN | NOT_PROMISED).items())
    wrong = 0
    for name, world in (QUICK | DEEP if chosen.deep else QUICK).items():
        started = time.monotonic()
        found = check(world)
        held = len(model.invariants(world)) + 1
        print(f"{name}, {_bound(world.mishaps)}, {time.monotonic() - started:.1f} s:")
        print(f"  {found}" if found.broken else f"  {found}; {held} of {held} promises hold", flush=True)
        wrong |= bool(found.broken)
    return wrong


def _must_break(name: str, broken: Broken) -> int:
    found = check(broken.world)
    print(f"{name}: {found}\n", flush=True)
    return int(found.broken != broken.promise)


def _bound(mishaps: int) -> str:
    return f"up to {mishaps} mishap{'' if mishaps == 1 else 's'}"


if __name__ == "__main__":
    sys.exit(main())
