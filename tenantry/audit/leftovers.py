"""Staged apps that an interrupted import left behind: they have our mark and are in no state.

Such an app has the mark, was created by the bot user, and its id is in no state. A duplicate that a user
created from a staged app has the mark too, but another creator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from tenantry.audit.findings import LEFT_OVER, Finding, Unread
from tenantry.audit.holdings import Explain, Holding, read
from tenantry.providers.app import MARK
from tenantry.providers.qlik import Cloud, NotFound, QlikError
from tenantry.state.backend import Backend, PulumiFailed

Json = dict[str, Any]

GONE = "it no longer exists"


@dataclass(frozen=True)
class LeftOver:
    """A staged app in no state. `stacks` hold its tenant. `kept` says why it must not be deleted, if so.

    `certain` is False if an unreadable state might hold it.
    """

    hostname: str
    id: str
    name: str
    mark: str
    made: str
    stacks: tuple[str, ...]
    kept: str = ""
    certain: bool = True

    @property
    def finding(self) -> Finding:
        """The finding about this app."""
        named = f'app "{self.name}"' if self.mark in self.name else f'app "{self.name}" with mark {self.mark}'
        text = f"{named} on {self.hostname}, created {self.made or 'at an unknown time'}"
        facts = {
            "hostname": self.hostname,
            "app_id": self.id,
            "name": self.name,
            "mark": self.mark,
            "made_at": self.made,
            "stacks": list(self.stacks),
            "kept": self.kept or None,
        }
        text = f"{text}; not deleted: {self.kept}" if self.kept else text
        return Finding(LEFT_OVER, self.id, text, certain=self.certain, facts=facts)


@dataclass(frozen=True)
class Search:
    """Finds and deletes left-over apps. `complete` means that all states of the backend could be read."""

    cloud: Cloud
    backend: Backend
    explain: Explain
    complete: bool = True

    def search(
        self,
        tenants: Mapping[str, Sequence[str]],
        ids: frozenset[str],
        at_once: int,
        unread: list[Unread],
    ) -> list[LeftOver]:
        """Return the left-over apps of tenants. `ids` are the ids in the states.

        `tenants` maps each hostname to the stacks that hold it. Adds a tenant whose apps cannot be listed to
        `unread`.
        """

        def search_one(hostname: str) -> list[LeftOver]:
            try:
                return list(self._in_tenant(hostname, tuple(tenants[hostname]), ids))
            except QlikError as error:
                unread.append(Unread(f"the apps of {hostname}", str(error)))
                return []

        with ThreadPoolExecutor(at_once) as pool:
            return [app for found in pool.map(search_one, tenants) for app in found]

    def _in_tenant(self, hostname: str, stacks: tuple[str, ...], ids: frozenset[str]) -> Iterator[LeftOver]:
        host = self.cloud.tenant(hostname)
        items = host.list("/api/v1/items", {"resourceType": "app", "noActions": "true"})
        suspects = [item for item in items if _staged_by_us(item) and item["resourceId"] not in ids]
        if not suspects:
            return
        bot = host.get("/api/v1/users/me")["id"]
        suspects = [item for item in suspects if (item.get("creatorId") or item.get("ownerId")) == bot]
        # A run may have recorded an app after the states were read.
        now, kept = self._now(stacks) if suspects else ([], "")
        recorded = frozenset[str]().union(*(holding.ids for holding in now))
        for item in suspects:
            if item["resourceId"] not in recorded:
                made, text = item.get("createdAt", ""), _text(item)
                yield LeftOver(
                    hostname,
                    item["resourceId"],
                    item["name"],
                    _mark(text),
                    made,
                    stacks,
                    kept,
                    self.complete,
                )

    def delete(self, app: LeftOver) -> str:
        """Check an app again and delete it. Return why it was not deleted, if so. Raises QlikError."""
        if app.kept:
            return app.kept
        now, kept = self._now(app.stacks)
        if kept:
            return kept
        holder = next((holding.stack for holding in now if app.id in holding.ids), "")
        if holder:
            return f"it is now in the state of stack {holder}"
        host, path = self.cloud.tenant(app.hostname), f"/api/v1/apps/{app.id}"
        try:
            found = host.get(path)["attributes"]
        except NotFound:
            return GONE
        if found.get("publishTime") or app.mark not in _text(found):
            return "it has changed in the meantime"
        host.delete(path)
        return ""

    def _now(self, stacks: tuple[str, ...]) -> tuple[list[Holding], str]:
        """Return what stacks hold now, and why nothing in their tenant must be deleted, if so."""
        kept = "" if self.complete else "an unreadable state may hold it"
        found: list[Holding] = []
        for stack in stacks:
            try:
                holding = read(self.backend, stack)
            except PulumiFailed as failure:
                return found, f"the state of stack {stack} cannot be read: {self.explain(stack, failure)}"
            if holding is None:
                return found, f"stack {stack} no longer exists"
            found.append(holding)
            if holding.importing:
                kept = (
                    f"an import by stack {stack} is in progress or was interrupted. If no run is in "
                    f"progress: 1. run `pulumi up --stack {stack}`, which uses the app if the stack still "
                    f"needs it, 2. run `pulumi refresh --clear-pending-creates --stack {stack}`"
                )
        return found, kept


def delete_all(
    search: Search, apps: Sequence[LeftOver], say: Callable[[str], None]
) -> tuple[list[LeftOver], list[Unread]]:
    """Delete apps one after the other. Return the apps that are gone, and the failures."""
    gone, failed = [], []
    for app in apps:
        try:
            left = search.delete(app)
        except QlikError as error:
            failed.append(Unread(f"app {app.id} on {app.hostname}", str(error)))
            continue
        say(f"app {app.id} on {app.hostname}: {f'not deleted, {left}' if left else 'deleted'}")
        if not left or left == GONE:
            gone.append(app)
    return gone, failed


def _staged_by_us(item: Json) -> bool:
    """Tell whether an item of the catalog is an app with our mark that is not a published copy."""
    return bool(MARK.search(_text(item))) and not (item.get("resourceAttributes") or {}).get("publishTime")


def _text(item: Json) -> str:
    return f"{item.get('name') or ''}\n{item.get('description') or ''}"


def _mark(text: str) -> str:
    found = MARK.search(text)
    return found[0] if found else ""
