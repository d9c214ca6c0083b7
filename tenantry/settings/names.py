"""The Pulumi names of resources that are made of two keys, and what they were before a key changed.

No two pairs have one name. The first key is quoted where it would leave open where it ends, or would begin as
the names of other kinds do; so a name is read from its front in one way only. Before, names were joined
without quotes (`plain`): a state may still have those.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from tenantry.settings.complaints import Complaint

if TYPE_CHECKING:
    from tenantry.settings.document import Keys
    from tenantry.settings.models import Content

_USER, _BOT = "user ", "bot "


Name = Callable[..., str]
"""Names what is made of two keys; with `plain=True` as it was named before names were quoted."""


def access(space: str, group: str, *, plain: bool = False) -> str:
    """Name the access of a group to a space."""
    return _joined(group, space, plain=plain, unlike=(_USER, _BOT))


def user_access(space: str, person: str, *, plain: bool = False) -> str:
    """Name the access of a user or administrator to a space."""
    return _USER + _joined(person, space, plain=plain)


def bot_access(space: str, bot: str, *, plain: bool = False) -> str:
    """Name the access of a bot to a space."""
    return _BOT + _joined(bot, space, plain=plain)


def publication(app: str, space: str, *, plain: bool = False) -> str:
    """Name the copy of an app in a managed space."""
    return _joined(app, space, plain=plain)


def _joined(first: str, second: str, *, plain: bool, unlike: tuple[str, ...] = ()) -> str:
    open_ended = " in " in f"{first} " or first.startswith(('"', *unlike))
    return f"{json.dumps(first, ensure_ascii=False) if open_ended and not plain else first} in {second}"


def former_names(keys: object) -> list[str]:
    """Return the names that a resource had before its key changed, if it did.

    What cannot be a key is none: it is complained of elsewhere, and rules look at such settings as well.
    """
    listed = keys if isinstance(keys, list | tuple) else [keys]
    return [key for key in listed if isinstance(key, str)]


def former_pair_names(
    name: Name, first: str, first_was: object, second: str, second_was: object
) -> list[str]:
    """Return the names that a resource made of two keys may have had, before one or both changed and as they
    are.
    """
    pairs = product([first, *former_names(first_was)], [second, *former_names(second_was)])
    names = [name(*pair, plain=plain) for pair in pairs for plain in (False, True)]
    return [each for each in dict.fromkeys(names) if each != name(first, second)]


class _Pair(NamedTuple):
    kind: str
    about: str
    keys: Keys
    names: tuple[str, ...]
    item: str | None = None


def find_clashes(customer: Content) -> Iterator[Complaint]:
    """Complain of pairs of keys for which a state can have one and the same name, at both of them."""
    taken: dict[tuple[str, str], _Pair] = {}
    told: set[tuple[str, str]] = set()
    for pair in _pairs(customer):
        for name in pair.names:
            other = taken.setdefault((pair.kind, name), pair)
            if other is pair or (pair.about, other.about) in told:
                continue
            told.add((pair.about, other.about))
            for one, two in ((pair, other), (other, pair)):
                text = (
                    f'{one.about} has the name "{name}" in the state, and so has {two.about}; rename one of '
                    "these keys"
                )
                yield Complaint(one.keys, text, one.item)


def _pairs(customer: Content) -> Iterator[_Pair]:
    people = {**customer.admins, **customer.users}
    blocks: tuple[tuple[str, Name, str, Callable[[str], object]], ...] = (
        ("access", access, "group", lambda key: _was(customer.groups, key)),
        ("user_access", user_access, "person", lambda key: _was(people, key)),
        ("bot_access", bot_access, "bot", lambda _: None),
    )
    for space in customer.spaces:
        space_was = _was(customer.spaces, space)
        for block, name, noun, was in blocks:
            for key in getattr(customer.spaces[space], block):
                about = f'the access of {noun} "{key}" to space "{space}"'
                names = former_pair_names(name, space, space_was, key, was(key))
                yield _Pair("access", about, ("spaces", space, block, key), (name(space, key), *names))
    for key, app in customer.apps.items():
        for space in dict.fromkeys(app.publish_to):
            names = former_pair_names(publication, key, app.renamed_from, space, _was(customer.spaces, space))
            about = f'the publication of app "{key}" in space "{space}"'
            keys: Keys = ("apps", key, "publish_to")
            yield _Pair("publication", about, keys, (publication(key, space), *names), space)


def _was(entries: object, key: str) -> object:
    entry = entries.get(key) if isinstance(entries, dict) else None
    return getattr(entry, "renamed_from", None)
