"""The request log: clients, requests and statuses. It has no bodies, no headers and no secrets."""

from __future__ import annotations

import json
from typing import Any

from tenantry.emulator.store import Store

MAX_ENTRIES = 100_000
TRIM_EVERY = 1_000


class RequestLog:
    """The last 100,000 requests. They are in the state's database, so that memory use stays constant."""

    def __init__(self, store: Store) -> None:
        self._db = store.db
        self._unknown: dict[str, int] = {}

    def add(self, entry: dict[str, Any]) -> int:
        """Add an entry and return its line number.

        Its keys are `time`, `host`, `method`, `path`, `status`, `tier`, `ms` and `client`. If a fault delays
        the execution, `late` has `at` (the due time) and `status` (Qlik's status; null while it waits).
        """
        cursor = self._db.execute("INSERT INTO requests (entry) VALUES (?)", (json.dumps(entry),))
        last = cursor.lastrowid or 0
        if last % TRIM_EVERY == 0:
            self._db.execute("DELETE FROM requests WHERE seq <= ?", (last - MAX_ENTRIES,))
        return last

    def amend(self, line: int, before: dict[str, Any], after: dict[str, Any]) -> None:
        """Replace an entry. If the log has been cleared since, add the entry again."""
        # The content is compared as well, because line numbers start again after `clear`.
        cursor = self._db.execute(
            "UPDATE requests SET entry=? WHERE seq=? AND entry=?",
            (json.dumps(after), line, json.dumps(before)),
        )
        if not cursor.rowcount:
            self.add(after)

    def entries(self) -> list[dict[str, Any]]:
        """Return all entries, oldest first."""
        return [json.loads(row[0]) for row in self._db.execute("SELECT entry FROM requests ORDER BY seq")]

    def clear(self) -> None:
        """Delete all entries, and the counts of unknown requests."""
        self._db.execute("DELETE FROM requests")
        self._unknown.clear()

    def count_unknown(self, request: str) -> None:
        """Count a request without an operation, such as `GET acme.eu.qlikcloud.com/x`."""
        if request in self._unknown or len(self._unknown) < TRIM_EVERY:
            self._unknown[request] = self._unknown.get(request, 0) + 1

    @property
    def unknown(self) -> list[dict[str, Any]]:
        """The requests without an operation: `request` and `count`."""
        return [{"request": request, "count": count} for request, count in self._unknown.items()]
