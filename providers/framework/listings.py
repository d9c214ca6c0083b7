"""Collections that a refresh reads once for many objects, instead of one object at a time.

Qlik lists a hundred objects with one request. What a run of the engine read of a collection serves its later
reads until the run writes something; an object that is in no list is asked for by itself before it counts as
gone.
"""

from __future__ import annotations

import threading
from itertools import islice
from typing import Any

from tenantry.providers.framework import run
from tenantry.providers.qlik import ApiError, Host

PAGE = 100
"""Objects on a page of Qlik's lists, as `Host.list` asks for them."""

Found = dict[str, Any]
"""An object in Qlik's JSON."""


class Listing:
    """A collection as one run reads it, page by page as far as that pays. Safe to use from several threads:
    one reads a page while the others wait for it.

    After the first page each further one must have been earned by an object found. So however many objects of
    other people are there, looking for ours costs at most one request more than asking for each by itself.
    """

    def __init__(self, host: Host, path: str, page: int | None = PAGE, key: str = "id") -> None:
        self._host, self._path, self._key = host, path, key
        self._objects = host.list(path, limit=page)
        self._found: dict[str, Found] = {}
        self._pages = self._hits = 0
        self._lock = threading.Lock()

    def find(self, id: str) -> Found | None:
        """Return the object of that id; None says no more than that it was not listed so far.

        Raises DeadlineExceeded, and what sending raises but for a refusal by Qlik: then nothing is listed.
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
            return False  # and so from now on: an iterator that raised is at its end
        self._found |= {each[self._key]: each for each in page}
        self._pages += 1
        return bool(page)


def find(host: Host, path: str, id: str, page: int | None = PAGE, key: str = "id") -> Found | None:
    """Return an object from the collection at `path` as the current refresh has listed it. `page` is the
    number of objects to ask for at once, None where Qlik takes none; `key` is where an object has its id.

    None says that it has to be asked for by itself: it is not listed, or this is no refresh of the engine.
    """
    listings = run.current().listings
    if listings is None:
        return None
    listing: Listing = listings.setdefault((host.hostname, path), Listing(host, path, page, key))
    return listing.find(id)
