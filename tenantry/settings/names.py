"""The Pulumi names of resources that have two keys, and their names before a key changed.

No two pairs have the same name. The first key is quoted if it contains " in ", or if it begins with a
quote, "user " or "bot ". So a name can be parsed in only one way. Older versions joined the keys without
quotes (`plain`), and a state can still contain such names.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from tenantry.settings.violations import Violation

if TYPE_CHECKING:
    from tenantry.settings.document import Keys
    from tenantry.settings.models import Content

_USER, _BOT = "user ", "bot "


Name = Callable[..., str]
"""A function that returns the name for two keys. With `plain=True`, it returns the name without quotes."""


def access(space: str, group: str, *, plain: bool = False) -> str:
    """Return the name of the access of a group to a space."""
    return _joined(group, space, plain=plain, other_prefixes=(_USER, _BOT))


def user_access(space: str, person: str, *, plain: bool = False) -> str:
    """Return the name of the access of a user or administrator to a space."""
    return _USER + _joined(person, space, plain=plain)


def bot_access(space: str, bot: str, *, plain: bool = False) -> str:
    """Return the name of the access of a bot to a space."""
    return _BOT + _joined(bot, space, plain=plain)


def publication(app: str, space: str, *, plain: bool = False) -> str:
    """Return the name of the copy of an app in a managed space."""
    return _joined(app, space, plain=plain)


def _joined(first: str, second: str, *, plain: bool, other_prefixes: tuple[str, ...] = ()) -> str:
    needs_quotes = " in " in f"{first} " or first.startswith(('"', *other_prefixes))
    return f"{json.dumps(first, ensure_ascii=False) if needs_quotes and not plain else first} in {second}"


def former_names(keys: object) -> list[str]:
    """Return the former names of a resource, from its `renamed_from`.

    It ignores invalid values. Another check reports them.
    """
    listed = keys if isinstance(keys, list | tuple) else [keys]
    return [key for key in listed if isinstance(key, str)]


def former_pair_names(
    name: Name, first: str, first_renamed_from: object, second: str, second_renamed_from: object
) -> list[str]:
    """Return the possible former names of a resource with two keys, except its current name."""
    pairs = product([first, *former_names(first_renamed_from)], [second, *former_names(second_renamed_from)])
    names = [name(*pair, plain=plain) for pair in pairs for plain in (False, True)]
    return [former for former in dict.fromkeys(names) if former != name(first, second)]


class _Pair(NamedTuple):
    kind: str
    about: str
    keys: Keys
    names: tuple[str, ...]
    item: str | None = None


def find_clashes(customer: Content) -> Iterator[Violation]:
    """Yield violations for pairs of keys for which a state can have the same name, one at each pair."""
    taken: dict[tuple[str, str], _Pair] = {}
    reported: set[tuple[str, str]] = set()
    for pair in _pairs(customer):
        for name in pair.names:
            other = taken.setdefault((pair.kind, name), pair)
            if other is pair or (pair.about, other.about) in reported:
                continue
            reported.add((pair.about, other.about))
            for one, two in ((pair, other), (other, pair)):
                text = (
                    f'{one.about} has the name "{name}" in the state, like {two.about}; rename one of '
                    "these keys"
                )
                yield Violation(one.keys, text, one.item)


def _pairs(customer: Content) -> Iterator[_Pair]:
    people = {**customer.admins, **customer.users}
    blocks: tuple[tuple[str, Name, str, Callable[[str], object]], ...] = (
        ("access", access, "group", lambda key: _renamed_from(customer.groups, key)),
        ("user_access", user_access, "person", lambda key: _renamed_from(people, key)),
        ("bot_access", bot_access, "bot", lambda _: None),
    )
    for space in customer.spaces:
        space_renamed_from = _renamed_from(customer.spaces, space)
        for block, name, noun, was in blocks:
            for key in getattr(customer.spaces[space], block):
                about = f'the access of {noun} "{key}" to space "{space}"'
                names = former_pair_names(name, space, space_renamed_from, key, was(key))
                yield _Pair("access", about, ("spaces", space, block, key), (name(space, key), *names))
    for key, app in customer.apps.items():
        for space in dict.fromkeys(app.publish_to):
            names = former_pair_names(
                publication, key, app.renamed_from, space, _renamed_from(customer.spaces, space)
            )
            about = f'the publication of app "{key}" in space "{space}"'
            keys: Keys = ("apps", key, "publish_to")
            yield _Pair("publication", about, keys, (publication(key, space), *names), space)


def _renamed_from(entries: object, key: str) -> object:
    entry = entries.get(key) if isinstance(entries, dict) else None
    return getattr(entry, "renamed_from", None)
