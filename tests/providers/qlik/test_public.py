"""The public names of the package, and the modules that importing it loads."""

from __future__ import annotations

import inspect
import subprocess
import sys
from types import ModuleType

import pytest

import tenantry.providers.qlik
from tenantry.providers.qlik import errors, testing


@pytest.mark.parametrize("module", [tenantry.providers.qlik, testing], ids=lambda module: module.__name__)
def test_all_names_exist_once_and_are_sorted(module: ModuleType) -> None:
    assert sorted(set(module.__all__)) == sorted(module.__all__)
    assert all(hasattr(module, name) for name in module.__all__)


def test_every_public_name_is_in_all() -> None:
    public = {
        name
        for name, value in vars(tenantry.providers.qlik).items()
        if not name.startswith("_") and not isinstance(value, ModuleType) and name != "annotations"
    }
    assert public == set(tenantry.providers.qlik.__all__)


def test_every_error_is_exported() -> None:
    classes = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.QlikError)
    }
    assert classes <= set(tenantry.providers.qlik.__all__)


@pytest.mark.parametrize("name", tenantry.providers.qlik.__all__)
def test_every_public_name_is_documented(name: str) -> None:
    value = getattr(tenantry.providers.qlik, name)
    assert inspect.getdoc(value)
    members = vars(value).items() if isinstance(value, type) else []
    for member, function in members:
        if not member.startswith("_") and (callable(function) or isinstance(function, property)):
            assert inspect.getdoc(getattr(value, member)), f"{name}.{member}"


def test_importing_does_not_import_the_http_library() -> None:
    code = (
        "import sys; from tenantry.providers.qlik import Cloud;"
        "Cloud.from_environment().tenant('a.eu.qlikcloud.com');"
        "print(sorted({'requests', 'urllib3', 'pulumi', 'pydantic', 'tenantry.emulator'} & set(sys.modules)))"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "[]"
