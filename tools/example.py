"""The demo's stack file, with a trial that ends a month from today: the day in the shipped file passes."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

FILE = Path(__file__).resolve().parent.parent / "stacks" / "Pulumi.globex.yaml"


def example() -> str:
    """Return the text of the stack file."""
    day = datetime.now(UTC).date() + timedelta(days=30)
    text, count = re.subn(r'(ends_on: )"[0-9-]+"', rf'\1"{day}"', FILE.read_text("utf-8"))
    if count != 1:
        raise SystemExit(f"{FILE} says {count} times when its trial ends: the demo needs one `ends_on`")
    return text
