"""What a rule says when it is broken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tenantry.settings.document import Keys

Removed = Mapping[Keys, str]
"""The paths of what was taken out of a plan, and who did it."""


@dataclass(frozen=True)
class Complaint:
    """A rule that is broken at `keys`. `item` is the entry of the list there that it is about, if any.

    `incomplete` says that the missing part may still come from elsewhere: no problem in a plan on its own.
    `unless` is another place: when the value there is broken by itself, this complaint would only mislead.
    """

    keys: Keys
    text: str
    item: str | None = None
    incomplete: bool = False
    unless: Keys | None = None


def same_names(noun: str, where: str, named: Iterable[tuple[str, Keys, str, str]]) -> Iterator[Complaint]:
    """Complain of each (key, path, name, scope) whose name is taken in its scope, in any order.

    `noun` is what one is called; `where` tells of the scope, which stands for its `{}`.
    """
    taken: dict[tuple[str, str], str] = {}
    for key, keys, name, scope in sorted(named, key=lambda entry: (entry[0], entry[3])):
        first = taken.setdefault((name, scope), key)
        if first != key and name is not None:
            text = f'name "{name}" is taken by {noun} "{first}"{where.format(scope)}; names must differ'
            yield Complaint((*keys, "name"), text)
