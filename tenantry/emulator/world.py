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

KINDS_WITH_FILES = ("app", "extension", "theme")
"""Kinds of documents whose `_file` names a stored file."""


CHORES: list[Callable[[World], None]] = []
"""Work that the cloud does by itself as time passes. It runs before each request and after a clock move."""


class World:
    """The complete state of one emulator.

    Args:
        folder: the folder of the database and the app files. It is created if it does not exist, and seeded
            if it is empty.
        load_seed: fills an empty cloud with the seed.
        settings: the initial settings.
        durable: see `Store`.
    """

    def __init__(
        self,
        folder: Path,
        load_seed: Callable[[World], None],
        settings: Settings | None = None,
        *,
        durable: bool = True,
    ) -> None:
        self._load_seed = load_seed
        folder.mkdir(parents=True, exist_ok=True)
        self.settings = settings or Settings()
        self._initial = self.settings.as_dict()
        self.files = Files(folder / "files")
        self.store = Store(folder / "emulator.sqlite3", durable=durable)
        saved = self.store.get(SHARED, "clock", "clock")
        self.clock = Clock(saved["offset"] if saved else 0.0)
        if not self.store.count(SHARED, "client"):
            self._seed()
        self._delete_unused()
        self._next_purge = self._earliest_purge()
        self.next_task = 0.0
        """No scheduled task is due before this time; see `CHORES`."""

    def reset(self) -> None:
        """Restore the seed: state, clock, settings and files."""
        with self.store.transaction():
            self.store.clear()
        self.clock.offset = 0.0
        self.settings.change(self._initial)
        self.files.clear()
        self._seed()
        self._next_purge = self._earliest_purge()
        self.next_task = 0.0

    def do_chores(self) -> None:
        """Run the chores. Do not call this within a transaction."""
        for chore in CHORES:
            chore(self)

    def close(self) -> None:
        """Close the database."""
        self.store.close()

    def now(self) -> float:
        """Return the seconds since 1970, by the emulator's clock."""
        return self.clock.now()

    def advance(self, seconds: float) -> None:
        """Move the clock forward and save its offset."""
        self.clock.advance(seconds)
        with self.store.transaction():
            self.store.put(SHARED, "clock", {"id": "clock", "offset": self.clock.offset})

    def tenant_of(self, hostname: str) -> Doc | None:
        """Return the tenant with a system hostname or an alias, or None."""
        entry = self.store.get(SHARED, "hostname", hostname)
        return self.store.get(SHARED, "tenant", entry["tenant"]) if entry else None

    def purge(self) -> None:
        """Delete the tenants whose purge date has passed, with everything in them."""
        now = self.now()
        if now < self._next_purge:
            return
        with self.store.transaction():
            for tenant in self.store.all(SHARED, "tenant"):
                if tenant.get("_purge_at", now + 1) <= now:
                    self._remove_tenant(tenant)
        self._next_purge = self._earliest_purge()

    def update_next_purge(self) -> None:
        """Update the time of the next purge. Call this after you change a tenant's purge date."""
        self._next_purge = self._earliest_purge()

    def dump(self) -> dict[str, Any]:
        """Return all state: hostname -> kind -> documents. `cloud` holds the documents outside any tenant."""
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

    def _delete_unused(self) -> None:
        """Delete expired tokens and unused files."""
        for token in self.store.all(SHARED, "token"):
            if token["expires"] <= self.now():
                self.store.delete(SHARED, "token", token["id"])
        needed_files = {doc["_file"] for kind in KINDS_WITH_FILES for doc in self.store.all_tenants(kind)}
        needed_files |= {
            entry["file"] for entry in self.store.all_tenants("temp-content") if entry["expires"] > self.now()
        }
        self.files.delete_except(needed_files)

    def _seed(self) -> None:
        with self.store.transaction():
            self._load_seed(self)


def _masked(node: Any) -> Any:
    if isinstance(node, list):
        return [_masked(item) for item in node]
    if isinstance(node, dict):
        return {key: "[secure]" if key in SECRETS else _masked(value) for key, value in node.items()}
    return node


def new_id() -> str:
    """Return an id in the form that most of Qlik's APIs use: 24 hexadecimal digits."""
    return secrets.token_hex(12)


def new_tenant_id() -> str:
    """Return a tenant id: 32 letters and digits."""
    return "".join(secrets.choice(LETTERS) for _ in range(32))


def new_label() -> str:
    """Return a generated host label, such as `ire7t7hg58avbmx`."""
    first = secrets.choice(string.ascii_lowercase)
    return first + "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(14))
