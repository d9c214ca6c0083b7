"""What the engine does when the program is done: it deletes what was replaced and what is wanted no more."""

from __future__ import annotations

from tests.crash.deployment import Deployment
from tests.crash.goals import Stop
from tests.crash.resources import Resource, all_needs, dependents, direct_needs


def delete_the_rest(run: Deployment) -> None:
    """Delete all that the run was about and that was not registered; raise Stop where something fails."""
    allowed = _allowed(run)
    going: list[Resource] = []
    for each in run.entries:
        over = each not in run.early if each.delete else not run.stays(each)
        if over and (allowed is None or each.urn in allowed):
            run.deletes.add(each.urn)
            going.append(each)
    extra = [each.name for each in going if not {each.urn, each.name} & run.options.targets]
    if extra and run.options.targets and not run.options.target_dependents:
        raise Stop(f"{', '.join(extra)} would be deleted, but is not a target")
    _delete_in_order(run, going)


def _allowed(run: Deployment) -> set[str] | None:
    """With targets the URNs that may be deleted: theirs and those of all that cannot be without them."""
    if not run.options.targets:
        return None
    frontier = [each for each in run.entries if {each.urn, each.name} & run.options.targets]
    closure: set[str] = set()
    while frontier:
        each = frontier.pop(0)
        if each.urn not in closure:
            closure.add(each.urn)
            frontier += dependents(run.entries, each, closure, children=True)
    allowed = set(closure)
    for each in run.entries:
        if each.urn in closure:
            allowed |= {other.urn for other in run.replaced_with(each)}
    return allowed


def _delete_in_order(run: Deployment, going: list[Resource]) -> None:
    """Delete in rounds, what nothing else needs any more first. What is protected spares what it needs."""
    spared: set[Resource] = set()
    failed: list[str] = []
    for layer in _rounds(run.entries, going):
        left = run.options.parallel
        for each in layer:
            if each in spared or not left:
                continue
            try:
                _delete(run, each)
            except _Protected as error:
                failed.append(str(error))
                spared |= all_needs(run.entries, each)
            except Stop as error:
                failed.append(str(error))
                run.stopped = True
            left -= run.stopped
        if run.stopped:
            break
    if failed:
        raise Stop("\n".join(failed))


def _rounds(entries: list[Resource], going: list[Resource]) -> list[list[Resource]]:
    left, rounds = list(going), []
    while left:
        free = [each for each in left if not direct_needs(entries, each) & set(left)]
        left = [each for each in left if each not in free]
        rounds.append(free[::-1])
    return rounds[::-1]


class _Protected(Stop):
    """What is protected is not deleted."""


def _delete(run: Deployment, each: Resource) -> None:
    if each.pendingReplacement and not each.delete:
        run.checkpoint.dropped(each)
    elif each.protect and not each.delete:
        run.checkpoint.begin("deleting", each)
        run.checkpoint.failed(each)
        raise _Protected(f"{each.name} cannot be deleted: it is protected")
    else:
        run.delete(each)
