"""The state on disk at each moment of a run: a kill at that moment leaves this state behind."""

from __future__ import annotations

from collections.abc import Callable

from tests.crash.resources import Resource, State


class Checkpoint:
    """The state during a run. It is written before each step, with the pending operation, and after it.

    Args:
        state: the state before the run. A refresh can replace its list of entries.
        save: stores a state.
    """

    def __init__(self, state: State, save: Callable[[State], None]) -> None:
        self.entries = state.resources
        self._interrupted = [operation for operation in state.pending if operation[0] == "creating"]
        self._save = save
        self._new: list[Resource] = []
        self._finished: set[Resource] = set()
        self._pending: list[tuple[str, Resource]] = []

    def begin(self, operation: str, entry: Resource) -> None:
        """Record a pending operation ("creating", "updating", "deleting") before its start."""
        self._pending.append((operation, entry))
        self.write()

    def failed(self, entry: Resource) -> None:
        """Record that an operation failed."""
        self._end(entry)

    def created(self, entry: Resource, old: Resource | None) -> None:
        """Add a new entry, and remove the entry that was deleted earlier for it."""
        self._new.append(entry)
        if old and old.pendingReplacement:
            self._finished.add(old)
        self._end(entry)

    def updated(self, old: Resource, entry: Resource) -> None:
        """Replace an entry with a new one."""
        self._finished.add(old)
        self._new.append(entry)
        self._end(entry)

    def same(self, old: Resource, entry: Resource) -> None:
        """Replace an entry like `updated`, but write the state only if the entry has changed."""
        self._finished.add(old)
        self._new.append(entry)
        if old.as_json() | {"initErrors": 0} != entry.as_json() | {"initErrors": 0}:
            self.write()

    def deleted(self, old: Resource) -> None:
        """Remove an entry. An entry that waits for its replacement stays until the replacement exists."""
        if not old.pendingReplacement:
            self._finished.add(old)
        self._end(old)

    def dropped(self, old: Resource) -> None:
        """Remove an entry whose object is already deleted."""
        self._finished.add(old)
        self.write()

    def write(self) -> None:
        """Write the current state."""
        self._save(self.state())

    def state(self) -> State:
        """Return the finished entries of this run, then the entries that it has not reached."""
        entries = [entry for entry in (*self._new, *self.entries) if entry not in self._finished]
        pending = [(operation, entry.urn) for operation, entry in self._pending] + self._interrupted
        return State(_with_current_urns(entries), pending)

    def _end(self, entry: Resource) -> None:
        self._pending = [pending for pending in self._pending if pending[1] is not entry]
        self.write()


def _with_current_urns(entries: list[Resource]) -> list[Resource]:
    """Update all references to the current URNs of the resources."""
    current = {entry.former_urn: entry.urn for entry in entries if entry.former_urn}
    if not current:
        return entries
    return [
        entry.copy(
            parent=current.get(entry.parent, entry.parent),
            deletedWith=current.get(entry.deletedWith, entry.deletedWith),
            dependencies=[current.get(urn, urn) for urn in entry.dependencies],
            propertyDependencies={
                name: [current.get(urn, urn) for urn in urns]
                for name, urns in entry.propertyDependencies.items()
            },
            former_urn="",
        )
        for entry in entries
    ]
