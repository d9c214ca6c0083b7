"""Files that a stack file or plan names, with the content of themes, brands, automations, …"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tenantry.providers.qlik import ConfigurationError
from tenantry.settings.document import Keys
from tenantry.settings.errors import Problem
from tenantry.settings.models import BLOCKS
from tenantry.settings.models.appearance import FromFiles, Located
from tenantry.settings.sources import CUSTOMER, Sources


def locate_files(
    customer: Any, sources: Sources, directory: Path, *, is_complete: bool = True
) -> tuple[Mapping[tuple[str, str, str], Located], list[Problem]]:
    """Return the file of each path in a customer or plan, by block, entry and key, and the problems.

    A path starts at the folder of the file that contains it: `directory` for the stack file, `plans/` in it
    for a plan. If names come from files, no two entries of a block can have the same name. If
    `is_complete` is false, missing parts can still come from another file and are not problems.
    """
    found: dict[tuple[str, str, str], Located] = {}
    problems: list[Problem] = []
    for block, model in BLOCKS.items():
        if not issubclass(model, FromFiles):
            continue
        names: dict[str, str] = {}
        for entry, key, values in _entries(customer, block, model):
            keys: Keys = (CUSTOMER, block, entry, key)
            folder = directory / "plans" if sources.of(keys).is_plan else directory
            path = folder.absolute() / values[key]
            try:
                content = model.content(key, path, values)
            except ConfigurationError as error:
                problems.append(sources.problem(keys, str(error)))
                continue
            found[block, entry, key] = Located(path, content)
            problems += [
                sources.problem((CUSTOMER, block, entry, *violation.keys), violation.text)
                for violation in model.file_rules(key, path, values)
                if is_complete or not violation.incomplete
            ]
            if name := content.get("name"):
                first = names.setdefault(name, entry)
                if first != entry:
                    text = f'name "{name}", in the .qext, is taken by "{first}"; names must differ'
                    problems.append(sources.problem(keys, text))
    return found, problems


def _entries(
    customer: Any, name: str, model: type[FromFiles]
) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    block = customer.get(name) if isinstance(customer, dict) else None
    for key, entry in sorted(block.items(), key=str) if isinstance(block, dict) else ():
        for file in model.files if isinstance(entry, dict) else ():
            if isinstance(entry.get(file), str) and entry[file]:
                yield key, file, entry
