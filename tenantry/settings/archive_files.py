"""Themes and extensions whose files lie beside the stack file or plan that names them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tenantry.providers.qlik import ConfigurationError
from tenantry.providers.values import archives
from tenantry.settings.document import Keys
from tenantry.settings.errors import Problem
from tenantry.settings.models import BLOCKS
from tenantry.settings.models.look import Archived, Located
from tenantry.settings.sources import CUSTOMER, Sources


def located(
    customer: Any, sources: Sources, directory: Path
) -> tuple[Mapping[tuple[str, str], Located], list[Problem]]:
    """Return, by block and key, what each `path` of a customer or plan leads to, and problems.

    A path is from the folder of the file that says it: `directory` for the stack file, `plans/` there for a
    plan. No two of a block have one name, which their files say.
    """
    found: dict[tuple[str, str], Located] = {}
    problems: list[Problem] = []
    for block, model in BLOCKS.items():
        if not issubclass(model, Archived):
            continue
        names: dict[str, str] = {}
        for key, path in _paths(customer, block):
            keys: Keys = (CUSTOMER, block, key, "path")
            folder = directory / "plans" if sources.of(keys).is_plan else directory
            whole = folder.absolute() / path
            try:
                archive = archives.read(whole, theme=model.theme)
            except ConfigurationError as error:
                problems.append(sources.problem(keys, str(error)))
                continue
            found[block, key] = Located(whole, archive.name, archive.md5)
            first = names.setdefault(archive.name, key)
            if first != key:
                text = f'name "{archive.name}", in the .qext, is taken by "{first}"; names must differ'
                problems.append(sources.problem(keys, text))
    return found, problems


def _paths(customer: Any, name: str) -> Iterator[tuple[str, str]]:
    block = customer.get(name) if isinstance(customer, dict) else None
    for key, entry in sorted(block.items(), key=str) if isinstance(block, dict) else ():
        if isinstance(entry, dict) and isinstance(entry.get("path"), str) and entry["path"]:
            yield key, entry["path"]
