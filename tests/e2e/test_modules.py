"""What the two processes of a run import: our modules under one name, and only what counts as the program."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tenantry.emulator import Emulator
from tenantry.fleet.changes import is_code
from tests.e2e.customers import everything, settings
from tests.e2e.harness import ROOT, Stack

RECORDER = """
import os, sys

class Recorder:
    def find_spec(self, name, path=None, target=None):
        with open(os.path.join(os.environ["TENANTRY_IMPORTED"], str(os.getpid())), "a") as file:
            file.write(name + "\\n")

sys.meta_path.insert(0, Recorder())
"""
"""Run by every Python that starts: writes down each module that is looked for, once it is."""


def test_each_module_has_one_name(make_stack: Callable[..., Stack], qlik: Emulator, tmp_path: Path) -> None:
    """Where the folders that links lead to could be imported by their bare names, as in the checkout."""
    stack = make_stack(qlik=qlik)
    for name in ("providers", "components", "tenantry"):
        (stack.folder / name).symlink_to(ROOT / name)
    imported = tmp_path / "imported"
    imported.mkdir()
    (tmp_path / "sitecustomize.py").write_text(RECORDER)
    stack.env |= {"PYTHONPATH": str(tmp_path), "TENANTRY_IMPORTED": str(imported)}
    stack.write(**settings(everything()))
    stack.up()
    stack.up("--refresh")

    processes = [set(file.read_text().splitlines()) for file in imported.iterdir()]
    programs = [names for names in processes if "tenantry.components" in names]
    providers = [names for names in processes if "tenantry.providers.framework.adapter" in names]
    assert programs
    assert providers
    assert not [names for names in programs if names in providers], "the program loads no provider"
    for names in providers:
        assert not {"pydantic", "tenantry.settings", "tenantry.components"} & names
    for names in processes:
        assert not {name for name in names if name.partition(".")[0] in ("providers", "components")}
        assert not {name for name in names if name.startswith("tenantry.") and not counts(name)}


def counts(name: str) -> bool:
    """Whether a change of a module counts as one of the program."""
    path = Path(*name.split("."))
    if path.parts[1] in ("providers", "components"):
        path = path.relative_to("tenantry")
    is_package = (ROOT / path).is_dir()
    return is_code(path / "__init__.py" if is_package else path.with_suffix(".py"), checkout=True)
