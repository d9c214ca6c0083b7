"""`make bench`: run all benchmarks or the named ones, and print one table of ratios."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator

from bench import (
    customer,
    emulator,
    fleet,
    idle,
    import_,
    limits,
    refresh,
    scaling,
    size,
    status,
    table,
    unchanged,
    upload,
)

SECTIONS = {
    "customer": customer.rows,
    "idle": idle.rows,
    "refresh": refresh.rows,
    "import": import_.rows,
    "size": size.rows,
    "upload": upload.rows,
    "emulator": emulator.rows,
    "fleet": fleet.rows,
    "status": status.rows,
    "unchanged": unchanged.rows,
    "limits": limits.rows,
    "scaling": scaling.rows,
}


def measure(names: list[str]) -> Iterator[table.Row]:
    """Run the named benchmarks one after another."""
    for name in names:
        print(f"measuring: {name} …", file=sys.stderr, flush=True)
        with contextlib.redirect_stdout(io.StringIO()):
            rows = SECTIONS[name]()
        yield from rows


def main() -> int:
    """Run the benchmarks. Return 1 if a goal is missed."""
    names = sys.argv[1:] or list(SECTIONS)
    unknown = [name for name in names if name not in SECTIONS]
    if unknown:
        print(f"Unknown benchmark: {', '.join(unknown)}. Known: {', '.join(SECTIONS)}.", file=sys.stderr)
        return 2
    return 0 if table.show(measure(names)) else 1


if __name__ == "__main__":
    sys.exit(main())
