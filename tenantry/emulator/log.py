"""The request log: who asked what, and how it went. No bodies, no headers, no secrets."""

from __future__ import annotations

import json
from typing import Any

from tenantry.emulator.store import Store

KEPT = 100_000
TRIM_EVERY = 1_000


class RequestLog:
    """The last 100,000 requests, in the database beside the state, so that memory stays flat."""

    def __init__(self, store: Store) -> None:
        self._db = store.db
        self._unknown: dict[str, int] = {}

    def add(self, entry: dict[str, Any]) -> int:
        """Write one down; returns the number of its line.

        Keys are `time`, `host`, `method`, `path`, `status`, `tier`, `ms`, `client`, and `late` where a fault
        has put it off: `at` (when it is carried out) and `status` (Qlik's answer; null as long as it waits).
        """
        cursor = self._db.execute("INSERT INTO requests (entry) VALUES (?)", (json.dumps(entry),))
        last = cursor.lastrowid or 0
        if last % TRIM_EVERY == 0:
            self._db.execute("DELETE FROM requests WHERE seq <= ?", (last - KEPT,))
        return last

    def amend(self, line: int, before: dict[str, Any], after: dict[str, Any]) -> None:
        """Replace an entry; where it was cleared since, write it down again."""
        # By its content as well: once cleared, the lines are counted anew.
        found = self._db.execute(
            "UPDATE requests SET entry=? WHERE seq=? AND entry=?",
            (json.dumps(after), line, json.dumps(before)),
        )
        if not found.rowcount:
            self.add(after)

    def entries(self) -> list[dict[str, Any]]:
        """All of them, oldest first."""
        return [json.loads(row[0]) for row in self._db.execute("SELECT entry FROM requests ORDER BY seq")]

    def clear(self) -> None:
        """Forget them, and the unknown paths."""
        self._db.execute("DELETE FROM requests")
        self._unknown.clear()

    def note_unknown(self, request: str) -> None:
        """Count a request that no operation answers, such as `GET acme.eu.qlikcloud.com/x`."""
        if request in self._unknown or len(self._unknown) < TRIM_EVERY:
            self._unknown[request] = self._unknown.get(request, 0) + 1

    @property
    def unknown(self) -> list[dict[str, Any]]:
        """What was asked in vain: `request` and `count`."""
        return [{"request": request, "count": count} for request, count in self._unknown.items()]
