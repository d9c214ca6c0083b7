"""Groups."""

from __future__ import annotations

from tenantry.importing.findings import Findings, Found
from tenantry.importing.tenant_reader import Json, TenantReader
from tenantry.providers.group import HANDLER
from tenantry.providers.values.words import counted


def find(reader: TenantReader, findings: Findings) -> None:
    """Import the groups with roles or access, the custom groups, and the groups that our client created.

    The logins of users created the other groups.
    """
    assignees = {item["assigneeId"] for found in reader.assignments.values() for item in found}
    left = []
    for group in sorted(reader.groups, key=lambda group: group.get("providerType") == "custom"):
        live = HANDLER.decode(group)
        is_used = live["roles"] or group["id"] in assignees or live["provider_type"] == "custom"
        if not is_used and group.get("createdBy") != reader.bot:
            left.append(group)
            continue
        entry = {name: live[name] for name in ("name", "provider_type", "roles")}
        entry["description"] = live["description"] or None
        findings.add_entry("groups", group["id"], entry, "name", "provider_type")
        findings.objects.append(Found("Group", group["id"], live, ("name", "provider_type")))
    _report(left, findings)


def _report(left: list[Json], findings: Findings) -> None:
    if left:
        names = ", ".join(f'"{group["name"]}"' for group in left[:10]) + (", …" if left[10:] else "")
        findings.add_unmanaged(f"{counted(len(left), 'group')} without roles and without access", names)
