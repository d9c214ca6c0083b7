"""A client, and a function that finds the objects of a tenant to import."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tenantry.emulator import Emulator
from tenantry.importing.finders import find_all
from tenantry.importing.findings import Findings
from tenantry.importing.tenant_reader import TenantReader
from tenantry.providers.qlik import Cloud
from tests.importing.tenants import SOURCE, cloud_of
from tests.world import World

Find = Callable[..., Findings]


@pytest.fixture
def cloud(qlik: Emulator) -> Iterator[Cloud]:
    with cloud_of(qlik) as cloud:
        yield cloud


@pytest.fixture
def find(cloud: Cloud) -> Find:
    """Return a function that reads a tenant for a customer with a plan of these values."""

    def find(world: World, **plan: Any) -> Findings:
        findings = Findings(plan)
        find_all(TenantReader(cloud, world.hostname, SOURCE), findings)
        return findings

    return find


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    return folder
