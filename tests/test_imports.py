"""The directions of imports, one name for each module, and the content of the installed package."""

from __future__ import annotations

import sys
import zipfile
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

from tests.packages import LINKS, ROOT, build, copy, run


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """The graph of imports."""
    return grimp.build_graph("tenantry", include_external_packages=True, cache_dir=None)


def lint(folder: Path, *, code: int = 0) -> str:
    """Check the import contracts of a copy; return the output."""
    return run(folder, str(Path(sys.executable).with_name("lint-imports")), "--no-cache", code=code)


def test_the_import_contracts_hold() -> None:
    """pyproject.toml has four contracts."""
    output = lint(ROOT)
    assert output.count(" KEPT") == 4
    assert "0 broken" in output


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("providers/space.py", "import tenantry.components", "Imports go down only"),
        ("components/customer_tenant.py", "import tenantry.fleet.job", "Imports go down only"),
        ("tenantry/fleet/job.py", "import tenantry.cli.app", "Imports go down only"),
        (
            "tenantry/emulator/call.py",
            "import tenantry.settings.project",
            "The emulator shares nothing with the code that it tests",
        ),
        ("providers/app.py", "import tenantry.emulator.app", "The product does not need the emulator"),
        (
            "providers/qlik/host.py",
            "import tenantry.providers.framework.run",
            "The shared code of resource types builds on the client",
        ),
    ],
)
def test_an_upward_import_breaks_a_contract(tmp_path: Path, file: str, line: str, contract: str) -> None:
    """The contracts also cover the folders that the links point to."""
    with (copy(tmp_path) / file).open("a", encoding="utf-8") as code:
        code.write(f"\n{line}\n")
    assert f"{contract} BROKEN" in lint(tmp_path, code=1)


def test_a_new_package_must_have_a_layer(tmp_path: Path) -> None:
    new = copy(tmp_path) / "tenantry" / "new"
    new.mkdir()
    (new / "__init__.py").touch()
    assert "- tenantry.new" in lint(tmp_path, code=1)


def test_the_client_imports_neither_pulumi_nor_higher_layers(graph: grimp.ImportGraph) -> None:
    """`tenantry.providers.qlik` imports only the root of all errors, and not Pulumi's SDK."""
    client = {"tenantry.providers.qlik", *graph.find_descendants("tenantry.providers.qlik")}
    imported = {
        imported_module
        for module in client
        for imported_module in graph.find_modules_directly_imported_by(module)
    }
    higher = {module for module in imported - client if module.partition(".")[0] in ("tenantry", "pulumi")}
    assert higher == {"tenantry.errors"}
    assert "json" in imported, "the graph has no imports"


def test_there_are_no_import_cycles(graph: grimp.ImportGraph) -> None:
    """The package itself is excluded, because it lists the names that users import from it."""
    order: TopologicalSorter[str] = TopologicalSorter()
    for module in graph.modules - {"tenantry"}:
        order.add(module, *(graph.find_modules_directly_imported_by(module) - {"tenantry"}))
    order.prepare()


@pytest.mark.parametrize("name", LINKS)
def test_a_linked_folder_has_one_name(name: str) -> None:
    """Otherwise, a checkout could also import it without the package, and each module would exist twice."""
    output = run(ROOT, sys.executable, "-c", f"import {name}", code=1)
    assert f"Import it as `tenantry.{name}`" in output


@pytest.mark.parametrize("name", LINKS)
def test_an_archive_without_links_is_a_clear_error(tmp_path: Path, name: str) -> None:
    """Some tools unpack links as text files."""
    link = copy(tmp_path) / "tenantry" / name
    target = link.readlink()
    assert target == Path("..") / name
    link.unlink()
    link.write_text(str(target))
    output = run(tmp_path, sys.executable, "-c", "import tenantry", code=1)
    assert f"is a link to ../{name}" in output
    assert "core.symlinks" in output


def test_the_installed_package_contains_only_the_package_and_its_data(tmp_path: Path) -> None:
    """A wheel from the source archive contains only the package, with its types and its data."""
    wheel = build(tmp_path)
    names = {Path(name) for name in zipfile.ZipFile(wheel).namelist()}
    assert {name.parts[0] for name in names if not name.parts[0].endswith(".dist-info")} == {"tenantry"}
    source_files = {
        file.relative_to(ROOT)
        for folder in (ROOT / "tenantry", *(ROOT / "tenantry" / name for name in LINKS))
        for file in folder.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert {name for name in names if name.parts[0] == "tenantry"} == source_files
    assert {name.suffix for name in source_files} >= {".py", ".typed", ".json", ".yaml"}
