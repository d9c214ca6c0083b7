"""A note on disk of a request that must not be sent twice, written before it is sent.

Creating a tenant has no key and importing an app has none: when the answer is lost, or the run is killed,
nothing at Qlik says that it was this stack that asked. The note does. It is kept on the machine that ran
`pulumi`, one file for each resource.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from providers import run
from providers.qlik import QlikError


def directory() -> Path:
    """Where the notes are: `TENANTRY_STATE`, else the user's state folder."""
    home = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(os.environ.get("TENANTRY_STATE") or f"{home}/tenantry").expanduser() / "intents"


def settle(what: str, **facts: Any) -> None:
    """Forget the notes of such a request whose answer had these facts: the state has what was made."""
    for path in directory().glob("*.json"):
        note = _read(path) or {}
        if note.get("what") == what and "finished" in note and facts.items() <= note.items():
            path.unlink(missing_ok=True)


def forget(owners: str) -> None:
    """Forget the notes of all resources whose URNs begin with `owners`, whatever came of their requests."""
    for path in directory().glob("*.json"):
        if str((_read(path) or {}).get("owner", "")).startswith(owners):
            path.unlink(missing_ok=True)


class Intent:
    """What this resource was about to do, and what came of it.

    `what` tells apart the intents of one resource. `earlier` is the note that an earlier run left: `started`
    (UTC, ISO 8601), `finished` if the answer was seen, and what the callers of `sending` and `finish` added.
    """

    def __init__(self, what: str) -> None:
        self.owner = run.current().urn
        key = hashlib.sha256(f"{self.owner}\n{what}".encode()).hexdigest()[:32]
        self.path = directory() / f"{key}.json"
        self.what = what
        self.earlier: dict[str, Any] | None = _read(self.path)

    @contextmanager
    def sending(self, **facts: Any) -> Iterator[None]:
        """Note that the request in the block is about to be sent; the note stays if it may be carried out."""
        self.note(started=_now(), **facts)
        try:
            yield
        except QlikError as error:
            if not error.may_be_done:
                self.clear()
            raise

    def finish(self, **facts: Any) -> None:
        """Note the answer. The note stays: the run can still be killed before the state has it."""
        self.note(**(_read(self.path) or {}) | {"finished": _now(), **facts})

    def clear(self) -> None:
        """Forget it: the request was refused, or what it made is gone."""
        self.path.unlink(missing_ok=True)

    def rivals(self) -> list[dict[str, Any]]:
        """Return the notes of other resources about the same kind of request whose answer was never seen."""
        notes = [_read(path) for path in directory().glob("*.json") if path != self.path]
        return [note for note in notes if note and note.get("what") == self.what and "finished" not in note]

    def note(self, **facts: Any) -> None:
        """Write the note anew."""
        note = {"what": self.what, "owner": self.owner} | facts
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(f".{os.getpid()}")
        with draft.open("w") as file:
            json.dump(note, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _read(path: Path) -> dict[str, Any] | None:
    try:
        note: dict[str, Any] = json.loads(path.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return note
