"""The parts of a state, with the names of `pulumi stack export`, and the dependencies of resources."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from tests.e2e.result import short_name

Properties = dict[str, Any]
STACK = "pulumi:pulumi:Stack"


@dataclass(eq=False)
class Resource:
    """One entry of a state. Entries are compared by identity, because two of them can have the same URN."""

    urn: str
    type: str
    custom: bool
    inputs: Properties = field(default_factory=dict)
    id: str = ""
    outputs: Properties = field(default_factory=dict)
    parent: str = ""
    protect: bool = False
    taint: bool = False
    delete: bool = False
    """Whether the resource is already replaced, and its deletion is pending."""
    pendingReplacement: bool = False
    """Whether the resource is already deleted, and its replacement is pending."""
    deletedWith: str = ""
    dependencies: list[str] = field(default_factory=list)
    propertyDependencies: dict[str, list[str]] = field(default_factory=dict)
    initErrors: list[str] = field(default_factory=list)
    former_urn: str = ""
    """The former URN, if this run has changed the URN. It is never stored."""

    @property
    def name(self) -> str:
        """Type and name, such as "Space Sales"."""
        return short_name(self.urn)

    def needs(self) -> set[str]:
        """Return the URNs of all dependencies, without the parent."""
        by_property = {urn for urns in self.propertyDependencies.values() for urn in urns}
        return {*self.dependencies, *by_property, self.deletedWith} - {""}

    def copy(self, **changes: Any) -> Resource:
        """Return a copy with some changes."""
        return Resource(**deepcopy(vars(self)) | changes)

    def as_json(self) -> dict[str, Any]:
        """Return the entry as in an export, without empty values."""
        values = {name: value for name, value in vars(self).items() if value and name != "former_urn"}
        return {"urn": self.urn, "type": self.type, "custom": self.custom, **values}


@dataclass
class State:
    """The state of a stack: its entries, each after all of its dependencies.

    `pending` are the pending operations of a killed run: pairs of the operation ("creating") and the URN.
    """

    resources: list[Resource] = field(default_factory=list)
    pending: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def from_json(cls, state: dict[str, Any]) -> State:
        """Read the output of `as_json`, or the `deployment` of an export; skip the engine's own providers."""
        known = {attribute.name for attribute in fields(Resource)}
        entries = [
            Resource(**{name: value for name, value in resource.items() if name in known})
            for resource in state.get("resources") or []
            if not resource["type"].startswith("pulumi:providers:")
        ]
        operations = state.get("pending_operations") or []
        return cls(entries, [(operation["type"], operation["resource"]["urn"]) for operation in operations])

    def as_json(self) -> dict[str, Any]:
        """Return the state with the names of an export."""
        operations = [{"type": operation, "resource": {"urn": urn}} for operation, urn in self.pending]
        return {
            "resources": [resource.as_json() for resource in self.resources],
            **({"pending_operations": operations} if operations else {}),
        }

    @classmethod
    def load(cls, path: Path) -> State:
        """Read a file. A missing file counts as an empty state."""
        return cls.from_json(json.loads(path.read_text("utf-8"))) if path.exists() else cls()

    def save(self, path: Path) -> None:
        """Write a file atomically."""
        draft = path.with_suffix(".new")
        draft.write_text(json.dumps(self.as_json(), indent=1), "utf-8")
        draft.replace(path)

    def copy(self) -> State:
        """Return a deep copy."""
        return State.from_json(json.loads(json.dumps(self.as_json())))

    def __iter__(self) -> Iterator[Resource]:
        return (resource for resource in self.resources if resource.type != STACK)

    def __getitem__(self, name: str) -> Resource:
        """Return the entry of that type and name ("Space Sales") without a pending deletion."""
        found = [resource for resource in self.resources if resource.name == name and not resource.delete]
        if len(found) != 1:
            raise KeyError(f"{name}: {len(found)} in {[resource.name for resource in self.resources]}")
        return found[0]

    @property
    def names(self) -> list[str]:
        """Type and name of every entry in order, without the stack itself."""
        return [resource.name for resource in self]


def urn_of(stack: str, project: str, parent: str, type: str, name: str) -> str:
    """Build a URN, with the types of all parents except the stack."""
    parent_types = parent.split("::")[2] if parent else STACK
    prefix = "" if parent_types == STACK else f"{parent_types}$"
    return f"urn:pulumi:{stack}::{project}::{prefix}{type}::{name}"


def dependents(
    entries: list[Resource], root: Resource, ignored: Iterable[str], *, children: bool
) -> list[Resource]:
    """Return all direct and indirect dependents of an entry, in order; optionally, also its children."""
    found: list[Resource] = []
    known, ignored = {root.urn}, set(ignored)
    for entry in entries[entries.index(root) + 1 :]:
        parent = {entry.parent} if children else set()
        if entry.urn not in ignored and known & (entry.needs() | parent):
            found.append(entry)
            known.add(entry.urn)
    return found


def direct_needs(entries: list[Resource], entry: Resource) -> set[Resource]:
    """Return the direct dependencies of an entry, including its parent."""
    needed = entry.needs() | {entry.parent}
    return {other for other in entries[: entries.index(entry)] if other.urn in needed}


def all_needs(entries: list[Resource], entry: Resource) -> set[Resource]:
    """Return the direct and indirect dependencies of an entry."""
    found: set[Resource] = set()
    urns = [*entry.needs(), entry.parent]
    while urns:
        urn = urns.pop()
        candidates = [other for other in entries if other.urn == urn and other not in found]
        # Old entries refer to old entries if both old and new ones exist.
        needed = [other for other in candidates if other.delete == entry.delete] or candidates
        found |= set(needed)
        urns += [indirect for other in needed for indirect in (*other.needs(), other.parent)]
    return found - {entry}
