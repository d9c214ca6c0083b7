"""Tests of `tenantry import`: its arguments and its output."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import tenantry.importing
from tenantry.importing import ImportRefused, ImportRequest, ImportResult
from tests.cli.conftest import Folder

HOST = "acme.eu.qlikcloud.com"


def test_managed_and_unmanaged_objects_are_listed(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []

    def fake_import(cloud: Any, project: Any, backend: Any, request: ImportRequest, say: Any) -> ImportResult:
        calls.extend([project.stacks, backend.root, request])
        return ImportResult("acme", Path("stacks/Pulumi.acme.yaml"), {"Group": 2, "Space": 3}, ["4 users"])

    monkeypatch.setattr(tenantry.importing, "import_tenant", fake_import)
    result = folder.run("import", HOST, "--plan", "gold", "--source-tenant", "templates.eu.qlikcloud.com")
    assert result.exit_code == 0
    request = ImportRequest(HOST, None, "gold", "templates.eu.qlikcloud.com")
    assert calls == [folder.path / "stacks", folder.path, request]
    assert f"{HOST} is now stack acme: stacks/Pulumi.acme.yaml" in result.output
    assert "Group  2" in result.output
    assert "  - 4 users" in result.output


def test_a_refusal_is_an_error_of_one_line(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> ImportResult:
        raise ImportRefused("it is managed by stack other already")

    monkeypatch.setattr(tenantry.importing, "import_tenant", refuse)
    result = folder.run("import", HOST)
    assert result.exit_code == 1
    assert result.output == f"{HOST} was not imported: it is managed by stack other already\n"


def test_an_unknown_source_tenant_is_an_error(folder: Folder) -> None:
    result = folder.run("import", HOST)
    assert result.exit_code == 1
    assert "the source tenant is not known" in result.output
