"""The state in one SQLite file: JSON documents by tenant and kind."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Doc = dict[str, Any]

SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    tenant TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL,
    name TEXT, parent TEXT, seq INTEGER NOT NULL, doc TEXT NOT NULL,
    PRIMARY KEY (tenant, kind, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_name ON objects (tenant, kind, name);
CREATE INDEX IF NOT EXISTS by_parent ON objects (tenant, kind, parent);
CREATE TABLE IF NOT EXISTS requests (seq INTEGER PRIMARY KEY, entry TEXT NOT NULL);
"""

SHARED = ""
"""The "tenant" of documents outside any tenant: the tenants themselves, hostnames, licences, tokens."""


class Store:
    """Documents in SQLite. Only the event loop's thread writes, and a request is one transaction.

    A document is a JSON object with an `id`. Keys that start with an underscore belong to the emulator and
    are never sent (see `public`).

    Args:
        path: the database file, created if it does not exist.
        durable: whether a commit survives a crash of the machine. Tests do not need this.
    """

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        # The thread that creates the store need not be the server's thread. Later, only the server uses it.
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
        self.db.execute("PRAGMA journal_mode=" + ("WAL" if durable else "MEMORY"))
        self.db.execute("PRAGMA synchronous=" + ("NORMAL" if durable else "OFF"))
        self.db.executescript(SCHEMA)
        self._seq: int = self.db.execute("SELECT coalesce(max(seq), 0) FROM objects").fetchone()[0]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all changes of the block, or none if it raises."""
        self.db.execute("BEGIN")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def get(self, tenant: str, kind: str, key: str) -> Doc | None:
        """Return the document with an id, or None."""
        return self._one("SELECT doc FROM objects WHERE tenant=? AND kind=? AND id=?", tenant, kind, key)

    def by_name(self, tenant: str, kind: str, name: str) -> list[Doc]:
        """Return every document with exactly this name, oldest first."""
        query = "SELECT doc FROM objects WHERE tenant=? AND kind=? AND name=? ORDER BY seq"
        return self._many(query, [tenant, kind, name])

    def all(self, tenant: str, kind: str, parent: str | None = None) -> list[Doc]:
        """Return every document of a kind, oldest first. With `parent`, only those stored under it."""
        query = "SELECT doc FROM objects WHERE tenant=? AND kind=?"
        arguments = [tenant, kind]
        if parent is not None:
            query += " AND parent=?"
            arguments.append(parent)
        return self._many(query + " ORDER BY seq", arguments)

    def all_tenants(self, kind: str) -> list[Doc]:
        """Return every document of a kind, from all tenants."""
        return self._many("SELECT doc FROM objects WHERE kind=?", [kind])

    def count(self, tenant: str, kind: str, parent: str | None = None) -> int:
        """Return the number of documents that `all` returns."""
        query = "SELECT count(*) FROM objects WHERE tenant=? AND kind=?"
        arguments = [tenant, kind]
        if parent is not None:
            query += " AND parent=?"
            arguments.append(parent)
        return int(self.db.execute(query, arguments).fetchone()[0])

    def put(self, tenant: str, kind: str, doc: Doc, *, parent: str | None = None) -> Doc:
        """Store a document under its `id`. It replaces an existing one and keeps its position."""
        self._seq += 1
        self.db.execute(
            "INSERT INTO objects (tenant, kind, id, name, parent, seq, doc) VALUES (?,?,?,?,?,?,?)"
            " ON CONFLICT DO UPDATE SET name=excluded.name, doc=excluded.doc,"
            " parent=coalesce(excluded.parent, parent)",
            (tenant, kind, doc["id"], doc.get("name"), parent, self._seq, json.dumps(doc)),
        )
        return doc

    def delete(self, tenant: str, kind: str, key: str) -> None:
        """Delete a document and everything stored under it. A missing document is not an error."""
        self.db.execute("DELETE FROM objects WHERE tenant=? AND kind=? AND id=?", (tenant, kind, key))
        self.db.execute("DELETE FROM objects WHERE tenant=? AND parent=?", (tenant, key))

    def clear(self, tenant: str | None = None) -> None:
        """Delete all documents of a tenant. With None, delete everything."""
        if tenant is None:
            self.db.execute("DELETE FROM objects")
        else:
            self.db.execute("DELETE FROM objects WHERE tenant=?", (tenant,))

    def dump(self) -> dict[str, dict[str, list[Doc]]]:
        """Return everything: tenant id -> kind -> documents."""
        tree: dict[str, dict[str, list[Doc]]] = {}
        for tenant, kind, doc in self.db.execute(
            "SELECT tenant, kind, doc FROM objects ORDER BY tenant, kind, seq"
        ):
            tree.setdefault(tenant, {}).setdefault(kind, []).append(json.loads(doc))
        return tree

    def close(self) -> None:
        """Close the database."""
        self.db.close()

    def _many(self, query: str, arguments: list[str]) -> list[Doc]:
        # One parse of all documents is twice as fast as one parse each.
        documents = ",".join(row[0] for row in self.db.execute(query, arguments))
        return list(json.loads(f"[{documents}]"))

    def _one(self, query: str, *arguments: str) -> Doc | None:
        row = self.db.execute(query, arguments).fetchone()
        return None if row is None else json.loads(row[0])


def public(doc: Doc) -> Doc:
    """Return the document as Qlik shows it, without the emulator's own keys."""
    return {key: value for key, value in doc.items() if not key.startswith("_")}
