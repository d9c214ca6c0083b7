"""The sources of merged settings: file and line of each value, in the stack file or in a plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tenantry.settings.document import Document, Keys, holds, path_text
from tenantry.settings.errors import Problem

CUSTOMER = "tenantry:customer"
REGION = "qlik:region"
SOURCE_TENANT = "qlik:source_tenant"

_TOP = 2
"""The number of keys that lead to a value of the customer itself, such as its name."""


@dataclass(frozen=True)
class Source:
    """Values and their file. `root` is their path in it. If lines are not known, `document` is None."""

    name: str
    values: Any
    root: Keys = ()
    document: Document | None = None
    is_plan: bool = False

    def place(self, keys: Keys, item: object = None) -> tuple[int, str | None]:
        """Return the line (0 = not known) and the written text of the value at `keys`, or of `item` there."""
        if self.document is None:
            return 0, None
        places = self.document.places
        where = (*self.root, *(keys[1:] if self.is_plan else keys))
        if item is not None:
            items = [found for found, place in places.items() if found[:-1] == where and place.text == item]
            where = items[-1] if items else where
        return self.document.line(where), places[where].text if where in places else None

    def holds(self, keys: Keys) -> bool:
        """Return whether a value exists at `keys`, including an empty one."""
        if not self.is_plan:
            return holds(self.values, keys)
        return keys[0] == CUSTOMER and len(keys) > 1 and holds(self.values, keys[1:])

    def hides(self, keys: Keys) -> bool:
        """Return whether a value around `keys` is not a mapping, so that it hides the layers below."""
        inner = self.values
        for key in keys[1:] if self.is_plan else keys:
            if not isinstance(inner, Mapping):
                return True
            if key not in inner:
                return False
            inner = inner[key]
        return False


@dataclass(frozen=True)
class Sources:
    """The layers of merged values, highest priority first: the stack file, its plan, the plans that it
    extends.

    Paths start with a key of the configuration, such as `tenantry:customer`.
    """

    layers: tuple[Source, ...]

    def problem(self, keys: Keys, text: str, item: object = None) -> Problem:
        """Return the problem at `keys`, with the file that has the value, or the nearest value around it."""
        source = self.of(keys)
        if keys[-1] == "name" and len(keys) > _TOP and not self.has(keys):
            keys = keys[:-1]  # the entry's key is its name
        line, _ = source.place(keys, item)
        return Problem(source.name, line, path_text(keys[1:] if source.is_plan else keys), text)

    def written(self, keys: Keys) -> str | None:
        """Return the text of the scalar at `keys` as written, or None if it is not known.

        It is not known in a file that Pulumi has rewritten: `2.1` may have been `2.10`.
        """
        source = self.of(keys)
        return None if source.document and source.document.is_rewritten_by_pulumi else source.place(keys)[1]

    def of(self, keys: Keys) -> Source:
        """Return the source that has a value at `keys`, or else the nearest value around them."""
        found = (self.has(keys[:end]) for end in range(len(keys), 0, -1))
        return next((source for source in found if source), self.layers[0])

    def has(self, keys: Keys) -> Source | None:
        """Return the source that has a value at exactly `keys`, including an empty one."""
        for source in self.layers:
            if source.holds(keys):
                return source
            if source.hides(keys):
                return None
        return None
