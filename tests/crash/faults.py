"""What may happen to one request of a run, and what the machine is like that runs."""

from __future__ import annotations

from typing import Any

Effect = dict[str, Any]

PAGE = "<html><body><h1>default backend</h1></body></html>"
LATE_MS = 200_000
"""When Qlik does what is done late: long after the client has given up, and before the longest that it may
take.
"""


def _envelope(status: int, code: str) -> dict[str, Any]:
    return {"errors": [{"code": code, "title": "No", "status": str(status)}], "traceId": "0" * 32}


FAULTS: dict[str, Effect] = {
    "refused": {"status": 400, "body": _envelope(400, "TEST-1")},
    "cut before": {"drop_before": True},
    "cut after": {"drop_after": True},
    "truncated": {"truncate": True},
    "done, then 503": {"status": 503, "done": True},
    "done, then a page": {"status": 200, "body": PAGE, "done": True},
    "done late, cut": {"done_after_ms": LATE_MS},
    "done late, then 504": {"done_after_ms": LATE_MS, "status": 504, "body": PAGE},
    "page with 401": {"status": 401, "body": PAGE},
    "page with 403": {"status": 403, "body": PAGE},
    "page with 404": {"status": 404, "body": PAGE},
    "page with 408": {"status": 408, "body": PAGE},
    "429 and how long": {"status": 429, "headers": {"Retry-After": "7"}},
    "429 without": {"status": 429, "body": PAGE},
    "malformed JSON": {"status": 200, "body": '{"id": ', "done": True},
    "an empty object": {"status": 200, "body": {}, "done": True},
    "a list": {"status": 200, "body": [[]], "done": True},
    "extra fields": {"merge": {"new": {"deep": [1, None]}, "links": {"more": "x"}}},
}
"""By the words in which the table names them: rules for the emulator, each for one request."""

MACHINES = (
    "notes",
    "no notes",
    "stale notes",
    "broken notes",
    "late lists",
    "clock ahead",
    "no organisation",
)
"""What is different between the run that is struck and those after it, see `tests.crash.matrix`."""
