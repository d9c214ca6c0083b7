"""The settings of the running stack: their values in the program, and the modules that they load."""

from __future__ import annotations

import contextvars
import gc
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.runtime.config import set_all_config

import tenantry.settings
from tenantry.settings.models import Settings
from tests.settings.conftest import Folder

CUSTOMER = {"name": "Globex", "lifecycle": {"kind": "trial", "ends_on": "2026-12-31 00:00:00 +0000 UTC"}}
CONFIG = {
    "qlik:region": "eu",
    "qlik:source_tenant": "templates.eu.qlikcloud.com",
    "tenantry:customer": json.dumps(CUSTOMER),
}
Run = Callable[..., Settings]


@pytest.fixture
def run(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that reads the settings of stack globex from the engine's configuration."""
    root = folder.path.parent
    (root / "Pulumi.yaml").write_text("name: tenantry\nruntime: python\nstackConfigDir: stacks\n")
    monkeypatch.setattr(pulumi, "get_stack", lambda: "globex")
    monkeypatch.setattr(pulumi, "get_root_directory", lambda: str(root))

    def settings(config: dict[str, str], *, secrets: tuple[str, ...] = ()) -> Settings:
        def program() -> Settings:
            set_all_config(config, list(secrets))
            return tenantry.settings.current_settings()

        return contextvars.copy_context().run(program)

    return settings


def test_a_program_gets_the_settings_of_its_stack(run: Run) -> None:
    settings = run(CONFIG)
    assert (settings.region, settings.source_tenant) == ("eu", "templates.eu.qlikcloud.com")
    assert settings.customer.name == "Globex"
    assert str(settings.customer.lifecycle.ends_on) == "2026-12-31"


def test_plans_and_line_numbers_come_from_the_folder_of_the_project(run: Run, folder: Folder) -> None:
    folder.write("plan: team\nalias: ab", team="lifecycle: {grace_days: 7}\n")
    customer = json.dumps({"name": "Globex", "plan": "team", "alias": "ab"})
    with pytest.raises(pulumi.RunError) as caught:
        run({**CONFIG, "tenantry:customer": customer})
    assert str(caught.value).splitlines() == [
        "2 problems in the settings of stack globex:",
        'stacks/Pulumi.globex.yaml:7: customer.alias: "ab" has 2 characters; an alias has 3 to 63',
        "stacks/plans/team.yaml:1: lifecycle.grace_days: 7 is out of range; allowed: 10 to 90",
    ]


def test_the_user_sees_the_problems_without_a_traceback(run: Run) -> None:
    """Pulumi prints the text of a RunError unchanged. No other exception is chained to it."""
    with pytest.raises(pulumi.RunError) as caught:
        run({})
    assert "3 problems" in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("customer", "shown"), [("Globex", '"Globex"'), ("[1", '"[1"'), ("5", '"5"'), ("[]", "a list")]
)
def test_a_customer_that_is_not_a_mapping_is_refused(run: Run, customer: str, shown: str) -> None:
    with pytest.raises(pulumi.RunError, match="customer: must be a mapping of keys, not ") as caught:
        run({**CONFIG, "tenantry:customer": customer})
    assert str(caught.value).endswith(shown)


def test_an_encrypted_value_is_refused_without_being_shown(run: Run, folder: Folder) -> None:
    customer = json.dumps({"name": "hunter2", "alias": "hunter2!"})
    with pytest.raises(pulumi.RunError) as caught:
        run({**CONFIG, "tenantry:customer": customer}, secrets=("tenantry:customer",))
    assert "stacks/Pulumi.globex.yaml: customer: an encrypted value here" in str(caught.value)
    folder.write("tenant:\n  datacenter: {secure: v1:abc}")
    with pytest.raises(pulumi.RunError) as caught_with_file:
        run({**CONFIG, "tenantry:customer": customer}, secrets=("tenantry:customer",))
    assert "stacks/Pulumi.globex.yaml:7: customer.tenant.datacenter: an encrypted value here" in str(
        caught_with_file.value
    )
    assert "hunter2" not in str(caught.value) + str(caught_with_file.value)


def test_a_space_with_the_name_secure_is_not_an_encrypted_value(folder: Folder) -> None:
    assert folder.write("spaces:\n  secure: {type: shared}").customer().spaces["secure"].type == "shared"


def test_reading_the_settings_leaves_garbage_collection_on(run: Run) -> None:
    assert gc.isenabled()
    run(CONFIG)
    assert gc.isenabled()
    with pytest.raises(pulumi.RunError):
        run({})
    assert gc.isenabled()


def _modules_after(code: str) -> set[str]:
    script = f"{code}\nimport sys, json; print(json.dumps(list(sys.modules)))"
    process = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=_ROOT
    )
    loaded: list[str] = json.loads(process.stdout)
    return set(loaded)


_ROOT = Path(__file__).resolve().parents[2]


def test_importing_the_package_loads_no_large_library() -> None:
    assert not {"pydantic", "pydantic_core", "yaml", "pulumi", "requests"} & _modules_after(
        "import tenantry.settings"
    )


def test_reading_a_file_loads_neither_pulumi_nor_the_schema_generator() -> None:
    code = (
        "import pathlib; from tenantry.settings import load_file;"
        "load_file(pathlib.Path('stacks/Pulumi.globex.yaml'))"
    )
    assert not {"pulumi", "requests", "tenantry.settings.schema", "jsonschema"} & _modules_after(code)


def test_every_public_name_exists_and_is_documented() -> None:
    public: list[Any] = [getattr(tenantry.settings, name) for name in tenantry.settings.__all__]
    assert all(item.__doc__ for item in public)
