"""Themes, extensions and brands: their files are no part of an import, so none is taken."""

from __future__ import annotations

from tenantry.importing.findings import Findings
from tenantry.importing.living import Living
from tenantry.providers import verbs_of
from tenantry.settings.models import BLOCKS
from tenantry.settings.models.look import FromFiles


def find(living: Living, findings: Findings) -> None:
    """Note each of them, and how it comes into the stack."""
    for block, model in BLOCKS.items():
        if not issubclass(model, FromFiles) or model.makes is None or model.makes.by_hand:
            continue
        verbs = verbs_of(model.makes.resource)
        for each in living.listed(verbs.path, verbs.page):
            findings.leave(
                f'{model.makes.noun} "{each["name"]}" ({each["id"]})',
                f"its files are not imported: keep them beside the stack file and name them under `{block}`,"
                " with `adopt: true`",
            )
