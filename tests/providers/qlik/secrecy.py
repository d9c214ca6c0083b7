"""What an exception could show to somebody: messages, attributes, and everything chained to it."""

from __future__ import annotations

from collections.abc import Iterator


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """The exception with all causes and contexts, the suppressed ones too."""
    seen: list[BaseException] = []
    waiting = [error]
    while waiting:
        current = waiting.pop()
        if current is not None and current not in seen:
            seen.append(current)
            waiting += [current.__cause__, current.__context__]
    yield from seen


def everything_said(error: BaseException) -> str:
    """All text that can be reached from an exception, for a search for secrets."""
    said = []
    for each in chain(error):
        said += [
            str(each),
            repr(each),
            repr(each.args),
            repr(vars(each)),
            repr(getattr(each, "__notes__", [])),
        ]
        for value in vars(each).values():
            said += [repr(vars(value))] if hasattr(value, "__dict__") else []
    return "\n".join(said)
