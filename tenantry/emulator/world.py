"""The emulated cloud: state, time, files and settings in one place."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tenantry.emulator.clock import Clock
from tenantry.emulator.files import Files
from tenantry.emulator.settings import Settings
from tenantry.emulator.store import SHARED, Doc, Store

LETTERS = string.ascii_letters + string.digits


SECRETS = {"secret", "licenseKey", "clientSecret", "executionToken"}

WITH_FILES = ("app", "data-file", "extension", "theme")
"""Kinds whose documents name a stored file as `_file`."""


CHORES: list[Callable[[World], None]] = []
"""What the cloud does by itself as time goes by: done before a request, and after the clock was moved."""


class World:
    """Everything that one emulator knows.

    Args:
        folder: where the database and the app files lie; made when absent, seeded when empty.
        plant: fills an empty cloud with the seed.
        settings: switches to start with.
        durable: see `Store`.
    """

    def __init__(
        self,
        folder: Path,
        plant: Callable[[World], None],
        settings: Settings | None = None,
        *,
        durable: bool = True,
    ) -> None:
        self._plant = plant
        folder.mkdir(parents=True, exist_ok=True)
        self.settings = settings or Settings()
        self._initial = self.settings.as_dict()
        self.files = Files(folder / "files")
        self.store = Store(folder / "emulator.sqlite3", durable=durable)
        kept = self.store.get(SHARED, "clock", "clock")
        self.clock = Clock(kept["offset"] if kept else 0.0)
        if not self.store.count(SHARED, "client"):
            self._seed()
        self._sweep()
        self._next_purge = self._earliest_purge()
        self.next_task = 0.0
        """When the next scheduled task is due, or earlier; see `CHORES`."""

    def reset(self) -> None:
        """Back to the seed: state, clock, settings and files."""
        with self.store.transaction():
            self.store.clear()
        self.clock.offset = 0.0
        self.settings.change(self._initial)
        self.files.clear()
        self._seed()
        self._next_purge = self._earliest_purge()
        self.next_task = 0.0

    def do_chores(self) -> None:
        """Do what is due by itself; not within a transaction."""
        for chore in CHORES:
            chore(self)

    def close(self) -> None:
        """Let go of the files."""
        self.store.close()

    def now(self) -> float:
        """Seconds since 1970, by the emulator's clock."""
        return self.clock.now()

    def advance(self, seconds: float) -> None:
        """Move the clock forward; what was due for purging in that time is gone afterwards."""
        self.clock.advance(seconds)
        with self.store.transaction():
            self.store.put(SHARED, "clock", {"id": "clock", "offset": self.clock.offset})

    def tenant_of(self, hostname: str) -> Doc | None:
        """The tenant behind a system hostname or an alias, or None."""
        entry = self.store.get(SHARED, "hostname", hostname)
        return self.store.get(SHARED, "tenant", entry["tenant"]) if entry else None

    def purge(self) -> None:
        """Remove the tenants whose purge date has passed, with all they hold."""
        now = self.now()
        if now < self._next_purge:
            return
        with self.store.transaction():
            for tenant in self.store.all(SHARED, "tenant"):
                if tenant.get("_purge_at", now + 1) <= now:
                    self._remove_tenant(tenant)
        self._next_purge = self._earliest_purge()

    def purge_changed(self) -> None:
        """To be called after a tenant's purge date was set or lifted."""
        self._next_purge = self._earliest_purge()

    def dump(self) -> dict[str, Any]:
        """All state: tenant hostname -> kind -> documents; `cloud` holds what belongs to no tenant."""
        tree = self.store.dump()
        shared = tree.pop(SHARED, {})
        shared.pop("token", None)
        names = {tenant["id"]: tenant["hostnames"][0] for tenant in shared.get("tenant", [])}
        everything = {"cloud": shared} | {names.get(tenant, tenant): kinds for tenant, kinds in tree.items()}
        return _masked(everything)  # type: ignore[no-any-return]

    def _remove_tenant(self, tenant: Doc) -> None:
        for hostname in tenant["hostnames"]:
            self.store.delete(SHARED, "hostname", hostname)
        self.store.delete(SHARED, "tenant", tenant["id"])
        self.store.clear(tenant["id"])

    def _earliest_purge(self) -> float:
        dates = [tenant["_purge_at"] for tenant in self.store.all(SHARED, "tenant") if "_purge_at" in tenant]
        return min(dates, default=float("inf"))

    def _sweep(self) -> None:
        """Remove expired tokens, and the files that nothing needs any more."""
        for token in self.store.all(SHARED, "token"):
            if token["expires"] <= self.now():
                self.store.delete(SHARED, "token", token["id"])
        needed = {each["_file"] for kind in WITH_FILES for each in self.store.every(kind)}
        needed |= {
            entry["file"] for entry in self.store.every("temp-content") if entry["expires"] > self.now()
        }
        self.files.keep(needed)

    def _seed(self) -> None:
        with self.store.transaction():
            self._plant(self)


def _masked(node: Any) -> Any:
    if isinstance(node, list):
        return [_masked(item) for item in node]
    if isinstance(node, dict):
        return {key: "[secure]" if key in SECRETS else _masked(value) for key, value in node.items()}
    return node


def new_id() -> str:
    """An id as most of Qlik's APIs give out: 24 hexadecimal digits."""
    return secrets.token_hex(12)


def new_tenant_id() -> str:
    """A tenant id: 32 letters and digits."""
    return "".join(secrets.choice(LETTERS) for _ in range(32))


def new_label() -> str:
    """A generated host label, such as `ire7t7hg58avbmx`."""
    first = secrets.choice(string.ascii_lowercase)
    return first + "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(14))
