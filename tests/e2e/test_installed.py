"""The wheel, in a repository of an operator's that has folders of the names that are in our checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tenantry.demo.environment import client_environment, private_environment
from tenantry.emulator import Emulator
from tenantry.pulumi_cli.installation import target_of
from tests.e2e.harness import ROOT
from tests.packages import build, run
from tests.upgrades.fixtures import HERE, SETTLED, VERSIONS, fill

THEIRS = ("providers", "components", "fleet", "cli", "emulator", "importing")
LATER = "99.0.0"

PYTHON = """\
#!/bin/sh
# An environment that is made here has the libraries of the tests: nothing is fetched.
"{python}" "$@" || exit
for site in .venv/lib/python3*/site-packages; do
    rm -rf "$site"/setuptools "$site"/setuptools-*
    echo "{libraries}" > "$site/libraries.pth"
done
"""


def environment(folder: Path, wheel: Path) -> Path:
    """Make an environment in a folder, with a wheel and without the checkout; return its `bin`.

    Its libraries are those of this one.
    """
    run(folder, sys.executable, "-m", "venv", "--without-pip", "venv")
    python = folder / "venv" / "bin" / "python"
    [site] = (folder / "venv" / "lib").glob("python3*/site-packages")
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python))
    run(folder, *pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel))
    return folder / "venv" / "bin"


@pytest.fixture(scope="module")
def now(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment with the wheel."""
    folder = tmp_path_factory.mktemp("installed")
    return environment(folder, build(folder))


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment with the wheel of a later version."""
    folder = tmp_path_factory.mktemp("later")
    return environment(folder, build(folder, LATER))


class Operator:
    """Somebody at a terminal, with an environment that has `tenantry`, and a Pulumi CLI of the machine's.

    That CLI was set up with the Python of this checkout: it must not matter.
    """

    def __init__(self, folder: Path, bin_: Path, qlik: Emulator) -> None:
        self.folder = folder
        self.repository = folder / "customers"
        shims = folder / "shims"
        shims.mkdir()
        python = PYTHON.format(python=sys.executable, libraries=sysconfig.get_path("purelib"))
        (shims / "python3").write_text(python)
        (shims / "python3").chmod(0o755)
        cli = target_of(ROOT / ".venv" / "bin" / "pulumi").parent
        self.env = private_environment(folder / "private") | client_environment(qlik.url)
        self.env |= {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0"}
        path = (self.repository / ".venv" / "bin", shims, bin_, cli, "/usr/bin", "/bin")
        self.env["PATH"] = os.pathsep.join(map(str, path))
        self.env["PULUMI_PYTHON_CMD"] = sys.executable

    def __call__(self, command: str, *, code: int = 0) -> str:
        """Run a command, in the repository once there is one."""
        where = self.repository if self.repository.exists() else self.folder
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=where,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
            timeout=250,
        )
        assert done.returncode == code, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr


def test_a_repository_of_ones_own(now: Path, qlik: Emulator, scratch: Path) -> None:
    """From nothing to a customer and back, and nothing of what is the operator's is imported."""
    operator = Operator(scratch, now, qlik)
    operator("tenantry init customers --region eu --source-tenant templates.eu.qlikcloud.com --ci github")
    assert "tenantry-0.1.0-py3-none-any.whl" in operator("cat pyproject.toml")
    for name in THEIRS:
        (operator.repository / name).mkdir()
        (operator.repository / name / "__init__.py").write_text("raise SystemExit('this is the operator's')")
    operator(".ci/setup")
    own = operator.repository / ".venv"
    where = operator("python -c 'import tenantry; print(tenantry.__file__)'")
    assert Path(where.strip()).is_relative_to(own)
    said = operator("tenantry doctor")
    assert f"program: Tenantry 0.1.0, Pulumi SDK {pulumi_sdk()}, {own / 'bin' / 'python'}" in said
    assert f"provider: Tenantry 0.1.0, Pulumi SDK {pulumi_sdk()}, {own / 'bin' / 'python'}" in said
    assert "0 errors" in said

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


def test_an_environment_that_is_not_there_ends_with_one_line(
    now: Path, qlik: Emulator, scratch: Path
) -> None:
    operator = Operator(scratch, now, qlik)
    operator("tenantry init customers --region eu --source-tenant templates.eu.qlikcloud.com")
    operator("tenantry new acme")
    operator("pulumi stack init acme --no-select")
    for command, code in (("pulumi preview --stack acme", 1), ("tenantry preview acme", 2)):
        said = operator(command, code=code)
        line = next(line for line in said.splitlines() if "virtualenv" in line)
        assert str(operator.repository / ".venv") in line
        assert "Traceback" not in said
        assert "unhandled" not in said


@pytest.mark.parametrize("version", VERSIONS)
def test_an_upgrade(now: Path, later: Path, scratch: Path, version: str) -> None:
    """Customers that a released version has made: nothing to do for the next ones, and they can go."""
    fill(scratch / "cloud", version)
    with Emulator(data=scratch / "cloud") as qlik:
        operator = Operator(scratch, now, qlik)
        shutil.copytree(HERE / version / "project", operator.repository)
        operator.env["PATH"] = f"{operator.repository / '.venv' / 'bin'}{os.pathsep}{operator.env['PATH']}"
        own = operator.repository / ".venv"
        project = operator.repository / "Pulumi.yaml"
        project.write_text(
            project.read_text().replace("toolchain: pip", "toolchain: pip\n    virtualenv: .venv")
        )
        for file in (operator.repository / "stacks").glob("Pulumi.*.yaml"):
            if file.name.split(".")[1] not in SETTLED:
                file.unlink()
        own.symlink_to(now.parent)
        for stack in SETTLED:
            operator(f"pulumi stack init {stack} --no-select")
            operator(f"pulumi stack import --stack {stack} --file {HERE / version / 'states' / stack}.json")
        for bin_, installed in ((now, "0.1.0"), (later, LATER)):
            own.unlink()
            own.symlink_to(bin_.parent)
            assert f"tenantry {installed}\n" in operator("tenantry version")
            assert f"no change in {len(SETTLED)} customers" in operator("tenantry preview --all")
        operator("tenantry up --all --yes")
        operator("tenantry destroy everything --yes")
        assert "everything" in operator("tenantry status --all")
