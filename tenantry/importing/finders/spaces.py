"""Spaces, and the access to them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tenantry.importing.findings import Findings, Found
from tenantry.importing.tenant_reader import Json, TenantReader
from tenantry.providers.space import HANDLER
from tenantry.providers.space_assignment import HANDLER as ASSIGNMENTS
from tenantry.providers.values.words import counted

ACCESS = {"group": "access", "user": "user_access", "bot": "bot_access"}
"""The key in a stack file for the access of each type of assignee."""


def find(reader: TenantReader, findings: Findings) -> None:
    """Import every space, with the access of bots, and of the groups and people in the stack."""
    for space in reader.spaces:
        live = HANDLER.decode(space)
        entry: dict[str, Any] = {
            "name": live["name"],
            "type": live["type"],
            "description": live["description"] or None,
            "owner": None,
            **{field: {} for field in ACCESS.values()},
        }
        findings.add_entry("spaces", space["id"], entry, "name")
        findings.objects.append(Found("Space", space["id"], live, ("name",)))
        planned = (findings.plan.get("spaces") or {}).get(findings.keys[space["id"]]) or {}
        if planned.get("owner") and planned["owner"] == findings.keys.get(space["ownerId"]):
            entry["owner"] = planned["owner"]
        _access(reader, findings, space, entry)


def _access(reader: TenantReader, findings: Findings, space: Json, entry: dict[str, Any]) -> None:
    others: Counter[str] = Counter()
    for assignment in reader.assignments[space["id"]]:
        kind, assignee = assignment["type"], assignment["assigneeId"]
        key = assignee if kind == "bot" else findings.keys.get(assignee)
        if assignee == reader.bot:
            continue
        if key is None or key == entry["owner"]:
            others[kind] += 1
            continue
        live = ASSIGNMENTS.decode(assignment) | {"space": space["id"], "assignee": assignee}
        findings.objects.append(Found("SpaceAssignment", assignment["id"], live, ("space", "assignee")))
        entry[ACCESS[kind]][key] = live["roles"]
    for kind, number in others.items():
        findings.add_unmanaged(f'access to space "{entry["name"]}"', f"of {counted(number, kind)}")
