"""The locks of a stack, on any backend but Pulumi Cloud: who took them, where, and when.

Pulumi keeps a lock as an object in the backend. If the backend is a folder, this module reads the object.
Otherwise it runs `pulumi`, which prints the locks only in the error of a command that needs a lock. The
command renames the stack to its current name. If there are locks, it fails and prints them. Otherwise it
takes a lock, finds that the name is taken, and releases the lock. It reads no secret and writes only that
lock. A run that starts in these few milliseconds fails because the stack is locked.
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
    """A lock: the process that took it, and the time. `host` is empty if the lock is only partly written."""

    user: str
    host: str
    pid: int
    at: datetime | None

    @property
    def holder(self) -> str:
        """The holder of the lock, for messages."""
        text = f"{self.user}@{self.host} (pid {self.pid})" if self.host else "a partly written lock"
        return f"{text} since {self.at.isoformat(timespec='seconds')}" if self.at else text


class LocksUnknown(TenantryError):
    """The output of `pulumi` does not say whether there is a lock, or who holds it."""


def locks_of(backend: Backend, address: str, project: str, stack: str) -> list[Lock]:
    """Return the locks of a stack.

    `stack` may be a full name. Raises LocksUnknown, PulumiFailed and OSError.
    """
    folder = folder_of(address, backend.root)
    *_, name = parts = stack.split("/")
    project = parts[1] if len(parts) > 2 else project
    if folder and backend_files.has_project(folder, project):
        return list(_read_files(backend_files.lock_files(folder, project, name)))
    return _ask_pulumi(backend, stack)


def _read_files(files: list[Path]) -> Iterator[Lock]:
    for file in files:
        try:
            yield _lock(*backend_files.lock_fields(json.loads(file.read_text("utf-8"))))
        except FileNotFoundError:  # released in the meantime
            continue
        except (ValueError, KeyError, TypeError):
            yield Lock("", "", 0, datetime.fromtimestamp(file.stat().st_mtime, UTC))


def _lock(user: str, host: str, pid: int, at: str) -> Lock:
    return Lock(user, host, pid, moment(at))


def _ask_pulumi(backend: Backend, stack: str) -> list[Lock]:
    try:
        backend.run(*lock_messages.lock_command(stack))
    except PulumiFailed as failure:
        return locks_in_error(failure)
    raise LocksUnknown(
        f"`pulumi` renamed stack {stack} to its present name and printed nothing about its locks"
    )


def locks_in_error(failure: PulumiFailed) -> list[Lock]:
    """Return the locks in an error of `pulumi`.

    Raises LocksUnknown, or the error if it is not about locks.
    """
    if lock_messages.LOCKED not in failure.output:
        if lock_messages.TAKEN in failure.output:
            return []
        raise failure
    locks = [_lock(*fields) for fields in lock_messages.locks_in(failure.output)]
    if not locks:
        raise LocksUnknown(
            f"the stack is locked, but `pulumi` does not say by whom: {failure.output.strip()}"
        )
    return locks


def moment(text: str) -> datetime | None:
    """Parse a time in Pulumi's format. Return None if it cannot be parsed."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
