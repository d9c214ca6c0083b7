"""An isolated Pulumi in a folder. It does not use the login, plugins, settings and caches of the user."""

from __future__ import annotations

import os
from pathlib import Path

from tenantry.pulumi_internals.environment import NO_LEGACY_WARNING

EXCLUDED = ("PULUMI_", "QLIK_", "TENANTRY_", "PYTHON", "VIRTUAL_ENV")


def private_environment(folder: Path) -> dict[str, str]:
    """Return an environment in which `pulumi` and its providers write only to `folder`.

    It is the environment of this process without the settings of Pulumi, Qlik and Python. The passphrase is
    empty, because nothing in the demo needs protection.
    """
    env = {key: value for key, value in os.environ.items() if not key.startswith(EXCLUDED)}
    for name in ("home", "state"):
        (folder / name).mkdir(parents=True, exist_ok=True)
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
    """Return the variables with which the provider uses the emulator at `endpoint`."""
    return {
        "QLIK_CLOUD_ENDPOINT": endpoint,
        "QLIK_CLIENT_ID": "demo",
        "QLIK_CLIENT_SECRET": "demo-secret",
    }
