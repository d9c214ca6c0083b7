"""The merge of a customer over its plan: maps merge, lists replace, and an empty value removes a key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tenantry.settings.document import Keys
from tenantry.settings.models import ENTRIES, NAMED


def merge(plan: Any, customer: Any) -> Any:
    """Return `customer` merged over `plan`; neither is changed."""
    if not (isinstance(plan, dict) and isinstance(customer, dict)):
        return customer
    both = {**plan, **{key: merge(plan.get(key), value) for key, value in customer.items()}}
    return {
        key: value for key, value in both.items() if not (value is None and key in plan and key in customer)
    }


def removals(plan: Any, customer: Any) -> Iterator[tuple[Keys, bool]]:
    """Yield the path of every entry, such as a group, that `customer` removes, and whether `plan` has it."""
    for block in ENTRIES:
        declared = _mapping(plan, block)
        whole_block = isinstance(customer, dict) and block in customer and customer[block] is None
        entries = dict.fromkeys(declared) if whole_block else _mapping(customer, block)
        yield from (((block, key), key in declared) for key, value in entries.items() if value is None)


def _mapping(values: Any, block: str) -> dict[str, Any]:
    found = values.get(block) if isinstance(values, dict) else None
    return found if isinstance(found, dict) else {}


def complete(values: Any) -> Any:
    """Return merged values for the models: each entry has a name, and empty values are removed."""
    if not isinstance(values, dict):
        return values
    return {
        key: _entries(value, named=key in NAMED) if key in ENTRIES else _without_empty(value)
        for key, value in _set(values)
    }


def _entries(block: Any, *, named: bool) -> Any:
    if not isinstance(block, dict):
        return block
    return {key: _entry({} if entry is None else entry, key if named else "") for key, entry in block.items()}


def _entry(entry: Any, name: str) -> Any:
    if not isinstance(entry, dict):
        return entry
    return ({"name": name} if name else {}) | _without_empty(entry)


def _without_empty(value: Any) -> Any:
    return {key: _without_empty(part) for key, part in _set(value)} if isinstance(value, dict) else value


def _set(values: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((key, value) for key, value in values.items() if value is not None)
