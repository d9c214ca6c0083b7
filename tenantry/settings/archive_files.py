"""Themes and extensions whose files lie beside the stack file or plan that names them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tenantry.providers.qlik import ConfigurationError
from tenantry.providers.values import archives
from tenantry.settings.document import Keys
from tenantry.settings.errors import Problem
from tenantry.settings.models import BLOCKS
from tenantry.settings.models.look import Archived
from tenantry.settings.sources import CUSTOMER, Sources


def with_archives(customer: Any, sources: Sources, directory: Path) -> tuple[Any, list[Problem]]:
    """Return the values of a customer or plan with each `path` of an archive as a whole one, and problems.

    A path is from the folder of the file that says it: `directory` for the stack file, `plans/` there for a
    plan.
    """
    problems: list[Problem] = []
    for block, model in BLOCKS.items():
        if not issubclass(model, Archived):
            continue
        found: dict[str, Any] = {}
        for key, entry in _entries(customer, block):
            keys: Keys = (CUSTOMER, block, key, "path")
            folder = directory / "plans" if sources.of(keys).is_plan else directory
            path = folder.absolute() / entry["path"]
            try:
                archives.read(path, theme=model.theme)
            except ConfigurationError as error:
                problems.append(sources.problem(keys, str(error)))
            found[key] = {**entry, "path": str(path)}
        if found:
            customer = {**customer, block: {**customer[block], **found}}
    return customer, problems


def _entries(customer: Any, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    block = customer.get(name) if isinstance(customer, dict) else None
    for key, entry in block.items() if isinstance(block, dict) else ():
        if isinstance(entry, dict) and isinstance(entry.get("path"), str) and entry["path"]:
            yield key, entry
