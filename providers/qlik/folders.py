"""The folders outside the project where Tenantry writes caches and notes.

Both follow the XDG Base Directory Specification (https://specifications.freedesktop.org/basedir-spec/).
"""

from __future__ import annotations

import os
from pathlib import Path

from tenantry.providers.qlik.errors import ConfigurationError


def cache() -> Path:
    """Return the folder for caches: `TENANTRY_CACHE`, else a folder in the user's cache folder."""
    return _folder("TENANTRY_CACHE", "XDG_CACHE_HOME", "~/.cache")


def state() -> Path:
    """Return the folder for notes: `TENANTRY_STATE`, else a folder in the user's state folder."""
    return _folder("TENANTRY_STATE", "XDG_STATE_HOME", "~/.local/state")


def _folder(variable: str, xdg_variable: str, default: str) -> Path:
    home = os.environ.get(xdg_variable) or default
    try:
        return Path(os.environ.get(variable) or f"{home}/tenantry").expanduser()
    except RuntimeError:
        raise ConfigurationError(
            f"{variable} is not set, and this user has no home folder. Set it to a writable folder."
        ) from None
