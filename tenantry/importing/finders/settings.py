"""Settings with one set per tenant, such as its group settings."""

from __future__ import annotations

from typing import Any

from tenantry.importing.findings import Findings, Found
from tenantry.importing.tenant_reader import TenantReader
from tenantry.providers import handler_of
from tenantry.settings.models import BLOCKS, ENTRIES
from tenantry.settings.models.block import Block


def find(reader: TenantReader, findings: Findings) -> None:
    """Import the current values. They are also the previous values, so a deletion changes nothing."""
    for block, model in BLOCKS.items():
        if model.mapping and block not in ENTRIES:
            _find(block, model, reader, findings)


def _find(block: str, model: type[Block], reader: TenantReader, findings: Findings) -> None:
    kind = model.mapping.resource  # type: ignore[union-attr]  # only called if it describes a resource
    handler = handler_of(kind)
    planned: dict[str, Any] = findings.plan.get(block) or {}
    live: dict[str, Any] = handler.live(reader.host)
    values = {
        key: live[name]
        for key, name in model.inputs().items()
        # A new tenant has an empty list, so the file does not need it.
        if live[name] is not None and not (live[name] == [] and planned.get(key) is None)
    }
    if values:
        findings.customer[block] = values
        kept = {name: live[name] for key, name in model.inputs().items() if key in values}
        path = f"{reader.hostname}{handler.path}"
        findings.objects.append(Found(kind, path, kept | {"before": kept}))
