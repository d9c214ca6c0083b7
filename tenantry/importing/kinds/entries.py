"""Blocks whose entries are each one object of a plain collection, such as `web_integrations`."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tenantry.importing.findings import Findings, Found
from tenantry.importing.living import Living
from tenantry.providers import handler_of
from tenantry.settings.models import BLOCKS, ENTRIES
from tenantry.settings.models.block import Block
from tenantry.settings.models.look import FromFiles

BY_HAND = (
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


def find(living: Living, findings: Findings) -> None:
    """Take every object of each collection, but for those that share what tells them apart."""
    for block in ENTRIES:
        if block not in BY_HAND and not issubclass(BLOCKS[block], FromFiles):
            _find(block, BLOCKS[block], living, findings)


def _find(block: str, model: type[Block], living: Living, findings: Findings) -> None:
    makes, inputs = model.makes, model.inputs()
    assert makes is not None, f"{block} makes no resource: give it a module of its own"  # noqa: S101
    handler = handler_of(makes.resource)
    identity = tuple(inputs[key] for key in makes.identity)
    listed = [each for each in living.listed(handler.path, handler.page) if handler.manages(each)]
    objects = [(each[handler.id_name], handler.decode(each)) for each in listed]
    counts = Counter(tuple(live[name] for name in identity) for _, live in objects)
    for id, live in objects:
        this = tuple(live[name] for name in identity)
        if counts[this] > 1:
            findings.leave(
                f'{makes.noun} "{this[0]}" ({id})', f"another one has the same {makes.identity[0]}"
            )
            continue
        entry = {key: _said(model, key, live[name]) for key, name in inputs.items() if name in live}
        findings.entry(block, id, entry, *makes.identity, key=str(live.get("name") or this[0]))
        findings.objects.append(Found(makes.resource, id, live, identity))


def _said(model: type[Block], key: str, value: Any) -> Any:
    """Return what a stack file says of a value: nothing where Qlik has an empty text."""
    return None if value == "" and model.model_fields[key].default is None else value
