"""The import of each resource type. `settings` and `entries` handle the types whose objects all belong to the
stack. The other types have one module per topic.

Each module has a function `find(reader, findings)`. It adds the objects and their entries in the stack file,
and records what it does not import and why. They run in the order of `FINDERS`: a type follows the types that
it refers to.
"""

from __future__ import annotations

from collections.abc import Callable

from tenantry.importing.finders import (
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
from tenantry.importing.findings import Findings
from tenantry.importing.tenant_reader import TenantReader

FINDERS: tuple[Callable[[TenantReader, Findings], None], ...] = (
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
    """Read all objects that a stack could manage."""
    for find in FINDERS:
        find(reader, findings)
