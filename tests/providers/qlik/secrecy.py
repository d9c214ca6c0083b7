"""All text that an exception could reveal: messages, attributes, and the exceptions chained to it."""

from __future__ import annotations

from collections.abc import Iterator


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the exception and all its causes and contexts, even suppressed ones."""
    seen: list[BaseException] = []
    waiting = [error]
    while waiting:
        current = waiting.pop()
        if current is not None and current not in seen:
            seen.append(current)
            waiting += [current.__cause__, current.__context__]
    yield from seen


def all_text(error: BaseException) -> str:
    """Return all text that can be reached from an exception, to search it for secrets."""
    texts = []
    for linked in chain(error):
        texts += [
            str(linked),
            repr(linked),
            repr(linked.args),
            repr(vars(linked)),
            repr(getattr(linked, "__notes__", [])),
        ]
        for value in vars(linked).values():
            texts += [repr(vars(value))] if hasattr(value, "__dict__") else []
    return "\n".join(texts)
