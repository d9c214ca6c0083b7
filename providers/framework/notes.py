"""Notes on this disk of requests that have no key: what was about to be asked for, and what came of it.

Notes make the next run quicker and its messages better. Safety never depends on them: they lie on one
machine, and may be lost, stale or broken. What a note says of the creation of a tenant counts only where it
is final: one proof allows one request (see `tenantry.providers.tenant_proof`), so what came of it never
changes.

Each stack has one folder, named by its backend, project and name, which goes when the stack's tenant goes.
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
    """Where the notes are: `TENANTRY_STATE`, else the user's state folder."""
    return folders.state() / "notes"


def folder_of(stack: StackId) -> Path:
    """Where the notes of a stack are."""
    return directory() / _digest(*stack)


def forget(stack: StackId) -> None:
    """Remove all notes of a stack."""
    shutil.rmtree(folder_of(stack), ignore_errors=True)


def clear(subject: str) -> None:
    """Remove the current stack's notes about a tenant or a proof, and its folder if that was all."""
    folder = folder_of(current_stack())
    for path in folder.glob("*.json"):
        if (_parsed(path) or {}).get("subject") == subject:
            with suppress(OSError):
                path.unlink()
    with suppress(OSError):
        folder.rmdir()


class Note:
    """A note about `what`, in the tenant or under the proof that `subject` names.

    `earlier` is what an earlier run noted, None if nothing: `started` (UTC, ISO 8601), `finished` if the
    answer was seen, and the facts that the callers of `sending` and `finish` added.
    """

    def __init__(self, subject: str, what: str) -> None:
        self.subject, self.what = subject, what
        self.stack = current_stack()
        self.path = folder_of(self.stack) / f"{_digest(subject, what)}.json"
        self.earlier: dict[str, Any] | None = self._read()

    @contextmanager
    def sending(self, **facts: Any) -> Iterator[None]:
        """Note that the request in the block is about to be sent; the note stays if it may be carried out."""
        self.write(started=_now(), **facts)
        try:
            yield
        except QlikError as error:
            if not error.may_be_done:
                self.clear()
            raise

    def finish(self, **facts: Any) -> None:
        """Note the answer. The note stays: the run can still be killed before the state has it."""
        self.write(**(self._read() or {}) | {"finished": _now(), **facts})

    def clear(self) -> None:
        """Forget it: the request was refused, or what it made is gone."""
        with suppress(OSError):
            self.path.unlink()

    def write(self, **facts: Any) -> None:
        """Write the note anew. A disk that takes no notes is no reason to stop."""
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
    def unanswered(self) -> bool:
        """Whether an earlier run sent the request, and did not see the answer."""
        return self.earlier is not None and "finished" not in self.earlier

    def age(self) -> float:
        """Seconds since an earlier run sent the request, by this machine's clock; 0 if that is not known."""
        try:
            started = datetime.fromisoformat((self.earlier or {})["started"])
            return max(0.0, (datetime.now(UTC) - started).total_seconds())
        except (KeyError, TypeError, ValueError):
            return 0.0

    def _read(self) -> dict[str, Any] | None:
        """Return the note; one that is broken, or about something else, is none."""
        note = _parsed(self.path) or {}
        expected = {"subject": self.subject, "what": self.what, "stack": list(self.stack)}
        return note if expected.items() <= note.items() else None


def current_note(subject: str, what: str) -> Note:
    """Return a note that tells apart the resources of a stack, by the Pulumi name of the current one."""
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
