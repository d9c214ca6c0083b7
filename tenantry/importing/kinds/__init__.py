"""What an import knows of each kind, one module per theme.

Each has a function `find(living, findings)`, which adds the objects of its kinds, says how they stand in a
stack file, and notes what it leaves alone and why. They run in the order of `KINDS`: what refers to others
comes after them.
"""

from __future__ import annotations

from collections.abc import Callable

from tenantry.importing.findings import Findings
from tenantry.importing.kinds import apps, groups, logins, people, settings, spaces, tenant
from tenantry.importing.living import Living

KINDS: tuple[Callable[[Living, Findings], None], ...] = (
    tenant.find,
    settings.find,
    logins.find,
    people.find,
    groups.find,
    spaces.find,
    apps.find,
)


def find_all(living: Living, findings: Findings) -> None:
    """Read all that a stack could manage."""
    for find in KINDS:
        find(living, findings)
