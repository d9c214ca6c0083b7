"""Blocks in which each entry is one object of a plain collection, such as `web_integrations`."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tenantry.importing.findings import Findings, Found
from tenantry.importing.tenant_reader import TenantReader
from tenantry.providers import handler_of
from tenantry.settings.models import BLOCKS, ENTRIES
from tenantry.settings.models.appearance import FromFiles
from tenantry.settings.models.block import Block

BLOCKS_WITH_OWN_MODULE = (
    "jwt_identity_providers",
    "oauth_clients",
    "users",
    "admins",
    "groups",
    "spaces",
    "data_connections",
    "apps",
    "reload_tasks",
)
"""Blocks with their own module here, because not all objects in their collection belong to the stack."""


def find(reader: TenantReader, findings: Findings) -> None:
    """Import every object of each collection, except objects with the same identity."""
    for block in ENTRIES:
        if block not in BLOCKS_WITH_OWN_MODULE and not issubclass(BLOCKS[block], FromFiles):
            _find(block, BLOCKS[block], reader, findings)


def _find(block: str, model: type[Block], reader: TenantReader, findings: Findings) -> None:
    mapping, inputs = model.mapping, model.inputs()
    assert mapping is not None, f"{block} describes no resource: give it its own module"  # noqa: S101
    handler = handler_of(mapping.resource)
    identity = tuple(inputs[key] for key in mapping.identity)
    listed = [item for item in reader.listed(handler.path, handler.page) if handler.manages(item)]
    objects = [(item[handler.id_name], handler.decode(item)) for item in listed]
    counts = Counter(tuple(live[name] for name in identity) for _, live in objects)
    for id, live in objects:
        this = tuple(live[name] for name in identity)
        if counts[this] > 1:
            findings.add_unmanaged(
                f'{mapping.noun} "{this[0]}" ({id})', f"another one has the same {mapping.identity[0]}"
            )
            continue
        entry = {
            key: _stack_file_value(model, key, live[name]) for key, name in inputs.items() if name in live
        }
        findings.add_entry(block, id, entry, *mapping.identity, key=str(live.get("name") or this[0]))
        findings.objects.append(Found(mapping.resource, id, live, identity))


def _stack_file_value(model: type[Block], key: str, value: Any) -> Any:
    """Return a value as in a stack file: None for an empty text at Qlik."""
    return None if value == "" and model.model_fields[key].default is None else value
