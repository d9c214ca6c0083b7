"""The address of the backend that Pulumi is logged in to, and what kind of backend it is."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote

from tenantry.pulumi_internals.backend_files import FOLDER
from tenantry.state.backend import Backend

FILE = "file://"


def address_of(backend: Backend) -> str:
    """Return the URL of the backend. Raises PulumiFailed."""
    return str(json.loads(backend.run("whoami", "--verbose", "--json")).get("url", ""))


def is_pulumi_cloud(address: str) -> bool:
    """Tell whether the backend is Pulumi Cloud, or has the same API."""
    return address.startswith(("https://", "http://"))


def folder_of(address: str, root: Path) -> Path | None:
    """Return the folder in which a backend of files keeps its files; None for any other backend.

    A relative path starts at `root`, where `pulumi` runs.
    """
    if not address.startswith(FILE):
        return None
    path = unquote(address.removeprefix(FILE).partition("?")[0])
    return root / Path(path).expanduser() / FOLDER
