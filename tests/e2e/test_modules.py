"""What the two processes of a run import: our modules under one name, and only what counts as the program."""

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
"""Run by every Python that starts: writes down each module that is looked for, once it is."""


def test_each_module_has_one_name(make_stack: Callable[..., Stack], qlik: Emulator, tmp_path: Path) -> None:
    """Where the folders that links lead to could be imported by their bare names, as in the checkout."""
    stack = make_stack(qlik=qlik)
    for name in ("providers", "components", "tenantry"):
        (stack.folder / name).symlink_to(ROOT / name)
    stack.write(**settings(everything()))
    with recorded(stack, tmp_path) as processes:
        stack.up()
        stack.up("--refresh")
    programs = [names for names in processes if "tenantry.components" in names]
    providers = [names for names in processes if ADAPTER in names]
    assert programs
    assert providers
    assert not [names for names in programs if names in providers], "the program loads no provider"
    for names in providers:
        assert not {"pydantic", "tenantry.settings", "tenantry.components"} & names
        assert "requests" in names
    for names in processes:
        assert not {name for name in names if name.partition(".")[0] in ("providers", "components")}
        assert not {name for name in names if name.startswith("tenantry.") and not counts(name)}


def test_a_run_that_changes_nothing_imports_little(stack: Stack, tmp_path: Path) -> None:
    """No provider imports what sends requests or what says in words what is wrong with a value; and whatever
    is asked only what it is, such as a language host without a program, imports nothing of Pulumi.
    """
    stack.write(**settings(everything()))
    stack.up()
    for run in (stack.up, stack.preview):
        with recorded(stack, tmp_path) as processes:
            run()
        found = [names & {"requests", "urllib3", "pydantic"} for names in processes if ADAPTER in names]
        assert found == [set()]
        assert sum("pulumi" in names for names in processes) == len(("program", "provider"))


@contextmanager
def recorded(stack: Stack, folder: Path) -> Iterator[list[set[str]]]:
    """Give what each Python process of the runs inside has imported, once they are over."""
    imported, found, before = folder / "imported", list[set[str]](), dict(stack.env)
    imported.mkdir()
    (folder / "sitecustomize.py").write_text(RECORDER)
    stack.env |= {"PYTHONPATH": str(folder), "TENANTRY_IMPORTED": str(imported)}
    yield found
    stack.env = before
    found += [set(file.read_text().splitlines()) for file in imported.iterdir()]
    shutil.rmtree(imported)


def counts(name: str) -> bool:
    """Whether a change of a module counts as one of the program."""
    path = Path(*name.split("."))
    if path.parts[1] in ("providers", "components"):
        path = path.relative_to("tenantry")
    is_package = (ROOT / path).is_dir()
    return is_code(path / "__init__.py" if is_package else path.with_suffix(".py"), checkout=True)
