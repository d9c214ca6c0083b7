"""What a program wants of a resource, what a run is about, and where a resource is found in the state."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.crash.resources import STACK, Properties, Resource, urn_of


class Stop(Exception):
    """Ends the run; the text is what the user sees."""


@dataclass(frozen=True)
class Alias:
    """Another name, type or parent that a resource may have had; empty: as now."""

    name: str = ""
    type: str = ""
    parent: str = ""
    no_parent: bool = False
    urn: str = ""


@dataclass
class Goal:
    """A resource as a program wants it."""

    type: str
    name: str
    custom: bool
    inputs: Properties
    parent: str = ""
    protect: bool | None = None
    delete_before_replace: bool | None = None
    deleted_with: str = ""
    dependencies: list[str] = field(default_factory=list)
    property_dependencies: dict[str, list[str]] = field(default_factory=dict)
    aliases: list[Alias] = field(default_factory=list)


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
    """The URNs that a resource may have had, by its aliases and those of its parent.

    `renamed` are the URNs that were found so in this run: old -> new.
    """
    stack, project = urn.removeprefix("urn:pulumi:").split("::")[:2]
    was = {new: old for old, new in renamed.items()}

    def resolved(alias: Alias) -> str:
        parent = was.get(alias.parent, alias.parent) or goal.parent
        if alias.no_parent or parent.split("::")[2:3] == [STACK]:
            parent = ""
        return alias.urn or urn_of(stack, project, parent, alias.type or goal.type, alias.name or goal.name)

    found = [resolved(alias) for alias in goal.aliases]
    if goal.parent in was:
        above = was[goal.parent]
        for type, name in [(goal.type, goal.name), *map(_type_and_name, found)]:
            now = _type_and_name(goal.parent)[1]
            if name.startswith(now):  # a habit of programs: "<parent>-part"
                name = _type_and_name(above)[1] + name.removeprefix(now)
            found.append(urn_of(stack, project, above, type, name))
    return list(dict.fromkeys(found))


def _type_and_name(urn: str) -> tuple[str, str]:
    _, _, types, name = urn.split("::", 3)
    return types.rpartition("$")[2], name


def is_asked_to_replace(options: Options, each: Resource, old: Resource | None) -> bool:
    """Whether the user asked for the replacement, or marked the entry as tainted."""
    return bool({each.urn, each.name} & options.replace) or bool(old and old.taint)
