"""Settings of which a tenant has one set each, such as its group settings."""

from __future__ import annotations

from typing import Any

from tenantry.importing.findings import Findings, Found
from tenantry.importing.tenant_reader import TenantReader
from tenantry.providers import handler_of
from tenantry.settings.models import BLOCKS, ENTRIES
from tenantry.settings.models.block import Block


def find(reader: TenantReader, findings: Findings) -> None:
    """Take what is set. It is also what the end of the stack gives back: then nothing changes."""
    for block, model in BLOCKS.items():
        if model.mapping and block not in ENTRIES:
            _find(block, model, reader, findings)


def _find(block: str, model: type[Block], reader: TenantReader, findings: Findings) -> None:
    kind = model.mapping.resource  # type: ignore[union-attr]  # asked for only where it makes something
    handler = handler_of(kind)
    planned: dict[str, Any] = findings.plan.get(block) or {}
    live: dict[str, Any] = handler.live(reader.host)
    said = {
        key: live[name]
        for key, name in model.inputs().items()
        # An empty list is what a new tenant has, and no reason for a line in the file.
        if live[name] is not None and not (live[name] == [] and planned.get(key) is None)
    }
    if said:
        findings.customer[block] = said
        kept = {name: live[name] for key, name in model.inputs().items() if key in said}
        path = f"{reader.hostname}{handler.path}"
        findings.objects.append(Found(kind, path, kept | {"before": kept}))
