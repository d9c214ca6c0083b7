"""A Pulumi of one's own in a folder: the user's login, plugins, settings and caches are left alone."""

from __future__ import annotations

import os
from pathlib import Path

from tenantry.pulumi_internals.environment import NO_LEGACY_WARNING

FOREIGN = ("PULUMI_", "QLIK_", "TENANTRY_", "PYTHON", "VIRTUAL_ENV")


def private_environment(folder: Path) -> dict[str, str]:
    """The environment for `pulumi` with everything that it or a provider writes in `folder`.

    It is this process's environment without what could change a run: settings of Pulumi, Qlik and Python.
    The passphrase is empty: nothing in there is worth protecting.
    """
    env = {key: value for key, value in os.environ.items() if not key.startswith(FOREIGN)}
    for part in ("home", "state"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    return env | {
        "TENANTRY_CACHE": str(folder / "cache"),
        "TENANTRY_STATE": str(folder / "notes"),
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        **NO_LEGACY_WARNING,
    }


def client_environment(endpoint: str) -> dict[str, str]:
    """What the provider needs for the emulator at `endpoint`: its address and its demo client."""
    return {
        "QLIK_CLOUD_ENDPOINT": endpoint,
        "QLIK_CLIENT_ID": "demo",
        "QLIK_CLIENT_SECRET": "demo-secret",
    }
