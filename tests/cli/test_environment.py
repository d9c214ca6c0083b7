"""Tests of unusable environments: the error is one line, and names the variable or the file."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from tenantry.cli import main
from tenantry.pulumi_internals.environment import PYTHON_COMMAND

STACK = """\
config:
  qlik:region: eu
  qlik:source_tenant: templates.eu.qlikcloud.com
  tenantry:customer: {name: Café, groups: {Zürich: {}}}
"""
ASCII_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project with one stack, whose names have letters outside of ASCII."""
    (tmp_path / "Pulumi.yaml").write_text("name: tenantry\nruntime: python\nstackConfigDir: stacks\n")
    (tmp_path / "stacks" / "plans").mkdir(parents=True)
    (tmp_path / "stacks" / "Pulumi.acme.yaml").write_text(STACK, "utf-8")
    return tmp_path


def _run(folder: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name != PYTHON_COMMAND}
    return subprocess.run(
        [sys.executable, "-c", "from tenantry.cli import main; main()", *command],
        cwd=folder,
        env=inherited | environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_names_are_printed_in_a_locale_without_utf_8(project: Path) -> None:
    process = _run(project, "settings", "acme", **ASCII_LOCALE)
    assert (process.returncode, process.stderr) == (0, "")
    assert "Café" in process.stdout
    file = project / "stacks" / "Pulumi.acme.yaml"
    file.write_text(STACK.replace("groups", "grüppen"), "utf-8")
    process = _run(project, "settings", "acme", **ASCII_LOCALE)
    assert process.returncode == 1
    assert "stacks/Pulumi.acme.yaml:4: customer.grüppen: unknown key" in process.stderr


def test_a_provider_prints_escapes_in_a_locale_without_utf_8() -> None:
    """The engine prints the escapes, and the call does not fail."""
    script = "from tenantry.providers.framework.engine import say; say('Caf\\xe9 \\u2026')"
    process = subprocess.run(
        [sys.executable, "-c", script], env=os.environ | ASCII_LOCALE, capture_output=True, check=True
    )
    assert process.stdout == b"Caf\\xe9 \\u2026\n"


def test_all_config_can_be_in_pulumi_yaml(project: Path) -> None:
    """The stack file may be empty then."""
    lines = STACK.replace("config:\n", "").splitlines()
    config = "".join(f"  {line.strip().replace(': ', ': {value: ', 1)}}}\n" for line in lines)
    with (project / "Pulumi.yaml").open("a", encoding="utf-8") as file:
        file.write(f"config:\n{config}")
    (project / "stacks" / "Pulumi.acme.yaml").write_text("# empty\n")
    process = _run(project, "settings", "acme")
    assert (process.returncode, process.stderr) == (0, "")
    assert "Pulumi.yaml:" in process.stdout


def test_an_invalid_variable_is_named(project: Path) -> None:
    credentials = {"QLIK_CLIENT_ID": "a", "QLIK_CLIENT_SECRET": "b"}
    process = _run(project, "check", "acme", TENANTRY_REQUEST_TIMEOUT="3m", **credentials)
    assert "TENANTRY_REQUEST_TIMEOUT must be a number of seconds above 0" in process.stdout
    assert "Traceback" not in process.stdout + process.stderr


def test_a_missing_home_folder_is_an_error_of_one_line(
    project: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raise_unknown_user(_: int) -> None:
        raise KeyError

    monkeypatch.chdir(project)
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path_factory.mktemp('backend')}")
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path_factory.mktemp("home")))
    for name in ("HOME", "XDG_STATE_HOME", "TENANTRY_STATE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", raise_unknown_user)
    monkeypatch.setattr(sys, "argv", ["tenantry", "status", "acme"])
    with pytest.raises(SystemExit) as exit_info:
        main()
    assert str(exit_info.value).startswith("TENANTRY_STATE is not set, and this user has no home folder")
