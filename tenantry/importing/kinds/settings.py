"""Group settings and licence settings."""

from __future__ import annotations

from typing import Any

from tenantry.importing.findings import Findings, Found
from tenantry.importing.living import Living
from tenantry.providers import group_settings, license_settings

EVERYONE = "everyone_roles"


def find(living: Living, findings: Findings) -> None:
    """Take what is set. It is also what the end of the stack gives back: then nothing changes."""
    for block, verbs in (
        ("group_settings", group_settings.VERBS),
        ("license_settings", license_settings.VERBS),
    ):
        live = {name: value for name, value in verbs.live(living.host).items() if value is not None}
        planned: dict[str, Any] = findings.plan.get(block) or {}
        if live.get(EVERYONE) == [] and planned.get(EVERYONE) is None:
            del live[EVERYONE]
        if not live:
            continue
        findings.customer[block] = live
        path = f"{living.hostname}{verbs.path}"
        findings.objects.append(Found(verbs.kind.__name__, path, live | {"before": live}))
