"""A refresh: every entry of the state is held against what is there, and then all are written at once."""

from __future__ import annotations

from tests.crash.deployment import Deployment
from tests.crash.goals import Stop
from tests.crash.provider import CallFailed
from tests.crash.resources import STACK, Resource


def refresh(run: Deployment) -> None:
    """Take what is live into the entries; what is gone leaves. Raises Stop at the end if a read failed."""
    found: dict[Resource, Resource | None] = {}
    failed: list[str] = []
    for each in run.entries:
        if run.is_target(each):
            if run.options.targets and each.type != STACK:
                run.targeted.add(each.urn)
            try:
                found[each] = _read(run, each)
            except CallFailed as error:
                failed.append(str(error))
    run.targeted.clear()
    run.entries = _rebuilt([found.get(each, each) for each in run.entries])
    run.checkpoint.base = run.entries
    if failed:
        raise Stop("\n".join(failed))


def _read(run: Deployment, each: Resource) -> Resource | None:
    if not each.custom or each.pendingReplacement:
        return each
    id, outputs, inputs = run.provider.read(each.urn, each.id, each.inputs, each.outputs)
    if not id:
        return None
    live = each.copy(id=id, outputs=outputs, inputs=each.inputs if inputs is None else inputs, initErrors=[])
    # What a refresh shows: an `up` from there back to what the state said. Nothing comes of it.
    run.provider.diff(live.urn, live.id, live.inputs, live.outputs, each.inputs)
    return live


def _rebuilt(entries: list[Resource | None]) -> list[Resource]:
    """Without those that are gone, and without what refers to them."""
    kept: list[Resource] = []
    known: set[str] = set()
    for each in entries:
        if each is None:
            continue
        each.dependencies = [urn for urn in each.dependencies if urn in known]
        each.propertyDependencies = {
            name: [urn for urn in urns if urn in known] for name, urns in each.propertyDependencies.items()
        }
        if each.deletedWith not in known:
            each.deletedWith = ""
        known.add(each.urn)
        kept.append(each)
    for each in kept:
        each.parent = each.parent if each.parent in known else ""
    return kept
