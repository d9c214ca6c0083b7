"""The selection of the stacks of a run."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import chain, zip_longest
from math import inf
from pathlib import Path
from statistics import median

from tenantry.errors import TenantryError
from tenantry.fleet import changes
from tenantry.fleet.changes import Changes
from tenantry.fleet.members import RINGS, Member, members
from tenantry.settings.plans import missing_plan
from tenantry.settings.project import Project
from tenantry.settings.rules import choices, missing_stack


class UnknownSelection(TenantryError):
    """The requested stack, ring, plan, tag or commit does not exist. The message is one line."""


@dataclass(frozen=True)
class Shard:
    """Part `number` (from 1) of `count`. Every machine splits the selected stacks in the same way.

    `seconds` is how long each stack took in an earlier run. If all parts use the same times, together they
    contain each stack exactly once.
    """

    number: int
    count: int
    seconds: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Parse `2/5`. Raises UnknownSelection."""
        match = re.fullmatch(r"(\d+)/(\d+)", text)
        if not match or not 1 <= int(match[1]) <= int(match[2]):
            raise UnknownSelection(f"--shard {text}: write K/N, part K of N, for example 1/4")
        return cls(int(match[1]), int(match[2]))

    def of(self, selected: Sequence[Member]) -> list[Member]:
        """Return the stacks of this part. According to the times, all parts have about the same work.

        Stacks are assigned from the longest to the shortest, each to the part with the least work. A stack
        without a time counts as the median. Without any times, the sizes of the parts differ by at most one.
        """
        default_seconds = median(self.seconds.values()) if self.seconds else 1.0
        work = {member.stack: self.seconds.get(member.stack, default_seconds) for member in selected}
        parts = [(0.0, number) for number in range(1, self.count + 1)]
        own_stacks = set()
        for stack in sorted(work, key=lambda stack: (-work[stack], stack)):
            load, number = heappop(parts)
            heappush(parts, (load + work[stack], number))
            if number == self.number:
                own_stacks.add(stack)
        return [member for member in selected if member.stack in own_stacks]


def times(file: Path) -> dict[str, float]:
    """Read how many seconds each stack took from the report.json of a run. An empty file has no times.

    Raises UnknownSelection for any other content: with different times, the parts would leave out stacks.
    """
    from tenantry.fleet.outcome import Report

    try:
        content = file.read_bytes()
        outcomes = Report.from_json(content).outcomes if content.strip() else ()
    except OSError as error:
        raise UnknownSelection(f"--times {file}: {error.strerror}") from None
    except ValueError:
        raise UnknownSelection(f"--times {file}: this is not the report.json of a run") from None
    return {outcome.stack: outcome.seconds for outcome in outcomes if 0 < outcome.seconds < inf}


@dataclass(frozen=True)
class Criteria:
    """The selection criteria of the user. A stack must meet all of them.

    `names` select stacks, alone or with other criteria. Of several plans, rings or values of one tag, one
    must match.
    """

    names: Sequence[str] = ()
    every: bool = False
    plans: Sequence[str] = ()
    rings: Sequence[str] = ()
    tags: Mapping[str, Collection[str]] = field(default_factory=dict)
    changed_since: str = ""
    sample: int | None = None
    shard: Shard | None = None

    @property
    def is_given(self) -> bool:
        """Whether there is any criterion. Without one, a command refuses to run on every stack."""
        return bool(self.names or self.every or self.plans or self.rings or self.tags or self.changed_since)


@dataclass(frozen=True)
class Selection:
    """The stacks of a run, sorted by name. `changes` are the changes that selected them, if any."""

    members: tuple[Member, ...]
    changes: Changes | None = None

    @property
    def removed(self) -> tuple[str, ...]:
        """Stacks whose file was removed. Their tenants still exist."""
        return self.changes.removed if self.changes else ()


def select(project: Project, root: Path, criteria: Criteria) -> Selection:
    """Return the selected stacks. Reads files and git only.

    Raises UnknownSelection for a stack, ring, plan, tag or commit that does not exist.
    """
    files = project.stack_files()
    _check(criteria, files, project)
    names = set(criteria.names) or set(files)
    all_members = members(files if criteria.tags else {name: files[name] for name in names})
    _check_tags(criteria, all_members)
    selected = [member for member in all_members if member.stack in names and _fits(member, criteria)]
    changed = None
    if criteria.changed_since:
        try:
            changed = changes.since(criteria.changed_since, project, root)
        except changes.UnknownRef as error:
            raise UnknownSelection(f"--changed-since {criteria.changed_since}: {error}") from None
        selected = _changed(selected, changed, frozenset(files.values()), criteria.sample)
    return Selection(tuple(criteria.shard.of(selected) if criteria.shard else selected), changed)


def _check(criteria: Criteria, files: Mapping[str, Path], project: Project) -> None:
    for name in criteria.names:
        if problem := missing_stack(name, files, project.stacks):
            raise UnknownSelection(problem)
    for name in criteria.plans:
        if problem_with_plan := missing_plan(name, project.stacks):
            raise UnknownSelection(f"--plan {name}: {problem_with_plan}")
    for name in criteria.rings:
        if name not in RINGS:
            raise UnknownSelection(f"--ring {name}: there is no such ring{choices(name, RINGS)}")


def _check_tags(criteria: Criteria, all_members: Sequence[Member]) -> None:
    """Refuse a tag key that no customer has.

    A value that no customer has is accepted: one may have it tomorrow.
    """
    keys = sorted({key for member in all_members for key in member.tags})
    for key in criteria.tags:
        if key not in keys:
            suggestion = choices(key, keys) if keys else ""
            raise UnknownSelection(f"--tag {key}: no customer has this tag{suggestion}")


def _fits(member: Member, criteria: Criteria) -> bool:
    """Tell whether a customer meets the criteria.

    If a broken file does not show the property, its customer is selected and fails by name. Otherwise nobody
    would notice it.
    """
    fits = {
        "plans": not criteria.plans or not set(criteria.plans).isdisjoint(member.plans),
        "ring": not criteria.rings or member.ring in criteria.rings,
        "tags": all(member.tags.get(key) in values for key, values in criteria.tags.items()),
    }
    return all(fit or name in member.unknown for name, fit in fits.items())


def _changed(
    selected: Sequence[Member], changed: Changes, stack_files: frozenset[Path], sample: int | None
) -> list[Member]:
    """Return the changed members.

    If the code has changed, return all members. With `sample`, return only that many of the unchanged ones.
    """
    resolved = frozenset(path.resolve() for path in stack_files)
    affected = {member.stack for member in selected if changed.affects(member, resolved)}
    if changed.code:
        rest = [member for member in selected if member.stack not in affected]
        affected |= {member.stack for member in (rest if sample is None else _plans_in_turn(rest)[:sample])}
    return [member for member in selected if member.stack in affected]


def _plans_in_turn(members: Sequence[Member]) -> list[Member]:
    """Return the members in an order in which the plans take turns.

    Within a plan, the order is arbitrary but fixed.
    """
    by_plan: dict[str, list[Member]] = {}
    for member in sorted(members, key=shuffle_key):
        by_plan.setdefault(member.plan, []).append(member)
    rounds = zip_longest(*(by_plan[plan] for plan in sorted(by_plan)))
    return [member for member in chain.from_iterable(rounds) if member is not None]


def shuffle_key(member: Member) -> str:
    """Return a sort key for an arbitrary order that is the same on every machine."""
    return hashlib.sha256(member.stack.encode()).hexdigest()
