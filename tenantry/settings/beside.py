"""Files beside the stack file or plan that names them: keys and archives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tenantry.settings.archive_files import with_archives
from tenantry.settings.errors import Problem
from tenantry.settings.pem_files import with_keys
from tenantry.settings.sources import Sources


def with_files(customer: Any, sources: Sources, directory: Path) -> tuple[Any, list[Problem]]:
    """Return the values of a customer or plan with what their files say, and what is wrong with those."""
    customer, unread = with_keys(customer, sources, directory)
    customer, unpacked = with_archives(customer, sources, directory)
    return customer, [*unread, *unpacked]
