"""The engine's steps after the program: delete the replaced and the unregistered resources."""

from __future__ import annotations

from tests.crash.deployment import Deployment
from tests.crash.goals import Stop
from tests.crash.resources import Resource, all_needs, dependents, direct_needs


def delete_the_rest(run: Deployment) -> None:
    """Delete the targets of the run that the program did not register. Raises Stop on a failure."""
    allowed = _allowed(run)
    to_delete: list[Resource] = []
    for entry in run.entries:
        is_surplus = entry not in run.deleted_early if entry.delete else not run.is_kept(entry)
        if is_surplus and (allowed is None or entry.urn in allowed):
            run.deletes.add(entry.urn)
            to_delete.append(entry)
    extra = [entry.name for entry in to_delete if not {entry.urn, entry.name} & run.options.targets]
    if extra and run.options.targets and not run.options.target_dependents:
        raise Stop(f"{', '.join(extra)} must be deleted, but is not a target")
    _delete_in_order(run, to_delete)


def _allowed(run: Deployment) -> set[str] | None:
    """Return the URNs that can be deleted with `--target`: the targets and all of their dependents."""
    if not run.options.targets:
        return None
    frontier = [entry for entry in run.entries if {entry.urn, entry.name} & run.options.targets]
    closure: set[str] = set()
    while frontier:
        entry = frontier.pop(0)
        if entry.urn not in closure:
            closure.add(entry.urn)
            frontier += dependents(run.entries, entry, closure, children=True)
    allowed = set(closure)
    for entry in run.entries:
        if entry.urn in closure:
            allowed |= {other.urn for other in run.replaced_with(entry)}
    return allowed


def _delete_in_order(run: Deployment, to_delete: list[Resource]) -> None:
    """Delete first what no other entry needs. Keep everything that protected entries need."""
    spared: set[Resource] = set()
    failed: list[str] = []
    for layer in _layers(run.entries, to_delete):
        free_slots = run.options.parallel
        for entry in layer:
            if entry in spared or not free_slots:
                continue
            try:
                _delete(run, entry)
            except _Protected as error:
                failed.append(str(error))
                spared |= all_needs(run.entries, entry)
            except Stop as error:
                failed.append(str(error))
                run.stopped = True
            free_slots -= run.stopped
        if run.stopped:
            break
    if failed:
        raise Stop("\n".join(failed))


def _layers(entries: list[Resource], to_delete: list[Resource]) -> list[list[Resource]]:
    """Return the layers of the entries to delete. No entry needs one of an earlier layer."""
    remaining, layers = list(to_delete), []
    while remaining:
        independent = [entry for entry in remaining if not direct_needs(entries, entry) & set(remaining)]
        remaining = [entry for entry in remaining if entry not in independent]
        layers.append(independent[::-1])
    return layers[::-1]


class _Protected(Stop):
    """The error for the deletion of a protected resource."""


def _delete(run: Deployment, entry: Resource) -> None:
    if entry.pendingReplacement and not entry.delete:
        run.checkpoint.dropped(entry)
    elif entry.protect and not entry.delete:
        run.checkpoint.begin("deleting", entry)
        run.checkpoint.failed(entry)
        raise _Protected(f"{entry.name} cannot be deleted: it is protected")
    else:
        run.delete(entry)
