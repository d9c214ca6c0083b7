"""Collections that a refresh reads once for many objects, instead of one object at a time.

Qlik lists a hundred objects per request. A run of the engine reuses a list until it writes something. If an
object is not in the list, a separate GET decides whether it is gone.
"""

from __future__ import annotations

import threading
from itertools import islice
from typing import Any

from tenantry.providers.framework import run
from tenantry.providers.qlik import ApiError, Host

PAGE = 100
"""The number of objects on a page of Qlik's lists."""

Found = dict[str, Any]
"""An object in Qlik's JSON."""


class Listing:
    """A collection that one run reads page by page. Thread-safe: one thread reads while the others wait.

    After the first page, it reads one more page for each object found. So even if the collection has many
    objects of others, this costs at most one request more than a GET of each of our objects.
    """

    def __init__(self, host: Host, path: str, page: int | None = PAGE, key: str = "id") -> None:
        self._host, self._path, self._key = host, path, key
        self._objects = host.list(path, limit=page)
        self._found: dict[str, Found] = {}
        self._pages = self._hits = 0
        self._lock = threading.Lock()

    def find(self, id: str) -> Found | None:
        """Return the object with the id. None if the pages read so far do not have it.

        Raises DeadlineExceeded and the errors of the client. If Qlik refuses the list, it counts as empty.
        """
        waiting_for = f"the list {self._host.hostname}{self._path}, which another thread is reading"
        with self._host.cloud.default_deadline() as deadline, deadline.turn(self._lock, waiting_for):
            while id not in self._found and self._pages <= self._hits and self._turn_page():
                pass
            self._hits += id in self._found
            return self._found.get(id)

    def _turn_page(self) -> bool:
        try:
            page = list(islice(self._objects, PAGE))
        except ApiError:
            return False  # later calls also get no page, because an iterator that raised has ended
        self._found |= {found[self._key]: found for found in page}
        self._pages += 1
        return bool(page)


def find(host: Host, path: str, id: str, page: int | None = PAGE, key: str = "id") -> Found | None:
    """Return an object from the list that the current refresh read at `path`.

    `page` is the number of objects on a page (None if Qlik accepts no number). `key` is the key of the id.
    Returns None if the object is not listed, or if the call is not part of a refresh. Then GET the object.
    """
    listings = run.current().listings
    if listings is None:
        return None
    listing: Listing = listings.setdefault((host.hostname, path), Listing(host, path, page, key))
    return listing.find(id)
