"""Words for messages: numbers with nouns, and suggestions for misspelt words."""

from __future__ import annotations

from collections.abc import Iterable


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, such as `1 stack`, `2 stacks` or `1,000 stacks`."""
    return f"{number:,} {noun}{plural(number)}"


def plural(number: int) -> str:
    """Return the plural ending of a noun after a number."""
    return "" if number == 1 else "s"


def closest(word: str, known: Iterable[str]) -> str:
    """Return the known word that is most similar, ignoring case, or an empty string."""
    from difflib import get_close_matches

    by_folded = {candidate.casefold(): candidate for candidate in known}
    close = get_close_matches(word.casefold(), by_folded, n=1)
    return by_folded[close[0]] if close else ""
