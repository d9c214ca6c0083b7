"""What an import knows of each resource type: `settings` and `entries` for all whose objects are the stack's
without exception, and one module per theme for the others.

Each has a function `find(reader, findings)`, which adds the objects, says how they stand in a stack file, and
notes what it leaves alone and why. They run in the order of `KINDS`: what refers to others comes after them.
"""

from __future__ import annotations

from collections.abc import Callable

from tenantry.importing.findings import Findings
from tenantry.importing.kinds import (
    apps,
    data_connections,
    data_files,
    entries,
    files,
    groups,
    logins,
    oauth_clients,
    people,
    reload_tasks,
    settings,
    spaces,
    tenant,
)
from tenantry.importing.tenant_reader import TenantReader

KINDS: tuple[Callable[[TenantReader, Findings], None], ...] = (
    tenant.find,
    settings.find,
    entries.find,
    files.find,
    logins.find,
    oauth_clients.find,
    people.find,
    groups.find,
    spaces.find,
    data_connections.find,
    data_files.find,
    apps.find,
    reload_tasks.find,
)


def find_all(reader: TenantReader, findings: Findings) -> None:
    """Read all that a stack could manage."""
    for find in KINDS:
        find(reader, findings)
