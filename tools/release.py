"""`python -m tools.release v1.2.3`: check a tag before its release, and print its section of the changelog.

You can release a tag if it equals the version in `pyproject.toml`, if `CHANGELOG.md` has a section for it,
and if `tests/upgrades` has states of this version, so that later versions can be tested with them.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class NotReady(Exception):
    """The tag cannot be released. The message says what is missing."""


def main() -> int:
    """Check the tag in the arguments. Return 0 if it can be released."""
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
    """Return the section of the changelog for the version. Raises NotReady."""
    version = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    if tag != f"v{version}":
        raise NotReady(
            f"The tag is {tag}, but the version in pyproject.toml is {version}. Use the tag v{version}."
        )
    notes = section((root / "CHANGELOG.md").read_text("utf-8"), version)
    if not notes:
        raise NotReady(
            f'CHANGELOG.md has no section for {version}. Change the heading "Unreleased" to "## {version}".'
        )
    if not (root / "tests" / "upgrades" / version / "cloud.json").is_file():
        raise NotReady(f"tests/upgrades/{version} does not exist. Run `python -m tests.upgrades.make`.")
    return notes


def section(changelog: str, version: str) -> str:
    """Return the text below the heading of a version: `## 1.2.3`, with or without a date."""
    for part in re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]:
        heading, _, text = part.partition("\n")
        if re.split(r"[\s,(]", heading.strip())[0].strip("[]") == version:
            return text.strip()
    return ""


if __name__ == "__main__":
    sys.exit(main())
