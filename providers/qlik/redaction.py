"""Removal of secrets from messages, because a server may repeat what it received."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, quote_plus

SECURE = "[secure]"
MIN_SECRET_LENGTH = 4
"""The length from which a value is redacted. Shorter ones occur in ordinary words of a message."""

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
    """Return `text` without secrets.

    Everything that looks like a key is removed, and the secrets of the JSON body `sent`, plain or
    URL-encoded.
    """
    forms = {form for secret in _secrets(sent) for form in (secret, quote(secret), quote_plus(secret))}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, SECURE)
    return _SECRET_LOOK.sub(SECURE, text)


def _secrets(body: Any, named: bool = False) -> Iterator[str]:
    """Yield the values whose name, or the name of an enclosing object, indicates a secret."""
    if isinstance(body, str):
        if named and len(body) >= MIN_SECRET_LENGTH:
            yield body
    elif isinstance(body, dict):
        named = named or bool(
            _SECRET_NAME.search(str(body.get("path", "")))
        )  # of an operation of a JSON Patch
        for name, value in body.items():
            yield from _secrets(value, named or bool(_SECRET_NAME.search(str(name))))
    elif isinstance(body, list):
        for value in body:
            yield from _secrets(value, named)
