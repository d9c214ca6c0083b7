"""Origins of web pages that Qlik accepts: `scheme://host[:port]`, without a wildcard or path."""

from __future__ import annotations

import re

from tenantry.providers.values.limits import Limits

PATTERN = r"^[A-Za-z][A-Za-z0-9+.-]*://([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$"
HIGHEST_PORT = 65535


def problem(origin: str) -> str | None:
    """Return what is wrong with an origin, and what to write instead. None if it is valid."""
    if "*" in origin:
        return f'"{origin}" has a wildcard, which Qlik does not accept; list each origin'
    if found := re.fullmatch(PATTERN, origin):
        is_valid = int((found[2] or ":0")[1:]) <= HIGHEST_PORT
        return None if is_valid else f'"{origin}" has a port above {HIGHEST_PORT}'
    bare = re.match(r"(?:([A-Za-z][A-Za-z0-9+.-]*)://)?(?:[^/?#@]*@)?([^/?#@\s]+)", origin.strip())
    corrected = f"{bare[1] or 'https'}://{bare[2]}" if bare else ""
    is_origin = re.fullmatch(PATTERN, corrected)
    advice = f"write {corrected}" if is_origin else "for example https://portal.example.com"
    return f'"{origin}" is not an origin, which is scheme://host[:port] without a path; {advice}'


def first_problem(origins: list[str]) -> str | None:
    """Return what is wrong with the first invalid origin. None if all are valid."""
    return next((found for origin in origins if (found := problem(origin))), None)


ORIGINS = Limits("scheme://host[:port], no wildcard, no path", {"min_length": 1}, first_problem)

OAUTH_ORIGINS = Limits("5 origins at most, scheme://host[:port] each", {"max_length": 5}, first_problem)
