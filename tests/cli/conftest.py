"""The projects in which tests run commands."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tenantry.cli.app import app
from tenantry.emulator import Emulator
from tenantry.state.backend import Backend
from tests.cli.site import Site
from tests.emulator.api import new_tenant

PROJECT = "name: tenantry\nruntime: python\nstackConfigDir: stacks\n"


class Folder:
    """A project with stack files and plans, in which commands run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "stacks" / "plans").mkdir(parents=True)
        (path / "Pulumi.yaml").write_text(PROJECT, "utf-8")

    def write(self, name: str, text: str) -> Path:
        """Write a file below the folder."""
        path = self.path / name
        path.write_text(text, "utf-8")
        return path

    def run(self, *arguments: str) -> Result:
        """Run `tenantry` with these arguments."""
        return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """Return a project without stack files, as the current folder."""
    project = Folder(tmp_path / "project")
    monkeypatch.chdir(project.path)
    return project


@pytest.fixture
def site(qlik: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Return a tenant for `tenantry smoke`, with its project in the current folder."""
    site = Site(new_tenant(qlik), tmp_path)
    site.write_project()
    monkeypatch.chdir(tmp_path)
    for name, value in (
        ("QLIK_CLOUD_ENDPOINT", qlik.url),
        ("QLIK_CLIENT_ID", "demo"),
        ("QLIK_CLIENT_SECRET", "demo-secret"),
    ):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(Backend, "outputs", lambda self, stack: site.outputs)
    qlik.control.clear_requests()
    return site
