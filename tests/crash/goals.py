"""What a program wants of a resource, what a run is about, and where a resource is found in the state."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.crash.resources import Properties, Resource


class Stop(Exception):
    """Ends the run; the text is what the user sees."""


@dataclass
class Goal:
    """A resource as a program wants it."""

    type: str
    name: str
    custom: bool
    inputs: Properties
    parent: str = ""
    protect: bool = False
    delete_before_replace: bool | None = None
    deleted_with: str = ""
    dependencies: list[str] = field(default_factory=list)
    property_dependencies: dict[str, list[str]] = field(default_factory=dict)
    former_names: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Options:
    """Which resources a run is about, by URN or by type and name ("Space Sales"); nothing: all.

    `parallel` is how many steps are begun at the same time: where one fails, those after it that had been
    asked for by then are done all the same.
    """

    targets: frozenset[str] = frozenset()
    target_dependents: bool = False
    replace: frozenset[str] = frozenset()
    parallel: int = 1


def former_urns(goal: Goal, urn: str, renamed: dict[str, str]) -> list[str]:
    """The URNs that a resource may have had, by its former names and those of its parent.

    `renamed` are the URNs that were found so in this run: old -> new.
    """
    start, _, name = urn.rpartition("::")
    found = [f"{start}::{former}" for former in goal.former_names]
    was = {new: old for old, new in renamed.items()}
    if goal.parent in was:
        now, before = (parent.rpartition("::")[2] for parent in (goal.parent, was[goal.parent]))
        for candidate in (name, *goal.former_names):
            # A habit of programs: "<parent>-part".
            former = before + candidate.removeprefix(now) if candidate.startswith(now) else candidate
            found.append(f"{start}::{former}")
    return list(dict.fromkeys(found))


def is_asked_to_replace(options: Options, entry: Resource, old: Resource | None) -> bool:
    """Whether the user asked for the replacement, or marked the entry as tainted."""
    return bool({entry.urn, entry.name} & options.replace) or bool(old and old.taint)
