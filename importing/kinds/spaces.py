"""Spaces, and who has access to them."""

from __future__ import annotations

from collections import Counter

from importing.findings import Findings, Found
from importing.living import Json, Living
from providers.space import VERBS
from providers.space_assignment import VERBS as ASSIGNMENTS


def find(living: Living, findings: Findings) -> None:
    """Take every space and the access of groups."""
    for space in living.spaces:
        live = VERBS.decode(space)
        entry = {
            "name": live["name"],
            "type": live["type"],
            "description": live["description"] or None,
            "access": {},
        }
        findings.entry("spaces", space["id"], entry, "name")
        findings.objects.append(Found("Space", space["id"], live, ("name",)))
        others: Counter[str] = Counter()
        for assignment in living.assignments[space["id"]]:
            if assignment["type"] == "group" and assignment["assigneeId"] in findings.keys:
                roles = _take(assignment, space, findings)
                entry["access"][findings.keys[assignment["assigneeId"]]] = roles
            else:
                others[assignment["type"]] += 1
        for kind, number in others.items():
            findings.leave(f'access to space "{live["name"]}"', f"of {number} {kind}{'s' * (number > 1)}")


def _take(assignment: Json, space: Json, findings: Findings) -> list[str]:
    live = ASSIGNMENTS.decode(assignment) | {"space": space["id"], "assignee": assignment["assigneeId"]}
    findings.objects.append(Found("SpaceAssignment", assignment["id"], live, ("space", "assignee")))
    roles: list[str] = live["roles"]
    return roles
