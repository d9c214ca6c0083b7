"""The state on disk at each moment of a run, which a kill at that moment leaves behind."""

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
        self.base = state.resources
        self._interrupted = [operation for operation in state.pending if operation[0] == "creating"]
        self._save = save
        self._new: list[Resource] = []
        self._done: set[Resource] = set()
        self._under_way: list[tuple[str, Resource]] = []

    def begin(self, doing: str, entry: Resource) -> None:
        """Record a pending operation ("creating", "updating", "deleting") before its start."""
        self._under_way.append((doing, entry))
        self.write()

    def failed(self, entry: Resource) -> None:
        """Record that an operation failed."""
        self._end(entry)

    def created(self, entry: Resource, old: Resource | None) -> None:
        """Add a new entry, and remove the entry that was deleted earlier for it."""
        self._new.append(entry)
        if old and old.pendingReplacement:
            self._done.add(old)
        self._end(entry)

    def updated(self, old: Resource, entry: Resource) -> None:
        """Replace an entry with a new one."""
        self._done.add(old)
        self._new.append(entry)
        self._end(entry)

    def same(self, old: Resource, entry: Resource) -> None:
        """As `updated`, but write the state only if the entry has changed."""
        self._done.add(old)
        self._new.append(entry)
        if old.as_json() | {"initErrors": 0} != entry.as_json() | {"initErrors": 0}:
            self.write()

    def deleted(self, old: Resource) -> None:
        """Remove an entry. An entry that waits for its replacement stays until the replacement exists."""
        if not old.pendingReplacement:
            self._done.add(old)
        self._end(old)

    def dropped(self, old: Resource) -> None:
        """Remove an entry whose object is deleted already."""
        self._done.add(old)
        self.write()

    def write(self) -> None:
        """Write the current state."""
        self._save(self.state())

    def state(self) -> State:
        """Return the finished entries of this run, then the entries that it has not reached."""
        entries = [entry for entry in (*self._new, *self.base) if entry not in self._done]
        pending = [(doing, entry.urn) for doing, entry in self._under_way] + self._interrupted
        return State(_renamed(entries), pending)

    def _end(self, entry: Resource) -> None:
        self._under_way = [pair for pair in self._under_way if pair[1] is not entry]
        self.write()


def _renamed(entries: list[Resource]) -> list[Resource]:
    """Update all references to the current URNs of the resources."""
    now = {entry.formerly: entry.urn for entry in entries if entry.formerly}
    if not now:
        return entries
    return [
        entry.copy(
            parent=now.get(entry.parent, entry.parent),
            deletedWith=now.get(entry.deletedWith, entry.deletedWith),
            dependencies=[now.get(urn, urn) for urn in entry.dependencies],
            propertyDependencies={
                name: [now.get(urn, urn) for urn in urns] for name, urns in entry.propertyDependencies.items()
            },
            formerly="",
        )
        for entry in entries
    ]
