"""Test that the picture of the demo shows the current output."""

from __future__ import annotations

import html
import re

from tenantry.demo.run import NEXT
from tools.recording import PICTURE


def test_the_picture_is_up_to_date() -> None:
    picture_text = html.unescape(re.sub(r"<[^>]+>", "", PICTURE.read_text("utf-8"))).replace("\xa0", " ")
    expected = ["$ tenantry demo", "pulumi up --stack globex", *(line.strip() for line in NEXT.splitlines())]
    missing = [line for line in expected if line not in picture_text]
    assert missing == [], "run: python -m tools.recording"
