"""Public keys in files that a stack file or plan names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tenantry.providers.values import pem
from tenantry.settings.document import Keys, display_path
from tenantry.settings.errors import Problem
from tenantry.settings.files import KEY_BYTES, read_text
from tenantry.settings.sources import CUSTOMER, Sources

BLOCK = "jwt_identity_providers"


def with_pem_files(customer: Any, sources: Sources, directory: Path) -> tuple[Any, list[Problem]]:
    """Return the values of a customer or plan with the content of each `pem_file` as `pem`, and the problems.

    A path starts at the folder of the file that contains it: `directory` for the stack file, `plans/` in it
    for a plan. No problem contains the content of a file.
    """
    problems: list[Problem] = []
    read: dict[str, Any] = {}
    for key, entry in _entries(customer):
        keys: Keys = (CUSTOMER, BLOCK, key, "pem_file")
        if "pem" in entry:
            problems.append(sources.problem(keys, "give pem or pem_file, not both"))
            continue
        folder = directory / "plans" if sources.of(keys).is_plan else directory
        text, wrong = _read(folder / entry["pem_file"])
        if wrong:
            problems.append(sources.problem(keys, wrong))
        else:
            read[key] = {**entry, "pem": text}
    return ({**customer, BLOCK: {**customer[BLOCK], **read}} if read else customer), problems


def _entries(customer: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    block = customer.get(BLOCK) if isinstance(customer, dict) else None
    for key, entry in block.items() if isinstance(block, dict) else ():
        if isinstance(entry, dict) and isinstance(entry.get("pem_file"), str) and entry["pem_file"]:
            yield key, entry


def _read(path: Path) -> tuple[str, str | None]:
    """Return the text of a file, and the error of the file or its key, if any."""
    try:
        text = read_text(path, KEY_BYTES, errors="replace")
    except OSError as error:
        return "", f"{display_path(path)} cannot be read: {error.strerror}"
    wrong = pem.problem(text)
    return text, f"{display_path(path)} {wrong}" if wrong else None
