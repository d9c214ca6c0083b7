"""The directions in which the packages may import each other, and that no package escapes these rules."""

from __future__ import annotations

import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import grimp
import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    """The project's settings."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def test_imports_go_down_only(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The contracts in pyproject.toml hold."""
    monkeypatch.chdir(ROOT)
    failed = lint_imports(no_logo=True, no_cache=True)
    assert not failed, capsys.readouterr().out


def test_the_client_knows_nothing_of_pulumi_and_of_what_is_above_it() -> None:
    """`providers.qlik` imports no other module of the project, and not the engine's SDK."""
    graph = grimp.build_graph("providers", include_external_packages=True, cache_dir=None)
    client = {"providers.qlik", *graph.find_descendants("providers.qlik")}
    imported = {each for module in client for each in graph.find_modules_directly_imported_by(module)}
    above = {each for each in imported - client if each.partition(".")[0] in ("providers", "pulumi")}
    assert above == set()
    assert "json" in imported, "the graph holds no imports at all"


def test_every_shipped_package_is_under_the_rules(project: dict[str, Any]) -> None:
    """A new top-level package must be named in the contracts, and be shipped."""
    patterns = project["tool"]["setuptools"]["packages"]["find"]["include"]
    packages = {file.parent.name for file in ROOT.glob("*/__init__.py")} - {"bench", "tests", "tools"}
    assert {name for name in packages if not any(fnmatch(name, pattern) for pattern in patterns)} == set()
    assert set(project["tool"]["importlinter"]["root_packages"]) == packages
