"""The customer of the demo."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

FILES = Path(__file__).parent / "files"
STACK = "globex"


def stack_file() -> str:
    """Return the text of the stack file.

    Its trial ends 30 days from today, because a fixed date would be in the past one day.
    """
    day = datetime.now(UTC).date() + timedelta(days=30)
    text = (FILES / f"Pulumi.{STACK}.yaml").read_text("utf-8")
    return re.sub(r'(ends_on: )"[0-9-]+"', rf'\1"{day}"', text)
