"""The locks of a stack: who took them, where, and when, on any backend but Pulumi Cloud.

Pulumi keeps a lock as an object in the backend. In a folder it is read. Elsewhere `pulumi` is asked, and it
names the locks only to what wants one. `pulumi stack rename` of a stack to the name that it has is such a
command. It fails with the locks where there are any. Else it takes a lock, finds that the name is taken, and
gives the lock back; it reads no secret and writes nothing but that lock. A run that begins in these few
milliseconds is told that the stack is locked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tenantry.errors import TenantryError
from tenantry.pulumi_internals import backend_files, lock_messages
from tenantry.state.addresses import folder_of
from tenantry.state.backend import Backend, PulumiFailed


@dataclass(frozen=True)
class Lock:
    """A lock: the process that took it, and when. `host` is empty where the lock was cut off when written."""

    user: str
    host: str
    pid: int
    at: datetime | None

    @property
    def holder(self) -> str:
        """Who holds it, as messages show it."""
        who = f"{self.user}@{self.host} (pid {self.pid})" if self.host else "a lock that was written in part"
        return f"{who} since {self.at.isoformat(timespec='seconds')}" if self.at else who


class NoLocksTold(TenantryError):
    """`pulumi` gave an answer that says neither who holds a lock nor that there is none."""


def locks_of(backend: Backend, address: str, project: str, stack: str) -> list[Lock]:
    """Return the locks of a stack, which may be named in full. Raises NoLocksTold, PulumiFailed, OSError."""
    folder = folder_of(address, backend.root)
    *_, name = parts = stack.split("/")
    project = parts[1] if len(parts) > 2 else project
    if folder and backend_files.has_project(folder, project):
        return list(_in_files(backend_files.lock_files(folder, project, name)))
    return _asked(backend, stack)


def _in_files(files: list[Path]) -> Iterator[Lock]:
    for file in files:
        try:
            yield _lock(*backend_files.lock_fields(json.loads(file.read_text("utf-8"))))
        except FileNotFoundError:  # given back meanwhile
            continue
        except (ValueError, KeyError, TypeError):
            yield Lock("", "", 0, datetime.fromtimestamp(file.stat().st_mtime, UTC))


def _lock(user: str, host: str, pid: int, at: str) -> Lock:
    return Lock(user, host, pid, moment(at))


def _asked(backend: Backend, stack: str) -> list[Lock]:
    try:
        backend.run(*lock_messages.asking(stack))
    except PulumiFailed as failure:
        return told(failure)
    raise NoLocksTold(
        f"`pulumi` renamed stack {stack} to the name that it has, and told nothing of its locks"
    )


def told(failure: PulumiFailed) -> list[Lock]:
    """Return the locks that `pulumi` names in an error. Raises NoLocksTold, or the error if it is another."""
    if lock_messages.LOCKED not in failure.said:
        if lock_messages.TAKEN in failure.said:
            return []
        raise failure
    found = [_lock(*each) for each in lock_messages.told(failure.said)]
    if not found:
        raise NoLocksTold(f"the stack is locked, but `pulumi` does not say by whom: {failure.said.strip()}")
    return found


def moment(text: str) -> datetime | None:
    """Return a moment as Pulumi writes it; None where it cannot be read."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
