"""Keeps secrets out of messages: a server may repeat in its answer what it was sent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, quote_plus

SECURE = "[secure]"
SHORTEST = 4  # shorter values would turn words of a message into riddles

_SECRET_NAME = re.compile(
    r"secret|password|token|credential|licen[cs]e_?key|api_?key|pem|private|connectionproperties|encryptedheaders",
    re.IGNORECASE,
)
_SECRET_LOOK = re.compile(
    r"eyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?"  # JSON Web Tokens: access tokens, licence keys
    r"|(?<=bearer )[\w.~+/=-]{8,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)",
    re.DOTALL | re.IGNORECASE,
)


def redacted(text: str, sent: Any) -> str:
    """Return `text` without what looks like a key, and without the secrets in `sent`, a JSON body, as they
    are or as addresses have them.
    """
    forms = {form for secret in _secrets(sent) for form in (secret, quote(secret), quote_plus(secret))}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, SECURE)
    return _SECRET_LOOK.sub(SECURE, text)


def _secrets(body: Any, named: bool = False) -> Iterator[str]:
    """Yield the values whose name, or that of something around them, says secret."""
    if isinstance(body, str):
        if named and len(body) >= SHORTEST:
            yield body
    elif isinstance(body, dict):
        named = named or bool(_SECRET_NAME.search(str(body.get("path", ""))))  # of a step of a JSON Patch
        for name, value in body.items():
            yield from _secrets(value, named or bool(_SECRET_NAME.search(str(name))))
    elif isinstance(body, list):
        for value in body:
            yield from _secrets(value, named)
