"""The recipe for a new resource type in docs/architecture.md, which a test follows in a copy of the tree."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tenantry.emulator.control_client import Control
from tests.e2e.customers import GLOBEX, SOURCE_TENANT, settings, with_changes
from tests.e2e.harness import ROOT, Stack

HERE = Path(__file__).parent
PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
FILES = {
    "provider.py": "providers/banner.py",
    "block.py": "tenantry/settings/models/banners.py",
    "contract.yaml": "tenantry/emulator/contract/banners.yaml",
    "api.py": "tenantry/emulator/apis/banners.py",
    "resource_test.py": "tests/providers/test_banner.py",
}
PRECEDING_LINES = (
    ("    from tenantry.providers.banner import", "    from tenantry.providers.app_publication import"),
    ('    "Banner": "banner"', '    "AppPublication": "app_publication"'),
    ("from tenantry.settings.models.banners", "from tenantry.settings.models.block import"),
    ("    banners: dict", "    web_integrations: dict"),
    ('    "Banner": "gASV', "STRINGS = {"),
)
"""The start of each line of the recipe, and the start of the line before it."""


def added_lines() -> list[tuple[str, str]]:
    """Return the lines that the recipe adds to existing files, each with its file."""
    [block] = re.findall(r"```diff\n(providers/__init__.*?)```", PAGE, re.DOTALL)
    added, file = [], ""
    for line in block.splitlines():
        if line.startswith("+"):
            added.append((file, line[1:]))
        else:
            file = line
    return added


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree with a new resource type."""
    root = tmp_path_factory.mktemp("tree")
    skipped = shutil.ignore_patterns("__pycache__", ".*cache")
    for name in ("tenantry", "providers", "components", "tests", "tools", "docs", "stacks"):
        shutil.copytree(ROOT / name, root / name, symlinks=True, ignore=skipped)
    for name in ("pyproject.toml", "Pulumi.yaml", "__main__.py"):
        shutil.copy(ROOT / name, root)
    (root / ".venv").symlink_to(ROOT / ".venv")
    for name, target in FILES.items():
        assert f"`{target}`" in PAGE
        assert not (root / target).exists()
        shutil.copy(HERE / name, root / target)
    for file, line in added_lines():
        [preceding] = [preceding for start, preceding in PRECEDING_LINES if line.startswith(start)]
        text = (root / file).read_text("utf-8")
        match = re.search(rf"^{re.escape(preceding)}.*\n", text, re.MULTILINE)
        assert match, f"{file} has no line {preceding}"
        (root / file).write_text(f"{text[: match.end()]}{line}\n{text[match.end() :]}", "utf-8")
    return root


def python(tree: Path, *arguments: str) -> str:
    """Run Python in the copy, with the `tenantry` of the copy; return its output."""
    process = subprocess.run(
        [sys.executable, *arguments],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        check=False,
        timeout=250,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


def test_few_lines_of_existing_files_change() -> None:
    assert len(added_lines()) <= 5
    assert len({file for file, _ in added_lines()}) <= 3


def test_the_new_type_passes_the_tests_of_all_types(tree: Path) -> None:
    """They test its CRUD methods, its string in the state, its block, and the generated pages."""
    python(tree, "-m", "tools.docs")
    assert "### `banners`" in (tree / "docs" / "stack-files.md").read_text("utf-8")
    assert "## Banner" in (tree / "docs" / "resources.md").read_text("utf-8")
    assert '"banners"' in (tree / "tenantry" / "settings" / "schema.json").read_text("utf-8")
    tests = (
        "tests/providers/framework/test_every_resource_type.py",
        "tests/providers/framework/test_adapter.py",
        "tests/providers/framework/test_provider_string.py",
        "tests/settings/test_blocks.py",
        "tests/tools/test_references.py",
    )
    selection = "banner or Banner or every_resource_type_is_here or each_property or up_to_date"
    output = python(tree, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", "-k", selection, *tests)
    passed = re.search(r"(\d+) passed", output)
    assert passed
    assert int(passed[1]) > 40, output


@pytest.fixture
def emulator(tree: Path) -> Iterator[str]:
    """The URL of the copy's emulator."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tenantry.emulator", "--port", "0"],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout
        yield process.stdout.readline().split()[-1]
        process.terminate()


class RunningEmulator:
    """The part of an emulator that the harness uses."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.control = Control(url)


def test_the_real_engine_manages_a_banner_of_a_customer(
    make_stack: Callable[..., Stack], tree: Path, emulator: str
) -> None:
    """It is created, in the outputs, unchanged, changed, and renamed. Its name must be unique."""
    stack = make_stack(qlik=RunningEmulator(emulator), program=tree)
    (stack.folder / "tenantry").symlink_to(tree / "tenantry")
    customer = with_changes(GLOBEX, ("banners", {"Welcome": {"text": "Hello"}}))
    stack.write(**settings(customer))
    assert ("create", "Banner Welcome") in stack.up().operations
    assert stack.outputs()["banners"].keys() == {"Welcome"}
    assert stack.up("--expect-no-changes").requests == []

    stack.write(**settings(with_changes(customer, ("banners/Welcome/text", "Good morning"))))
    assert [operation for operation in stack.up().operations if operation[0] != "same"] == [
        ("update", "Banner Welcome")
    ]
    entry = {"name": "Welcome", "text": "Good morning", "renamed_from": "Welcome"}
    stack.write(**settings(with_changes(customer, ("banners", {"Greeting": entry}))))
    assert stack.up().changes.keys() == {"same"}

    stack.write(
        **settings(with_changes(customer, ("banners", {"A": {"name": "Same"}, "B": {"name": "Same"}})))
    )
    assert 'name "Same" is taken by banner "A"; names must differ' in stack.preview(expect=1).stdout


def test_an_import_finds_the_banner(make_stack: Callable[..., Stack], tree: Path, emulator: str) -> None:
    stack = make_stack(qlik=RunningEmulator(emulator), program=tree)
    (stack.folder / "tenantry").symlink_to(tree / "tenantry")
    stack.write(**settings(with_changes(GLOBEX, ("banners", {"Welcome": {"text": "Hello"}}))))
    stack.up()
    hostname = stack.outputs()["hostname"]
    stack.pulumi("stack", "rm", "--force", "--yes")
    process = subprocess.run(
        [str(ROOT / ".venv" / "bin" / "tenantry"), "import", hostname, "--source-tenant", SOURCE_TENANT],
        cwd=stack.folder,
        env={**stack.env, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        check=False,
        timeout=250,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    assert "Banner" in process.stdout
    assert yaml.safe_load(stack.file.read_text())["config"]["tenantry:customer"]["banners"] == {
        "Welcome": {"text": "Hello"}
    }
