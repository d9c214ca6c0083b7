"""The wheel of Tenantry in an operator's repository, without the checkout."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tenantry.emulator import Emulator
from tests.e2e.operators import Operator, environment
from tests.packages import build
from tests.upgrades.fixtures import HERE, SETTLED, VERSIONS, fill

SHADOWING_FOLDERS = ("providers", "components", "fleet", "cli", "emulator", "importing")
LATER_VERSION = "99.0.0"


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` folder of an environment with the wheel of a later version."""
    folder = tmp_path_factory.mktemp("later")
    return environment(folder, build(folder, LATER_VERSION))


def test_folders_of_a_repository_do_not_shadow_tenantry(bin_: Path, qlik: Emulator, scratch: Path) -> None:
    """The repository has folders with the same names as this checkout. No command imports them."""
    operator = Operator(scratch, bin_, qlik)
    operator("tenantry init customers --region eu --source-tenant templates.eu.qlikcloud.com --ci github")
    assert "tenantry-0.1.0-py3-none-any.whl" in operator("cat pyproject.toml")
    for name in SHADOWING_FOLDERS:
        (operator.repository / name).mkdir()
        (operator.repository / name / "__init__.py").write_text("raise SystemExit('this is the operator's')")
    operator(".ci/setup")
    own_environment = operator.repository / ".venv"
    module_path = operator("python -c 'import tenantry; print(tenantry.__file__)'")
    assert Path(module_path.strip()).is_relative_to(own_environment)
    output = operator("tenantry doctor")
    assert (
        f"program: Tenantry 0.1.0, Pulumi SDK {pulumi_sdk()}, {own_environment / 'bin' / 'python'}" in output
    )
    assert (
        f"provider: Tenantry 0.1.0, Pulumi SDK {pulumi_sdk()}, {own_environment / 'bin' / 'python'}" in output
    )
    assert "0 errors" in output

    operator("tenantry new acme --name 'Acme Corp'")
    assert "Acme Corp" in operator("tenantry settings acme")
    operator("tenantry check acme")
    operator("pulumi stack init acme --no-select")
    operator("pulumi up --stack acme --yes --skip-preview")
    assert "Space::Reports" in operator("pulumi stack export --stack acme")
    assert "up to date" in operator("tenantry preview --all")
    assert "acme" in operator("tenantry status --all")
    operator("tenantry new trial --trial-until 2999-12-31")
    operator("pulumi stack init trial --no-select")
    operator("tenantry up --all --yes")
    refused = operator("pulumi destroy --stack acme --yes --skip-preview", code=1)
    assert "protected" in refused
    operator("pulumi destroy --stack trial --yes --skip-preview")


def pulumi_sdk() -> str:
    from importlib.metadata import version

    return version("pulumi")


def test_a_missing_environment_is_a_one_line_error(bin_: Path, qlik: Emulator, scratch: Path) -> None:
    operator = Operator(scratch, bin_, qlik)
    operator("tenantry init customers --region eu --source-tenant templates.eu.qlikcloud.com")
    operator("tenantry new acme")
    operator("pulumi stack init acme --no-select")
    for command, code in (("pulumi preview --stack acme", 1), ("tenantry preview acme", 2)):
        output = operator(command, code=code)
        line = next(line for line in output.splitlines() if "virtualenv" in line)
        assert str(operator.repository / ".venv") in line
        assert "Traceback" not in output
        assert "unhandled" not in output


@pytest.mark.parametrize("version", VERSIONS)
def test_an_upgrade_needs_no_change(bin_: Path, later: Path, scratch: Path, version: str) -> None:
    """The customers come from a released version. Later versions find no change, and can destroy them."""
    fill(scratch / "cloud", version)
    with Emulator(data=scratch / "cloud") as qlik:
        operator = Operator(scratch, bin_, qlik)
        shutil.copytree(HERE / version / "project", operator.repository)
        operator.env["PATH"] = f"{operator.repository / '.venv' / 'bin'}{os.pathsep}{operator.env['PATH']}"
        own_environment = operator.repository / ".venv"
        project = operator.repository / "Pulumi.yaml"
        project.write_text(
            project.read_text().replace("toolchain: pip", "toolchain: pip\n    virtualenv: .venv")
        )
        for file in (operator.repository / "stacks").glob("Pulumi.*.yaml"):
            if file.name.split(".")[1] not in SETTLED:
                file.unlink()
        own_environment.symlink_to(bin_.parent)
        for stack in SETTLED:
            operator(f"pulumi stack init {stack} --no-select")
            operator(f"pulumi stack import --stack {stack} --file {HERE / version / 'states' / stack}.json")
        for bin_folder, expected_version in ((bin_, "0.1.0"), (later, LATER_VERSION)):
            own_environment.unlink()
            own_environment.symlink_to(bin_folder.parent)
            assert f"tenantry {expected_version}\n" in operator("tenantry version")
            assert f"no change in {len(SETTLED)} customers" in operator("tenantry preview --all")
        operator("tenantry up --all --yes")
        operator("tenantry destroy everything --yes")
        assert "everything" in operator("tenantry status --all")
