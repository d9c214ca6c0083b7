"""The picture of the demo shows today's output of the demo."""

from __future__ import annotations

import html
import re

from tenantry.demo.run import NEXT
from tools.recording import PICTURE


def test_the_picture_is_up_to_date() -> None:
    shown = html.unescape(re.sub(r"<[^>]+>", "", PICTURE.read_text("utf-8"))).replace("\xa0", " ")
    expected = ["$ tenantry demo", "pulumi up --stack globex", *(line.strip() for line in NEXT.splitlines())]
    missing = [line for line in expected if line not in shown]
    assert missing == [], "run: python -m tools.recording"
