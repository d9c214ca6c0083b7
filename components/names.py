"""The Pulumi names of resources that are made of two keys, and what they were before a key changed."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product


def access(space: str, group: str) -> str:
    """Name the access of a group to a space."""
    return f"{group} in {space}"


def user_access(space: str, person: str) -> str:
    """Name the access of a user or administrator to a space."""
    return f"user {person} in {space}"


def bot_access(space: str, bot: str) -> str:
    """Name the access of a bot to a space."""
    return f"bot {bot} in {space}"


def publication(app: str, space: str) -> str:
    """Name the copy of an app in a managed space."""
    return f"{app} in {space}"


def former(key: str | None) -> list[str]:
    """Return the name that a resource had before its key changed, if it did."""
    return [key] if key else []


def former_pairs(
    name: Callable[[str, str], str], first: str, first_was: str | None, second: str, second_was: str | None
) -> list[str]:
    """Return the names that a resource made of two keys may have had before one or both changed."""
    pairs = product([first, *former(first_was)], [second, *former(second_was)])
    return [name(*pair) for pair in pairs if pair != (first, second)]
