"""Staged apps that an interrupted import left behind.

Such an app has Tenantry's mark, was created by Tenantry's bot user, and has an id that is in no state. If a
user duplicates a staged app, the duplicate also has the mark, but another creator.
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
    """A staged app that is in no state. `stacks` hold its tenant.

    `reason_to_keep` is set if it must not be deleted. `certain` is
    False if an unreadable state might hold it.
    """

    hostname: str
    id: str
    name: str
    mark: str
    created_at: str
    stacks: tuple[str, ...]
    reason_to_keep: str = ""
    certain: bool = True

    @property
    def finding(self) -> Finding:
        """The finding about this app."""
        description = (
            f'app "{self.name}"' if self.mark in self.name else f'app "{self.name}" with mark {self.mark}'
        )
        text = f"{description} on {self.hostname}, created {self.created_at or 'at an unknown time'}"
        facts = {
            "hostname": self.hostname,
            "app_id": self.id,
            "name": self.name,
            "mark": self.mark,
            "made_at": self.created_at,
            "stacks": list(self.stacks),
            "kept": self.reason_to_keep or None,
        }
        text = f"{text}; not deleted: {self.reason_to_keep}" if self.reason_to_keep else text
        return Finding(LEFT_OVER, self.id, text, certain=self.certain, facts=facts)


@dataclass(frozen=True)
class Search:
    """A search for left-over apps, which can delete them. `complete`: all states of the backend were read."""

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
                return list(self._search_tenant(hostname, tuple(tenants[hostname]), ids))
            except QlikError as error:
                unread.append(Unread(f"the apps of {hostname}", str(error)))
                return []

        with ThreadPoolExecutor(at_once) as pool:
            return [app for apps in pool.map(search_one, tenants) for app in apps]

    def _search_tenant(
        self, hostname: str, stacks: tuple[str, ...], ids: frozenset[str]
    ) -> Iterator[LeftOver]:
        host = self.cloud.tenant(hostname)
        items = host.list("/api/v1/items", {"resourceType": "app", "noActions": "true"})
        suspects = [item for item in items if _is_staged(item) and item["resourceId"] not in ids]
        if not suspects:
            return
        bot = host.get("/api/v1/users/me")["id"]
        suspects = [item for item in suspects if (item.get("creatorId") or item.get("ownerId")) == bot]
        # A run may have recorded an app after the states were read.
        holdings, reason_to_keep = self._read_again(stacks) if suspects else ([], "")
        recorded = frozenset[str]().union(*(holding.ids for holding in holdings))
        for item in suspects:
            if item["resourceId"] not in recorded:
                created_at, text = item.get("createdAt", ""), _text(item)
                yield LeftOver(
                    hostname,
                    item["resourceId"],
                    item["name"],
                    _mark(text),
                    created_at,
                    stacks,
                    reason_to_keep,
                    self.complete,
                )

    def delete(self, app: LeftOver) -> str:
        """Check an app again and delete it. Return the reason if it was not deleted. Raises QlikError."""
        if app.reason_to_keep:
            return app.reason_to_keep
        holdings, reason_to_keep = self._read_again(app.stacks)
        if reason_to_keep:
            return reason_to_keep
        holder = next((holding.stack for holding in holdings if app.id in holding.ids), "")
        if holder:
            return f"it is now in the state of stack {holder}"
        host, path = self.cloud.tenant(app.hostname), f"/api/v1/apps/{app.id}"
        try:
            attributes = host.get(path)["attributes"]
        except NotFound:
            return GONE
        if attributes.get("publishTime") or app.mark not in _text(attributes):
            return "it has changed in the meantime"
        host.delete(path)
        return ""

    def _read_again(self, stacks: tuple[str, ...]) -> tuple[list[Holding], str]:
        """Return the current holdings of stacks, and the reason if nothing in their tenant may be deleted."""
        reason_to_keep = "" if self.complete else "an unreadable state may hold it"
        holdings: list[Holding] = []
        for stack in stacks:
            try:
                holding = read(self.backend, stack)
            except PulumiFailed as failure:
                return holdings, f"the state of stack {stack} cannot be read: {self.explain(stack, failure)}"
            if holding is None:
                return holdings, f"stack {stack} no longer exists"
            holdings.append(holding)
            if holding.importing:
                reason_to_keep = (
                    f"an import by stack {stack} is in progress or was interrupted. If no run is in "
                    f"progress: 1. run `pulumi up --stack {stack}`, which uses the app if the stack still "
                    f"needs it, 2. run `pulumi refresh --clear-pending-creates --stack {stack}`"
                )
        return holdings, reason_to_keep


def delete_all(
    search: Search, apps: Sequence[LeftOver], say: Callable[[str], None]
) -> tuple[list[LeftOver], list[Unread]]:
    """Delete apps one after another. Return the apps that no longer exist, and the failures."""
    deleted, failed = [], []
    for app in apps:
        try:
            reason = search.delete(app)
        except QlikError as error:
            failed.append(Unread(f"app {app.id} on {app.hostname}", str(error)))
            continue
        say(f"app {app.id} on {app.hostname}: {f'not deleted, {reason}' if reason else 'deleted'}")
        if not reason or reason == GONE:
            deleted.append(app)
    return deleted, failed


def _is_staged(item: Json) -> bool:
    """Tell whether an item of the catalog is an app with Tenantry's mark and not a published copy."""
    return bool(MARK.search(_text(item))) and not (item.get("resourceAttributes") or {}).get("publishTime")


def _text(item: Json) -> str:
    return f"{item.get('name') or ''}\n{item.get('description') or ''}"


def _mark(text: str) -> str:
    match = MARK.search(text)
    return match[0] if match else ""
