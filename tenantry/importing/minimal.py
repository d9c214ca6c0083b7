"""The stack file of an imported tenant, without values that the plan or a default already has."""

from __future__ import annotations

from typing import Any

import yaml

from tenantry.importing.findings import Findings, Properties, default
from tenantry.settings.models import ENTRIES, Customer
from tenantry.settings.models.block import Block, block_of
from tenantry.settings.writing import Dumper

SHORT = 80
"""The longest mapping on one line, in characters."""


def minimal(findings: Findings) -> Properties:
    """Return the customer of a stack file that equals the findings when merged over the plan.

    If the tenant has nothing of a block in the plan, the block is empty in the result.
    """
    none: Properties = {name: {} for name in ENTRIES if findings.plan.get(name)}
    return _difference(none | findings.customer, findings.plan, Customer)


def _difference(found: Properties, plan: Properties, block: type[Block]) -> Properties:
    difference: Properties = {}
    for name, value in found.items():
        field = block.model_fields[name]
        inner = block_of(field.annotation)
        if name in ENTRIES and inner:
            changed: Any = _entries(value, plan.get(name) or {}, inner)
        elif inner and isinstance(value, dict):
            changed = _difference(value, plan.get(name) or {}, inner)
        elif isinstance(value, dict):
            changed = _map(value, plan.get(name) or {})
        elif _same(value, plan.get(name, default(field))):
            continue
        else:
            difference[name] = value
            continue
        if changed:
            difference[name] = changed
    return difference


def _entries(found: Properties, plan: Properties, block: type[Block]) -> Properties:
    difference: Properties = {}
    for key, entry in found.items():
        of_plan = {"name": key, **(plan.get(key) or {})}
        changed = _difference(entry, of_plan, block)
        if changed or key not in plan:
            difference[key] = changed
    return difference | {key: None for key in plan if key not in found}


def _map(found: Properties, plan: Properties) -> Properties:
    difference = {key: value for key, value in found.items() if not _same(value, plan.get(key))}
    return difference | {key: None for key in plan if key not in found}


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return sorted(one) == sorted(other)
    return bool(one == other)


def as_text(config: Properties, *, head: str, short: bool = True) -> str:
    """Return the text of a stack file with these keys under `config:`, below the comment `head`.

    With `short`, a mapping that fits on one line is on one line.
    """
    text = yaml.dump(
        {"config": config},
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=100,
        default_flow_style=None if short else False,
    )
    return "".join(f"# {line}\n" for line in head.splitlines()) + text


class _Dumper(Dumper):
    """YAML dumper that writes only short mappings on one line."""

    def represent_mapping(self, tag: str, mapping: Any, flow_style: bool | None = None) -> yaml.MappingNode:
        """Return the node, with one key per line if a single line would be too long."""
        node = super().represent_mapping(tag, mapping, flow_style)
        if len(str(mapping)) > SHORT:
            node.flow_style = False
        return node
