"""Limits that Qlik publishes. The resources and the checks of the stack files use them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from tenantry.providers.qlik import hostnames


class Limits(NamedTuple):
    """The allowed values of a property.

    `hint` has them in words, and `field` as arguments of `pydantic.Field`. `problem` is a function that
    returns what is wrong with a value, or None if it is valid.
    """

    hint: str = ""
    field: dict[str, Any] = {}  # noqa: RUF012
    problem: Callable[[Any], str | None] | None = None


NOT_EMPTY = Limits("at least one character", {"min_length": 1})

SPACE_NAME = Limits(
    '1 to 256 characters, none of " * ? < > / | \\ :',
    {"min_length": 1, "max_length": 256, "pattern": r'^[^"*?<>/|\\:]+$'},
)

GROUP_NAME = Limits("1 to 256 characters", {"min_length": 1, "max_length": 256})
ROLES_OF_A_GROUP = Limits("100 roles at most", {"max_length": 100})

IDP_DESCRIPTION = Limits("128 characters at most", {"max_length": 128})
CSP_NAME = Limits("1 to 512 characters", {"min_length": 1, "max_length": 512})
CSP_DESCRIPTION = Limits("1024 characters at most", {"max_length": 1024})
TASK_NAME = Limits("1 to 100 characters", {"min_length": 1, "max_length": 100})
TASK_DESCRIPTION = Limits("1024 characters at most", {"max_length": 1024})
LINK_NAME = Limits("1 to 50 characters", {"min_length": 1, "max_length": 50})
CONCURRENT_RUNS = Limits("1 or more", {"ge": 1})
CLOCK_TOLERANCE = Limits("0 to 7200 seconds", {"ge": 0, "le": 7200})

ID = Limits("letters, digits, - and _", {"pattern": "^[A-Za-z0-9_-]{1,100}$"})

CONNECTION_TAGS = Limits("31 tags at most", {"max_length": 31})
CREDENTIALS_VERSION = Limits("1 to 1000000", {"ge": 1, "le": 1_000_000})

WEBHOOK_NAME = Limits("1 to 512 characters", {"min_length": 1, "max_length": 512})
WEBHOOK_DESCRIPTION = Limits("1024 characters at most", {"max_length": 1024})
WEBHOOK_EVENTS = Limits("at least one event", {"min_length": 1})
WEBHOOK_SECRET = Limits("32 to 64 characters", {"min_length": 32, "max_length": 64})


def _headers(value: Any) -> str | None:
    """Return what is wrong with HTTP headers, without their values, which may be secret."""
    if not isinstance(value, dict):
        return None
    for name, text in value.items():
        if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name):
            return f'"{name[:40]}" is not the name of an HTTP header'
        if not isinstance(text, str) or not text.isprintable():
            return f"{name[:40]}: the value is not one line of text; put it in quotes"
    if len({name.lower() for name in value}) < len(value):
        return "a header occurs twice; upper and lower case do not differ"
    length = sum(len(name.encode()) + len(text.encode()) for name, text in value.items())
    return f"has {length} bytes of names and values; allowed: 2048 at most" if length > 2048 else None


WEBHOOK_HEADERS = Limits("names and values of 2048 bytes at most", problem=_headers)
ENCRYPTED_HEADERS = Limits("names and values of 2048 bytes at most", problem=_headers)


def _variables(value: Any) -> str | None:
    """Return what is wrong with the variables of a reload. Qlik accepts 20, each of 256 characters."""
    if not isinstance(value, dict):
        return None
    if len(value) > 20:
        return f"{len(value)} variables; allowed: 20 at most"
    for name, text in value.items():
        if not isinstance(text, str):
            return f"{name}: the value is not text; put it in quotes"
        if len(name) > 256 or len(text) > 256:
            return f"{name[:40]}: name and value may each have at most 256 characters"
    return None


RELOAD_VARIABLES = Limits("20 variables at most, each of 256 characters", problem=_variables)
RELOAD_MINUTES = Limits("1 to 50 minutes", {"ge": 1, "le": 50})
RELOAD_VERSION = Limits("1 to 1000000", {"ge": 1, "le": 1_000_000})

OAUTH_NAME = Limits("1 to 512 characters", {"min_length": 1, "max_length": 512})
OAUTH_DESCRIPTION = Limits("4096 characters at most", {"max_length": 4096})
SECRET_VERSION = Limits("1 to 1000000", {"ge": 1, "le": 1_000_000})

GRACE_DAYS = Limits("10 to 90 days", {"ge": 10, "le": 90})
GRACE_VARIABLE = "TENANTRY_GRACE_DAYS"
"""The variable that overrides the days of grace in the state when a tenant is taken down."""

DAY = Limits(
    "a date as YYYY-MM-DD, followed by a blank and its time zone if that is not UTC",
    {"pattern": r"^\d{4}-\d{2}-\d{2}( [A-Za-z0-9_+/-]{3,100})?$"},
)
REGION = Limits("a region such as eu, us or ap", {"pattern": f"^{hostnames.REGION}$"})

_LABEL = r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]"
_LABEL_HINT = "3 to 63 lower-case letters, digits and hyphens, no hyphen at either end"
ALIAS_HOSTNAME = Limits(
    f"label.region.qlikcloud.com with a label of {_LABEL_HINT}",
    {"pattern": rf"^{_LABEL}\.{hostnames.REGION}\.{hostnames.DOMAIN}$"},
)

ROLES_BY_SPACE_TYPE = {
    "shared": ("codeveloper", "consumer", "dataconsumer", "facilitator", "producer"),
    "managed": ("basicconsumer", "consumer", "contributor", "dataconsumer", "facilitator", "publisher"),
    "data": ("consumer", "dataconsumer", "datapreview", "facilitator", "operator", "producer", "publisher"),
}
SPACE_ROLES = tuple(sorted({role for roles in ROLES_BY_SPACE_TYPE.values() for role in roles}))
