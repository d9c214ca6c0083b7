"""Blocks whose entries are each one object of a plain collection, such as `web_integrations`."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tenantry.importing.findings import Findings, Found
from tenantry.importing.tenant_reader import TenantReader
from tenantry.providers import handler_of
from tenantry.settings.models import BLOCKS, ENTRIES
from tenantry.settings.models.block import Block
from tenantry.settings.models.look import FromFiles

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
"""Blocks with a module of their own here: not all that is in their collection is the stack's."""


def find(reader: TenantReader, findings: Findings) -> None:
    """Take every object of each collection, but for those that share what tells them apart."""
    for block in ENTRIES:
        if block not in BLOCKS_WITH_OWN_MODULE and not issubclass(BLOCKS[block], FromFiles):
            _find(block, BLOCKS[block], reader, findings)


def _find(block: str, model: type[Block], reader: TenantReader, findings: Findings) -> None:
    mapping, inputs = model.mapping, model.inputs()
    assert mapping is not None, f"{block} makes no resource: give it a module of its own"  # noqa: S101
    handler = handler_of(mapping.resource)
    identity = tuple(inputs[key] for key in mapping.identity)
    listed = [each for each in reader.listed(handler.path, handler.page) if handler.manages(each)]
    objects = [(each[handler.id_name], handler.decode(each)) for each in listed]
    counts = Counter(tuple(live[name] for name in identity) for _, live in objects)
    for id, live in objects:
        this = tuple(live[name] for name in identity)
        if counts[this] > 1:
            findings.add_unmanaged(
                f'{mapping.noun} "{this[0]}" ({id})', f"another one has the same {mapping.identity[0]}"
            )
            continue
        entry = {key: _said(model, key, live[name]) for key, name in inputs.items() if name in live}
        findings.add_entry(block, id, entry, *mapping.identity, key=str(live.get("name") or this[0]))
        findings.objects.append(Found(mapping.resource, id, live, identity))


def _said(model: type[Block], key: str, value: Any) -> Any:
    """Return what a stack file says of a value: nothing where Qlik has an empty text."""
    return None if value == "" and model.model_fields[key].default is None else value
