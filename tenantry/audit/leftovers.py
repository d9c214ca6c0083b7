"""Staged apps that bear our mark and are in no state: an import was cut off, and nothing took it up since.

What counts is the mark, that our own bot made the app, and that its id is nowhere in a state. A duplicate
that somebody made of a staged app has the mark as well, but another maker.
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

GONE = "it is gone already"


@dataclass(frozen=True)
class LeftOver:
    """A staged app in no state. `stacks` hold its tenant; `kept` says why it may not be deleted, if so.

    `certain` is False where a state that could not be read may hold it.
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
        """It as a finding."""
        named = f'app "{self.name}"' if self.mark in self.name else f'app "{self.name}" with mark {self.mark}'
        text = f"{named} on {self.hostname}, made {self.made or 'at an unknown time'}"
        facts = {
            "hostname": self.hostname,
            "app_id": self.id,
            "name": self.name,
            "mark": self.mark,
            "made_at": self.made,
            "stacks": list(self.stacks),
            "kept": self.kept or None,
        }
        text = f"{text}; stays: {self.kept}" if self.kept else text
        return Finding(LEFT_OVER, self.id, text, certain=self.certain, facts=facts)


@dataclass(frozen=True)
class Search:
    """Looks for such apps, and looks at one again. `complete`: every state of the backend could be read."""

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
        """Return what is left in tenants, each given with the stacks that hold it; `ids` are in a state.

        A tenant whose apps cannot be listed is added to `unread`.
        """

        def one(hostname: str) -> list[LeftOver]:
            try:
                return list(self._in_tenant(hostname, tuple(tenants[hostname]), ids))
            except QlikError as error:
                unread.append(Unread(f"the apps of {hostname}", str(error)))
                return []

        with ThreadPoolExecutor(at_once) as pool:
            return [each for found in pool.map(one, tenants) for each in found]

    def _in_tenant(self, hostname: str, stacks: tuple[str, ...], ids: frozenset[str]) -> Iterator[LeftOver]:
        host = self.cloud.tenant(hostname)
        items = host.list("/api/v1/items", {"resourceType": "app", "noActions": "true"})
        suspects = [each for each in items if _staged_by_us(each) and each["resourceId"] not in ids]
        if not suspects:
            return
        bot = host.get("/api/v1/users/me")["id"]
        suspects = [each for each in suspects if (each.get("creatorId") or each.get("ownerId")) == bot]
        # What a run has recorded since the states were read is no left-over.
        now, kept = self._now(stacks) if suspects else ([], "")
        recorded = frozenset[str]().union(*(each.ids for each in now))
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
        """Look at an app once more and delete it; return why it was left, if it was. Raises QlikError."""
        if app.kept:
            return app.kept
        now, kept = self._now(app.stacks)
        if kept:
            return kept
        holder = next((each.stack for each in now if app.id in each.ids), "")
        if holder:
            return f"it is in the state of stack {holder} now"
        host, path = self.cloud.tenant(app.hostname), f"/api/v1/apps/{app.id}"
        try:
            found = host.get(path)["attributes"]
        except NotFound:
            return GONE
        if found.get("publishTime") or app.mark not in _text(found):
            return "it has changed since"
        host.delete(path)
        return ""

    def _now(self, stacks: tuple[str, ...]) -> tuple[list[Holding], str]:
        """Return what stacks hold by now, and why nothing may be deleted in their tenant, if so."""
        kept = "" if self.complete else "a state that could not be read may hold it"
        found: list[Holding] = []
        for stack in stacks:
            try:
                there = read(self.backend, stack)
            except PulumiFailed as failure:
                return found, f"the state of stack {stack} cannot be read: {self.explain(stack, failure)}"
            if there is None:
                return found, f"stack {stack} is gone"
            found.append(there)
            if there.importing:
                kept = (
                    f"an import by stack {stack} is under way or was cut off. If no run is, `pulumi up` "
                    "takes up what it still wants; then "
                    f"`pulumi refresh --clear-pending-creates --stack {stack}`"
                )
        return found, kept


def delete_all(
    search: Search, apps: Sequence[LeftOver], say: Callable[[str], None]
) -> tuple[list[LeftOver], list[Unread]]:
    """Delete apps one after the other; return those that are gone, and those that could not be deleted."""
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
    """Tell whether an item of the catalog is an app with our mark that is no published copy."""
    return bool(MARK.search(_text(item))) and not (item.get("resourceAttributes") or {}).get("publishTime")


def _text(item: Json) -> str:
    return f"{item.get('name') or ''}\n{item.get('description') or ''}"


def _mark(text: str) -> str:
    found = MARK.search(text)
    return found[0] if found else ""
