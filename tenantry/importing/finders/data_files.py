"""Data files of the spaces. An import does not import them, because it writes no files."""

from __future__ import annotations

from tenantry.importing.findings import Findings
from tenantry.importing.tenant_reader import TenantReader
from tenantry.providers.data_file import HANDLER
from tenantry.providers.qlik import Forbidden
from tenantry.providers.values.words import counted

BLOCK = "data_files"
PARAMS = {"includeAllSpaces": "true"}


def find(reader: TenantReader, findings: Findings) -> None:
    """List each data file of a space as not managed, with the steps to declare it. Count the others."""
    names = {space["id"]: space["name"] for space in reader.spaces}
    try:
        there = sorted(reader.host.list(HANDLER.path, PARAMS), key=lambda file: (file["name"], file["id"]))
    except Forbidden as refusal:
        findings.add_unmanaged("data files", f"the client cannot list them ({refusal.code})")
        return
    personal = 0
    for file in there:
        space = names.get(file.get("spaceId", ""))
        if space is None:
            personal += 1
            continue
        findings.add_unmanaged(
            f'data file "{file["name"]}" in space "{space}" ({file["id"]})',
            f"its content is not imported: keep the file beside the stack file and name it under `{BLOCK}`,"
            " with `adopt: true`",
        )
    if personal:
        findings.add_unmanaged(f"{counted(personal, 'data file')} in personal spaces")
