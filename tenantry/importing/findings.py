"""The result of reading a tenant: its entries in a stack file, and the object of each resource."""

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
    """An object at Qlik that a resource will manage: its resource type, its id, and its properties at Qlik.

    `identity` names the properties that identify the resource in the program among those of its type. It is
    empty if a tenant has only one.
    """

    kind: str
    id: str
    live: Properties
    identity: tuple[str, ...] = ()

    def is_for(self, kind: str, inputs: Mapping[str, Any]) -> bool:
        """Return whether a resource of this type with these inputs is this object."""
        return kind == self.kind and all(inputs.get(name) == self.live.get(name) for name in self.identity)

    def differences(self, inputs: Mapping[str, Any]) -> list[str]:
        """Return the properties that the program would change."""
        return [name for name in self.live if name in inputs and inputs[name] != self.live[name]]


@dataclass
class Findings:
    """The objects and settings of the tenant. `plan` has the merged values of the customer's plan.

    `customer` is the content of the stack file without a plan. A key with None does not exist in the tenant.
    If a key is missing, the value of the plan applies.
    """

    plan: Properties = field(default_factory=dict)
    customer: Properties = field(default_factory=dict)
    objects: list[Found] = field(default_factory=list)
    unmanaged: list[str] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)
    """The keys in the stack file, by the ids of their objects."""

    def add_entry(self, block: str, id: str, entry: Properties, *identity: str, key: str = "") -> Properties:
        """Add an entry to a block such as `groups`, under its key in the plan, or under its name.

        `identity`: the keys that identify an entry of the block. `key`: the key for an entry without a name.
        """
        entries = self.customer.setdefault(block, {})
        planned = self.plan.get(block) or {}
        fields = _fields(block)
        fitting = (
            candidate
            for candidate, of_plan in planned.items()
            if candidate not in entries
            and all({"name": candidate, **of_plan}.get(n, default(fields[n])) == entry[n] for n in identity)
        )
        more = [str(entry[name]) for name in identity if name != "name"]
        taken = entries.keys() | planned.keys()
        key = next(fitting, "") or _free(key or entry["name"], more, taken)
        entries[key] = entry
        self.keys[id] = key
        return entry

    def add_unmanaged(self, what: str, why: str = "") -> None:
        """Record something that the stack does not manage."""
        self.unmanaged.append(f"{what}: {why}" if why else what)


def default(field: FieldInfo) -> Any:
    """Return the default of a key of a block, or None if the key is required."""
    return None if field.is_required() else field.get_default(call_default_factory=True)


def _fields(block: str) -> dict[str, FieldInfo]:
    entry = block_of(Customer.model_fields[block].annotation)
    return entry.model_fields if entry else {}


def _free(name: str, more: list[str], taken: set[str]) -> str:
    names = [name, *(f"{name} ({suffix})" for suffix in more)]
    names += [f"{name} ({number})" for number in range(2, len(taken) + 3)]
    return next(candidate for candidate in names if candidate not in taken)
