"""A refresh: compare every entry of the state with the real object, then write all entries at once."""

from __future__ import annotations

from tests.crash.deployment import Deployment
from tests.crash.goals import Stop
from tests.crash.provider import CallFailed
from tests.crash.resources import STACK, Resource


def refresh(run: Deployment) -> None:
    """Update the entries from the real objects; remove deleted ones. Raises Stop if a read failed."""
    current: dict[Resource, Resource | None] = {}
    failed: list[str] = []
    for entry in run.entries:
        if run.is_target(entry):
            if run.options.targets and entry.type != STACK:
                run.targeted.add(entry.urn)
            try:
                current[entry] = _read(run, entry)
            except CallFailed as error:
                failed.append(str(error))
    run.targeted.clear()
    run.entries = _without_deleted([current.get(entry, entry) for entry in run.entries])
    run.checkpoint.entries = run.entries
    if failed:
        raise Stop("\n".join(failed))


def _read(run: Deployment, entry: Resource) -> Resource | None:
    if not entry.custom or entry.pendingReplacement:
        return entry
    id, outputs, inputs = run.provider.read(entry.urn, entry.id, entry.inputs, entry.outputs)
    if not id:
        return None
    refreshed = entry.copy(
        id=id, outputs=outputs, inputs=entry.inputs if inputs is None else inputs, initErrors=[]
    )
    # The engine also diffs the real object with the state, to show the difference. It has no effect.
    run.provider.diff(refreshed.urn, refreshed.id, refreshed.inputs, refreshed.outputs, entry.inputs)
    return refreshed


def _without_deleted(entries: list[Resource | None]) -> list[Resource]:
    """Remove deleted entries, and the references to them."""
    remaining: list[Resource] = []
    known: set[str] = set()
    for entry in entries:
        if entry is None:
            continue
        entry.dependencies = [urn for urn in entry.dependencies if urn in known]
        entry.propertyDependencies = {
            name: [urn for urn in urns if urn in known] for name, urns in entry.propertyDependencies.items()
        }
        if entry.deletedWith not in known:
            entry.deletedWith = ""
        known.add(entry.urn)
        remaining.append(entry)
    for entry in remaining:
        entry.parent = entry.parent if entry.parent in known else ""
    return remaining
