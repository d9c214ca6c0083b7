"""All errors have one root, and one drawing shows their tree."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from types import ModuleType

import tenantry
from tenantry import errors
from tenantry.errors import TenantryError


def modules(package: ModuleType) -> Iterator[ModuleType]:
    """Yield every module of the product except the emulator, which shares nothing with it."""
    for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if found.name.endswith(".__main__") or found.name == "tenantry.emulator":
            continue
        module = importlib.import_module(found.name)
        yield module
        if found.ispkg:
            yield from modules(module)


def tree(root: type[Exception], depth: int = 0) -> Iterator[tuple[int, str]]:
    """Yield each error with its depth; sort the children of a parent by name."""
    yield depth, root.__name__
    for child in sorted(root.__subclasses__(), key=lambda error: error.__name__):
        if child.__module__.startswith("tenantry."):
            yield from tree(child, depth + 1)


def test_the_drawing_of_the_tree_is_complete() -> None:
    assert list(modules(tenantry))
    drawing = re.search(r"```\n(.*?)```", errors.__doc__ or "", re.DOTALL)
    assert drawing
    drawn = []
    for line in drawing[1].splitlines():
        found = re.match(r"([│├└─ ]*)(\w+)(?: {2,}(\S.*))?$", line)
        assert found, line
        drawn.append((len(found[1]) // 4, found[2]))
        assert found[3] or found[2] == "TenantryError", f"{found[2]} has no explanation"
    assert drawn == list(tree(TenantryError))


def test_every_error_of_ours_has_the_root() -> None:
    """This covers errors for callers. An exception used only inside one module starts with `_`."""
    strays = {
        f"{module.__name__}.{name}"
        for module in modules(tenantry)
        for name, value in vars(module).items()
        if inspect.isclass(value)
        and issubclass(value, Exception)
        and value.__module__ == module.__name__
        and not issubclass(value, TenantryError)
        and not name.startswith("_")
    }
    assert strays == set()
