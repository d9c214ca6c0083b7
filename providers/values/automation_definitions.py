"""Definitions of automations: a JSON file that Qlik's editor exported, with the customer's values filled in.

A placeholder is a name in double braces, such as `{{REGION}}`, in any text of the file.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tenantry.providers.qlik import ConfigurationError
from tenantry.providers.values.limits import Limits
from tenantry.providers.values.plain_files import read_bytes

MAX_BYTES = 2_000_000
"""The largest file. Qlik publishes no limit. Exported automations have at most a few hundred kilobytes."""

NAME = r"[A-Z][A-Z0-9_]*"
"""The name of a placeholder."""

DIGEST = Limits("64 hexadecimal digits", {"pattern": "^[0-9a-f]{64}$"})

_PLACEHOLDER = re.compile(r"\{\{(" + NAME + r")\}\}")

Workspace = dict[str, Any]
"""Qlik's term for the definition of an automation: its blocks and variables."""


class Definition(NamedTuple):
    """The workspace in a file, and the line numbers of its placeholders by name."""

    workspace: Workspace
    placeholders: Mapping[str, int]

    def filled(self, values: Mapping[str, str]) -> Workspace:
        """Return the workspace with its placeholders replaced. A placeholder without a value stays."""
        filled: Workspace = _filled(self.workspace, values)
        return filled


def read(path: Path) -> Definition:
    """Return the definition in a file: a workspace, or an object that has one as `workspace`.

    Raises ConfigurationError, which names the file but does not show its content.
    """
    try:
        text = read_bytes(path, MAX_BYTES).decode("utf-8-sig")
        found = json.loads(text)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None
    except json.JSONDecodeError as error:
        raise ConfigurationError(f"{path}:{error.lineno} is not JSON: {error.msg}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path} is not JSON: it is not UTF-8") from None
    except RecursionError:
        raise ConfigurationError(f"{path} cannot be read: the JSON is nested too deeply") from None
    if isinstance(found, dict) and isinstance(found.get("workspace"), dict):
        found = found["workspace"]
    if not isinstance(found, dict) or not found:
        raise ConfigurationError(
            f"{path} is not the definition of an automation. Export it from Qlik's editor, or save the "
            "response of GET /api/workflows/automations/{id}"
        )
    return Definition(found, _placeholders(found, text))


def digest(workspace: Workspace) -> str:
    """Return the SHA-256 of a workspace, independent of the order of keys and the form of numbers."""
    text = json.dumps(_plain(workspace), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _placeholders(workspace: Workspace, text: str) -> dict[str, int]:
    names = {name for value in _texts(workspace) for name in _PLACEHOLDER.findall(value)}
    lines = {name: text.count("\n", 0, max(0, text.find(f"{{{{{name}}}}}"))) + 1 for name in names}
    return dict(sorted(lines.items()))


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for value in node.values():
            yield from _texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from _texts(value)


def _filled(node: Any, values: Mapping[str, str]) -> Any:
    if isinstance(node, str):
        return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), node)
    if isinstance(node, dict):
        return {key: _filled(value, values) for key, value in node.items()}
    if isinstance(node, list):
        return [_filled(value, values) for value in node]
    return node


def _plain(node: Any) -> Any:
    if isinstance(node, float) and node.is_integer():
        return int(node)
    if isinstance(node, dict):
        return {key: _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    return node
