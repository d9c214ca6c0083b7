"""The log of a reload, as the data load editor shows it: which statement failed, and why."""

from __future__ import annotations

import re

from tenantry.providers.qlik.redaction import SECURE, redacted

ERROR, STATEMENT = "The following error occurred:", "The error occurred here:"
LONGEST = 300
"""The most characters shown of a statement or an error."""

_SECRET = re.compile(
    r"""(?ix)
    (\b(?:password|passwd|pwd|secret|token|api_?key|access_?key|user_?id|uid)\b
      (?: \s*[=:]\s* | \s+is\s+ | \s+(?=['"]) ) )
    ( '[^']*' | "[^"]*" | [^\s;,)\]]+ )
    | (://) [^/\s@]+ (?=@)
    """
)


def failure(log: str) -> str:
    """Return what a log says of a failed reload, without secrets: the error, and the statement if it has one.

    A log of another form gives its last lines.
    """
    error, statement = _after(log, ERROR), _after(log, STATEMENT)
    if not error and not statement:
        error = " ".join(line.strip() for line in log.strip().splitlines()[-3:])
    parts = [without_secrets(error), f"in: {without_secrets(statement)}" if statement.strip(" ?") else ""]
    return " ".join(part for part in parts if part)


def without_secrets(text: str) -> str:
    """Return a text of a script or a log without what may be a secret, cut to a readable length."""
    shown = _SECRET.sub(lambda found: f"{found[1] or found[3]}{SECURE}", redacted(text, None))
    shown = " ".join(shown.split())
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…"


def _after(log: str, heading: str) -> str:
    """Return the paragraph below a heading; nothing if there is none."""
    _, found, rest = log.partition(heading)
    return rest.strip().split("\n\n")[0] if found else ""
