"""The memory of an upload. A large app is streamed, so its size does not matter."""

from __future__ import annotations

import tempfile
from pathlib import Path

import requests

from bench import stacks
from bench.table import Row
from tenantry.emulator import Emulator
from tenantry.emulator.files import qvf_header

MEGABYTE = 1 << 20
APP_BYTES = 500 * MEGABYTE
MAX_MEMORY = 150 * MEGABYTE
SOURCE = "templates.eu.qlikcloud.com"
CUSTOMER = {
    "name": "Large",
    "lifecycle": {"kind": "trial", "ends_on": "2099-12-31"},
    "spaces": {"Staging": {"type": "shared"}, "Reports": {"type": "managed"}},
    "apps": {
        "Large Report": {
            "template": "Large Report",
            "version": "1.0.0",
            "staging": "Staging",
            "publish_to": ["Reports"],
        }
    },
}


def rows() -> list[Row]:
    """Measure the provider process during the export, caching and import of a template of 500 MB."""
    with Emulator() as qlik, stacks.stack(qlik) as stack:
        add_template(qlik)
        stack.write(region="eu", source_tenant=SOURCE, customer=CUSTOMER)
        creation = stacks.run_measured(stack, "up", "--skip-preview", "--yes")
    peak = creation.peaks["provider"]
    return [
        Row(
            "import of 500 MB",
            f"{creation.seconds:.0f} s; the provider's memory at its peak",
            f"{peak // MEGABYTE} MB",
            f"{MAX_MEMORY // MEGABYTE} MB",
            peak / MAX_MEMORY,
            1.0,
        )
    ]


def add_template(qlik: Emulator) -> None:
    """Add an app of APP_BYTES to the templates."""
    session = requests.Session()
    session.headers["host"] = SOURCE
    client = {"client_id": "demo", "client_secret": "demo-secret", "grant_type": "client_credentials"}
    token = session.post(f"{qlik.url}/oauth/token", json=client, timeout=10).json()["access_token"]
    session.headers["authorization"] = f"Bearer {token}"
    spaces = session.get(f"{qlik.url}/api/v1/spaces?name=Templates", timeout=10).json()["data"]
    space = next(space["id"] for space in spaces if space["name"] == "Templates")
    with tempfile.TemporaryFile(dir=Path.cwd()) as file:
        file.write(qvf_header("Large Report", "A year of everything {v1.0.0}", "", has_data=True))
        file.truncate(APP_BYTES)
        file.seek(0)
        url = f"{qlik.url}/api/v1/apps/import?spaceId={space}"
        headers = {"content-type": "application/octet-stream"}
        session.post(url, data=file, headers=headers, timeout=120).raise_for_status()
