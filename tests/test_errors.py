"""All errors have one root, and a docstring shows their tree."""

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
    for info in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if info.name.endswith(".__main__") or info.name == "tenantry.emulator":
            continue
        module = importlib.import_module(info.name)
        yield module
        if info.ispkg:
            yield from modules(module)


def tree(root: type[Exception], depth: int = 0) -> Iterator[tuple[int, str]]:
    """Yield each error with its depth. The children of a parent are sorted by name."""
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
        match = re.match(r"([│├└─ ]*)(\w+)(?: {2,}(\S.*))?$", line)
        assert match, line
        drawn.append((len(match[1]) // 4, match[2]))
        assert match[3] or match[2] == "TenantryError", f"{match[2]} has no explanation"
    assert drawn == list(tree(TenantryError))


def test_every_public_error_has_the_root() -> None:
    """An exception for only one module starts with `_`, and needs no root."""
    errors_without_root = {
        f"{module.__name__}.{name}"
        for module in modules(tenantry)
        for name, value in vars(module).items()
        if inspect.isclass(value)
        and issubclass(value, Exception)
        and value.__module__ == module.__name__
        and not issubclass(value, TenantryError)
        and not name.startswith("_")
    }
    assert errors_without_root == set()
