"""`python -m tools.release v1.2.3`: may this tag be released? Prints its section of the changelog.

A tag is released if it is the version in `pyproject.toml`, if `CHANGELOG.md` has a section for it, and if
there are states of that version for later ones to be tested with.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class NotReady(Exception):
    """The tag cannot be released; the message says what is missing."""


def main() -> int:
    """Check the tag in the arguments; the exit code says whether it may be released."""
    if len(sys.argv) != 2:
        print("usage: python -m tools.release v1.2.3", file=sys.stderr)
        return 2
    try:
        print(check(sys.argv[1], ROOT))
    except NotReady as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def check(tag: str, root: Path) -> str:
    """Return what the changelog says of the version. Raises NotReady."""
    version = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    if tag != f"v{version}":
        raise NotReady(
            f"The tag is {tag}, and the version in pyproject.toml {version}: it must be v{version}."
        )
    notes = section((root / "CHANGELOG.md").read_text("utf-8"), version)
    if not notes:
        raise NotReady(
            f'CHANGELOG.md says nothing of {version}: give "Unreleased" the heading "## {version}".'
        )
    if not (root / "tests" / "upgrades" / version / "cloud.json").is_file():
        raise NotReady(f"There is no tests/upgrades/{version}: run `python -m tests.upgrades.make`.")
    return notes


def section(changelog: str, version: str) -> str:
    """Return what stands below the heading of a version, `## 1.2.3` with or without a date."""
    for part in re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]:
        heading, _, text = part.partition("\n")
        if re.split(r"[\s,(]", heading.strip())[0].strip("[]") == version:
            return text.strip()
    return ""


if __name__ == "__main__":
    sys.exit(main())
