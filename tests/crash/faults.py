"""The faults of one request in a run, and the kinds of machines."""

from __future__ import annotations

from typing import Any

Effect = dict[str, Any]

PAGE = "<html><body><h1>default backend</h1></body></html>"
LATE_MS = 200_000
"""The delay of a late request at Qlik: after the client has given up, and before the maximum delay."""


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
    "429 with Retry-After": {"status": 429, "headers": {"Retry-After": "7"}},
    "429 without Retry-After": {"status": 429, "body": PAGE},
    "malformed JSON": {"status": 200, "body": '{"id": ', "done": True},
    "an empty object": {"status": 200, "body": {}, "done": True},
    "a list": {"status": 200, "body": [[]], "done": True},
    "extra fields": {"merge": {"new": {"deep": [1, None]}, "links": {"more": "x"}}},
}
"""Rules of the emulator for one request, by their names in the table."""

MACHINES = (
    "notes",
    "no notes",
    "stale notes",
    "broken notes",
    "late lists",
    "clock ahead",
    "no organisation",
)
"""What changes between the run with the fault and the runs after it; see `tests.crash.matrix`."""
