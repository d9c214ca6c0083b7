"""Violations of the rules for settings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tenantry.settings.document import Keys

Removed = Mapping[Keys, str]
"""The paths of the entries that were removed from a plan, each with the file that removes it."""


@dataclass(frozen=True)
class Violation:
    """A violation of a rule at `keys`. `item` is the affected entry of the list there, if any.

    `incomplete`: the missing part can still come from another file, so this is not a problem in a plan by
    itself. `unless`: another path. If the value there is invalid, this violation would be misleading and is
    dropped.
    """

    keys: Keys
    text: str
    item: str | None = None
    incomplete: bool = False
    unless: Keys | None = None


def same_names(noun: str, where: str, named: Iterable[tuple[str, Keys, str, str]]) -> Iterator[Violation]:
    """Yield a violation for each (key, path, name, scope) whose name is taken in the same scope.

    `noun` names the type of object in messages. `where` describes the scope; the scope replaces its `{}`.
    """
    taken: dict[tuple[str, str], str] = {}
    for key, keys, name, scope in sorted(named, key=lambda entry: (entry[0], entry[3])):
        first = taken.setdefault((name, scope), key)
        if first != key and name is not None:
            text = f'name "{name}" is taken by {noun} "{first}"{where.format(scope)}; names must differ'
            yield Violation((*keys, "name"), text)
