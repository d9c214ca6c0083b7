"""The state as it is on disk in each moment of a run: what a kill at that moment would leave behind."""

from __future__ import annotations

from collections.abc import Callable

from tests.crash.resources import Resource, State


class Checkpoint:
    """Follows the steps of a run. Written before each step, with what it is about to do, and after it.

    Args:
        state: the state before the run. Its list of entries may be replaced while the run refreshes it.
        save: writes a state to where it stays.
    """

    def __init__(self, state: State, save: Callable[[State], None]) -> None:
        self.base = state.resources
        self._interrupted = [operation for operation in state.pending if operation[0] == "creating"]
        self._save = save
        self._new: list[Resource] = []
        self._done: set[Resource] = set()
        self._under_way: list[tuple[str, Resource]] = []

    def begin(self, doing: str, entry: Resource) -> None:
        """Note what is about to be done ("creating", "updating", "deleting"), before it is."""
        self._under_way.append((doing, entry))
        self.write()

    def failed(self, entry: Resource) -> None:
        """Note that it was not done."""
        self._end(entry)

    def created(self, entry: Resource, old: Resource | None) -> None:
        """Take in a new entry; one that was deleted for it before goes."""
        self._new.append(entry)
        if old and old.pendingReplacement:
            self._done.add(old)
        self._end(entry)

    def updated(self, old: Resource, entry: Resource) -> None:
        """Put an entry in the place of another."""
        self._done.add(old)
        self._new.append(entry)
        self._end(entry)

    def same(self, old: Resource, entry: Resource) -> None:
        """As `updated`, but not worth a write of its own unless something of the entry is new."""
        self._done.add(old)
        self._new.append(entry)
        if old.as_json() | {"initErrors": 0} != entry.as_json() | {"initErrors": 0}:
            self.write()

    def deleted(self, old: Resource) -> None:
        """Drop an entry; one that waits for its replacement stays until that is there."""
        if not old.pendingReplacement:
            self._done.add(old)
        self._end(old)

    def dropped(self, old: Resource) -> None:
        """Drop an entry whose object is gone already."""
        self._done.add(old)
        self.write()

    def write(self) -> None:
        """Write the state as it is now."""
        self._save(self.state())

    def state(self) -> State:
        """The entries that this run is done with, then those that it has not come to."""
        entries = [entry for entry in (*self._new, *self.base) if entry not in self._done]
        pending = [(doing, entry.urn) for doing, entry in self._under_way] + self._interrupted
        return State(_renamed(entries), pending)

    def _end(self, entry: Resource) -> None:
        self._under_way = [pair for pair in self._under_way if pair[1] is not entry]
        self.write()


def _renamed(entries: list[Resource]) -> list[Resource]:
    """Let all entries refer to resources by the URNs that they have now."""
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
