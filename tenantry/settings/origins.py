"""The origin of each value of a stack: its file, a plan, Pulumi.yaml, or none for a default."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenantry.settings.document import Document, Keys, path_text, read
from tenantry.settings.loading import SECRETS_PREFIX, Resolved, config_of, resolve
from tenantry.settings.project import Project
from tenantry.settings.sources import Sources
from tenantry.text import HIDDEN


@dataclass(frozen=True)
class Origin:
    """A place in a file. `line` counts from 1; 0 = not known."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True)
class Value:
    """One value of the merged settings at `keys`. Without `origin` it is a default."""

    keys: Keys
    value: Any
    origin: Origin | None = None

    @property
    def path(self) -> str:
        """The keys in the form for messages: `customer.apps.Sales.version`."""
        return path_text(self.keys)


def values_of(path: Path) -> list[Value]:
    """Return every value of the stack with the file `path`, including defaults. A list is one value.

    The value of a secret is hidden. Raises SettingsError.
    """
    resolved = resolve(path)
    project = Project.of(path)
    document = read(path)
    config = config_of(document)
    shared = read(project.file) if project and project.file and project.config else None
    own = {key if ":" in key or not project else f"{project.name}:{key}" for key in config}
    secrets = sorted(key for key in config if key.startswith(SECRETS_PREFIX))
    return [*_values(resolved, shared, own)] + [
        Value((key,), HIDDEN, Origin(document.name, document.line(("config", key)))) for key in secrets
    ]


def as_mapping(values: list[Value]) -> dict[str, Any]:
    """Return values nested as in a stack file without a plan."""
    nested: dict[str, Any] = {}
    for value in values:
        inner = nested
        for key in value.keys[:-1]:
            inner = inner.setdefault(str(key), {})
        inner[str(value.keys[-1])] = value.value
    return nested


def _values(resolved: Resolved, shared: Document | None, own: set[str]) -> Iterator[Value]:
    for keys, value in _leaves(resolved.settings.model_dump(mode="json", by_alias=True)):
        origin = _origin(resolved.sources, keys)
        if keys[-1] == "pem" and not origin:
            continue  # it comes from the `pem_file`, which is listed
        if origin and shared and keys[0] not in own:
            origin = Origin(shared.name, shared.line(("config", *keys)))
        if origin or value not in (None, [], {}):
            yield Value(keys, value, origin)


def _leaves(value: Any, keys: Keys = ()) -> Iterator[tuple[Keys, Any]]:
    if not isinstance(value, dict) or not value:
        if value is not None:
            yield keys, value
        return
    for key, part in value.items():
        yield from _leaves(part, (*keys, key))


def _origin(sources: Sources, keys: Keys) -> Origin | None:
    source = sources.has(keys)
    if source is None and keys[-1] == "name":
        keys = keys[:-1]  # the entry's key is its name
        source = sources.has(keys)
    return Origin(source.name, source.place(keys)[0]) if source else None
