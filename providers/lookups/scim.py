"""The part of Qlik's filter language (RFC 7644) that lookups need."""

from __future__ import annotations


def equals(attribute: str, value: str) -> str:
    """Return the filter for objects whose attribute equals `value`. Qlik ignores case."""
    return _comparison(attribute, "eq", value)


def has(attribute: str, part: str) -> str:
    """Return the filter for objects whose attribute contains `part`, in any case."""
    return _comparison(attribute, "co", part)


def _comparison(attribute: str, operator: str, value: str) -> str:
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{attribute} {operator} "{quoted}"'
