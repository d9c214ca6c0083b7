"""What was found in a tenant: how it stands in a stack file, and which object each resource is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic.fields import FieldInfo

from tenantry.settings.models import Customer
from tenantry.settings.models.block import block_of

Properties = dict[str, Any]


@dataclass(frozen=True)
class Found:
    """An object that a resource is for: of which kind, its id, and its properties as they are at Qlik.

    `identity` names the properties by which the resource of the program is told from others of its kind; it
    is empty where a tenant has one.
    """

    kind: str
    id: str
    live: Properties
    identity: tuple[str, ...] = ()

    def is_for(self, kind: str, inputs: Mapping[str, Any]) -> bool:
        """Tell whether a resource of that kind with these inputs is this object."""
        return kind == self.kind and all(inputs.get(name) == self.live.get(name) for name in self.identity)

    def differences(self, inputs: Mapping[str, Any]) -> list[str]:
        """Return the properties that the program would set to something else than they are."""
        return [name for name in self.live if name in inputs and inputs[name] != self.live[name]]


@dataclass
class Findings:
    """What the kinds found. `plan` has the values of the plan that the customer is on, merged.

    `customer` is what the stack file would say without a plan. A key with None is one that was looked for and
    is not there; a key that is missing says nothing, and the plan's counts.
    """

    plan: Properties = field(default_factory=dict)
    customer: Properties = field(default_factory=dict)
    objects: list[Found] = field(default_factory=list)
    unmanaged: list[str] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)
    """The keys in the stack file, by the ids of the objects that they are for."""

    def add_entry(self, block: str, id: str, entry: Properties, *identity: str, key: str = "") -> Properties:
        """Add an entry to a block such as `groups`, under the key that the plan has for it, or its name.

        `identity`: what tells the entries of the block from each other. `key`: for one without a name.
        """
        entries = self.customer.setdefault(block, {})
        planned = self.plan.get(block) or {}
        fields = _fields(block)
        fitting = (
            each
            for each, of_plan in planned.items()
            if each not in entries
            and all({"name": each, **of_plan}.get(n, default(fields[n])) == entry[n] for n in identity)
        )
        more = [str(entry[each]) for each in identity if each != "name"]
        taken = entries.keys() | planned.keys()
        key = next(fitting, "") or _free(key or entry["name"], more, taken)
        entries[key] = entry
        self.keys[id] = key
        return entry

    def add_unmanaged(self, what: str, why: str = "") -> None:
        """Note something that the stack does not manage."""
        self.unmanaged.append(f"{what}: {why}" if why else what)


def default(field: FieldInfo) -> Any:
    """Return what a key of a block means where it is not there; None for a required one."""
    return None if field.is_required() else field.get_default(call_default_factory=True)


def _fields(block: str) -> dict[str, FieldInfo]:
    entry = block_of(Customer.model_fields[block].annotation)
    return entry.model_fields if entry else {}


def _free(name: str, more: list[str], taken: set[str]) -> str:
    names = [name, *(f"{name} ({each})" for each in more)]
    names += [f"{name} ({number})" for number in range(2, len(taken) + 3)]
    return next(each for each in names if each not in taken)
