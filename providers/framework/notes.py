"""Notes on this disk about requests without an idempotency key: the planned request and its result.

Notes make the next run faster and its messages better. Safety never depends on them, because they exist only
on one machine, and may be lost, stale or broken. A note about the creation of a tenant counts only if it is
final: one proof allows one request (see `tenantry.providers.tenant_proof`), so its result never changes.

Each stack has one folder, named by its backend, project and name. It is deleted with the stack's tenant.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tenantry.providers.framework import run
from tenantry.providers.framework.stack import StackId, current_stack
from tenantry.providers.qlik import QlikError, folders


def directory() -> Path:
    """Return the folder of all notes: `TENANTRY_STATE`, else the user's state folder."""
    return folders.state() / "notes"


def folder_of(stack: StackId) -> Path:
    """Return the folder of a stack's notes."""
    return directory() / _digest(*stack)


def forget(stack: StackId) -> None:
    """Delete all notes of a stack."""
    shutil.rmtree(folder_of(stack), ignore_errors=True)


def clear(subject: str) -> None:
    """Delete the current stack's notes about a tenant or a proof, and its folder if it is then empty."""
    folder = folder_of(current_stack())
    for path in folder.glob("*.json"):
        if (_parsed(path) or {}).get("subject") == subject:
            with suppress(OSError):
                path.unlink()
    with suppress(OSError):
        folder.rmdir()


class Note:
    """A note about `what`, in the tenant or under the proof that `subject` names.

    `earlier` is the note of an earlier run, or None. It has `started` (UTC, ISO 8601), `finished` if the
    response arrived, and the facts that the callers of `sending` and `finish` added.
    """

    def __init__(self, subject: str, what: str) -> None:
        self.subject, self.what = subject, what
        self.stack = current_stack()
        self.path = folder_of(self.stack) / f"{_digest(subject, what)}.json"
        self.earlier: dict[str, Any] | None = self._read()

    @contextmanager
    def sending(self, **facts: Any) -> Iterator[None]:
        """Note that the block sends a request. The note stays if Qlik may have carried out the request."""
        self.write(started=_now(), **facts)
        try:
            yield
        except QlikError as error:
            if not error.may_be_done:
                self.clear()
            raise

    def finish(self, **facts: Any) -> None:
        """Note the response. The note stays, because a kill may still keep the state from being saved."""
        self.write(**(self._read() or {}) | {"finished": _now(), **facts})

    def clear(self) -> None:
        """Delete the note, because Qlik refused the request or the object is gone."""
        with suppress(OSError):
            self.path.unlink()

    def write(self, **facts: Any) -> None:
        """Replace the note. A disk that cannot be written to is not an error."""
        note = {"subject": self.subject, "what": self.what, "stack": list(self.stack)} | facts
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            draft = self.path.with_suffix(f".{os.getpid()}")
            with draft.open("w") as file:
                json.dump(note, file)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path)

    @property
    def is_unanswered(self) -> bool:
        """True if an earlier run sent the request and received no response."""
        return self.earlier is not None and "finished" not in self.earlier

    def age(self) -> float:
        """Return the seconds since an earlier run sent the request, by the local clock. 0 if unknown."""
        try:
            started = datetime.fromisoformat((self.earlier or {})["started"])
            return max(0.0, (datetime.now(UTC) - started).total_seconds())
        except (KeyError, TypeError, ValueError):
            return 0.0

    def _read(self) -> dict[str, Any] | None:
        """Return the note, None if it is broken or about something else."""
        note = _parsed(self.path) or {}
        expected = {"subject": self.subject, "what": self.what, "stack": list(self.stack)}
        return note if expected.items() <= note.items() else None


def current_note(subject: str, what: str) -> Note:
    """Return a note for the current resource, identified by its Pulumi name."""
    return Note(subject, f"{what} of {run.current().urn.rpartition('::')[2]}")


def _parsed(path: Path) -> dict[str, Any] | None:
    try:
        note = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return note if isinstance(note, dict) else None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
