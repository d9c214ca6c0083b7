"""The reason of a failed reload, from its log."""

from __future__ import annotations

import re

from tenantry.providers.qlik.redaction import SECURE, redacted

ERROR, STATEMENT = "The following error occurred:", "The error occurred here:"
LONGEST = 300
"""The most characters of a statement or an error in a message."""

_SECRET = re.compile(
    r"""(?ix)
    (\b(?:password|passwd|pwd|secret|token|api_?key|access_?key|user_?id|uid)\b
      (?: \s*[=:]\s* | \s+is\s+ | \s+(?=['"]) ) )
    ( '[^']*' | "[^"]*" | [^\s;,)\]]+ )
    | (://) [^/\s@]+ (?=@)
    """
)


def failure(log: str) -> str:
    """Return the error in the log of a failed reload, and the statement if known, without secrets.

    If the log has another format, return its last lines.
    """
    error, statement = _after(log, ERROR), _after(log, STATEMENT)
    if not error and not statement:
        error = " ".join(line.strip() for line in log.strip().splitlines()[-3:])
    parts = [without_secrets(error), f"in: {without_secrets(statement)}" if statement.strip(" ?") else ""]
    return " ".join(part for part in parts if part)


def without_secrets(text: str) -> str:
    """Return a text from a script or a log, shortened and without possible secrets."""
    clean = _SECRET.sub(lambda found: f"{found[1] or found[3]}{SECURE}", redacted(text, None))
    clean = " ".join(clean.split())
    return clean if len(clean) <= LONGEST else f"{clean[:LONGEST]}…"


def _after(log: str, heading: str) -> str:
    """Return the paragraph below a heading, or an empty string."""
    _, found, rest = log.partition(heading)
    return rest.strip().split("\n\n")[0] if found else ""
