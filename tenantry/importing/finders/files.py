"""Entries with their content in files, such as themes. An import does not import them: it writes no files."""

from __future__ import annotations

from tenantry.importing.findings import Findings
from tenantry.importing.tenant_reader import TenantReader
from tenantry.providers import handler_of
from tenantry.providers.qlik import Forbidden
from tenantry.settings.models import BLOCKS
from tenantry.settings.models.appearance import FromFiles
from tenantry.settings.models.identity_providers import LOGIN_BLOCKS

BLOCKS_WITH_OWN_MODULE = ("data_files",)
"""Blocks with their own module here, because their collection is not a plain one."""


def find(reader: TenantReader, findings: Findings) -> None:
    """List each object as not managed, with the steps to declare it."""
    for block, model in BLOCKS.items():
        if (
            block in BLOCKS_WITH_OWN_MODULE
            or not issubclass(model, FromFiles)
            or model.mapping is None
            or model.mapping.has_own_code
        ):
            continue
        if block in LOGIN_BLOCKS:
            continue  # see logins
        handler = handler_of(model.mapping.resource)
        try:
            there = reader.listed(handler.path, handler.page)
        except Forbidden as refusal:
            findings.add_unmanaged(f"{model.mapping.noun}s", f"the client cannot list them ({refusal.code})")
            continue
        for item in there:
            findings.add_unmanaged(
                f'{model.mapping.noun} "{item["name"]}" ({item["id"]})',
                f"its files are not imported: keep them beside the stack file and name them under `{block}`,"
                " with `adopt: true`",
            )
