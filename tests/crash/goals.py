"""A resource as the program wants it, its former URNs, and the options of a run."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.crash.resources import Properties, Resource


class Stop(Exception):
    """An error that ends a run; the text is the message for the user."""


@dataclass
class Goal:
    """A resource as the program declares it."""

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
    """The targets of a run, by URN or by type and name ("Space Sales"). No targets means all resources.

    `parallel` is the number of steps that begin at the same time. If one fails, the steps that were requested
    before the failure still run.
    """

    targets: frozenset[str] = frozenset()
    target_dependents: bool = False
    replace: frozenset[str] = frozenset()
    parallel: int = 1


def former_urns(goal: Goal, urn: str, renamed: dict[str, str]) -> list[str]:
    """Return the possible former URNs of a resource, from its former names and its parent's former names.

    `renamed` maps the former URNs that this run has already found to the new ones.
    """
    start, _, name = urn.rpartition("::")
    found = [f"{start}::{former}" for former in goal.former_names]
    old_urns = {new: old for old, new in renamed.items()}
    if goal.parent in old_urns:
        new_parent, old_parent = (urn.rpartition("::")[2] for urn in (goal.parent, old_urns[goal.parent]))
        for candidate in (name, *goal.former_names):
            # Programs often use the name "<parent>-part".
            if candidate.startswith(new_parent):
                candidate = old_parent + candidate.removeprefix(new_parent)
            found.append(f"{start}::{candidate}")
    return list(dict.fromkeys(found))


def is_replacement_requested(options: Options, entry: Resource, old: Resource | None) -> bool:
    """Tell whether the user requested the replacement, or tainted the entry."""
    return bool({entry.urn, entry.name} & options.replace) or bool(old and old.taint)
