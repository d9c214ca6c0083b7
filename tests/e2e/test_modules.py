"""The imports of the two processes of a run: each module of Tenantry has one name, and few are loaded."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tenantry.emulator import Emulator
from tenantry.fleet.changes import is_code
from tests.e2e.customers import everything, settings
from tests.e2e.harness import ROOT, Stack

ADAPTER = "tenantry.providers.framework.adapter"

RECORDER = """
import os, sys

class Recorder:
    def find_spec(self, name, path=None, target=None):
        with open(os.path.join(os.environ["TENANTRY_IMPORTED"], str(os.getpid())), "a") as file:
            file.write(name + "\\n")

sys.meta_path.insert(0, Recorder())
"""
"""Code that every Python process runs at its start. It records each module that is looked up."""


def test_each_module_has_one_name(make_stack: Callable[..., Stack], qlik: Emulator, tmp_path: Path) -> None:
    """In a checkout, Python could also import the linked folders by their bare names."""
    stack = make_stack(qlik=qlik)
    for name in ("providers", "components", "tenantry"):
        (stack.folder / name).symlink_to(ROOT / name)
    stack.write(**settings(everything()))
    with record_imports(stack, tmp_path) as processes:
        stack.up()
        stack.up("--refresh")
    programs = [names for names in processes if "tenantry.components" in names]
    providers = [names for names in processes if ADAPTER in names]
    assert programs
    assert providers
    assert not [names for names in programs if names in providers], "the program must not load a provider"
    for names in providers:
        assert not {"pydantic", "tenantry.settings", "tenantry.components"} & names
        assert "requests" in names
    for names in processes:
        assert not {name for name in names if name.partition(".")[0] in ("providers", "components")}
        assert not {name for name in names if name.startswith("tenantry.") and not counts(name)}


def test_a_run_without_changes_imports_few_modules(stack: Stack, tmp_path: Path) -> None:
    """No provider imports the HTTP client or Pydantic.

    Only the program and the provider import Pulumi. A language host without a program does not.
    """
    stack.write(**settings(everything()))
    stack.up()
    for run in (stack.up, stack.preview):
        with record_imports(stack, tmp_path) as processes:
            run()
        client_modules = [
            names & {"requests", "urllib3", "pydantic"} for names in processes if ADAPTER in names
        ]
        assert client_modules == [set()]
        assert sum("pulumi" in names for names in processes) == len(("program", "provider"))


@contextmanager
def record_imports(stack: Stack, folder: Path) -> Iterator[list[set[str]]]:
    """Yield a list. At the end of the block, fill it with the imports of each Python process of its runs."""
    imported, imports, env_before = folder / "imported", list[set[str]](), dict(stack.env)
    imported.mkdir()
    (folder / "sitecustomize.py").write_text(RECORDER)
    stack.env |= {"PYTHONPATH": str(folder), "TENANTRY_IMPORTED": str(imported)}
    yield imports
    stack.env = env_before
    imports += [set(file.read_text().splitlines()) for file in imported.iterdir()]
    shutil.rmtree(imported)


def counts(name: str) -> bool:
    """Tell whether a change of a module counts as a change of the program."""
    path = Path(*name.split("."))
    if path.parts[1] in ("providers", "components"):
        path = path.relative_to("tenantry")
    is_package = (ROOT / path).is_dir()
    return is_code(path / "__init__.py" if is_package else path.with_suffix(".py"), checkout=True)
