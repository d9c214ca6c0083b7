"""Where this machine keeps what Tenantry writes beside the project: caches and notes.

Both follow the XDG Base Directory Specification (https://specifications.freedesktop.org/basedir-spec/).
"""

from __future__ import annotations

import os
from pathlib import Path

from tenantry.providers.qlik.errors import ConfigurationError


def cache() -> Path:
    """Return the folder for what can be fetched again: `TENANTRY_CACHE`, else in the user's cache."""
    return _folder("TENANTRY_CACHE", "XDG_CACHE_HOME", "~/.cache")


def state() -> Path:
    """Return the folder for what runs leave for later ones: `TENANTRY_STATE`, else in the user's state."""
    return _folder("TENANTRY_STATE", "XDG_STATE_HOME", "~/.local/state")


def _folder(variable: str, of_user: str, default: str) -> Path:
    home = os.environ.get(of_user) or default
    try:
        return Path(os.environ.get(variable) or f"{home}/tenantry").expanduser()
    except RuntimeError:
        raise ConfigurationError(
            f"{variable} is not set, and this user has no home folder: set it to a folder that can be written"
        ) from None
