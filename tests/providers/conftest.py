"""Fixtures for tests that run the resources in the process of the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tenantry.emulator import Emulator
from tenantry.providers.framework import adapter, evidence
from tenantry.providers.qlik import Cloud
from tests.providers.resource_driver import MakeDriver, ResourceDriver, Tenancy


@pytest.fixture
def tenancy(qlik: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tenancy]:
    """Yield an empty tenant that our client created. Its notes and caches are in the folder of the test."""
    monkeypatch.setenv("TENANTRY_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("TENANTRY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TENANTRY_LAG_SECONDS", "0")
    monkeypatch.setenv("TENANTRY_CREATION_SECONDS", "0")
    monkeypatch.setattr(evidence, "PAUSE_SECONDS", 0.0)
    environment = {
        "QLIK_CLOUD_ENDPOINT": qlik.url,
        "QLIK_CLIENT_ID": "demo",
        "QLIK_CLIENT_SECRET": "demo-secret",
    }
    with Cloud(environment) as cloud:
        monkeypatch.setattr(adapter, "_cloud", lambda: cloud)
        yield Tenancy(qlik, cloud)


@pytest.fixture
def driver(tenancy: Tenancy) -> MakeDriver:
    """Return a function that creates the driver of a resource in the tenancy, by its module."""
    return lambda module: ResourceDriver(tenancy, module)
