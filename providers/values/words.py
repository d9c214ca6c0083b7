"""Words in messages: numbers with their nouns, and what somebody may have meant."""

from __future__ import annotations

from collections.abc import Iterable


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: `1 stack`, `2 stacks`, `1,000 stacks`."""
    return f"{number:,} {noun}{plural(number)}"


def plural(number: int) -> str:
    """Return the ending of a noun that a number goes with."""
    return "" if number == 1 else "s"


def closest(word: str, known: Iterable[str]) -> str:
    """Return the known word that resembles a word most, whatever the capitals; nothing if none does."""
    from difflib import get_close_matches

    by_folded = {each.casefold(): each for each in known}
    close = get_close_matches(word.casefold(), by_folded, n=1)
    return by_folded[close[0]] if close else ""
