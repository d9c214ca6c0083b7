"""Tests of the commands `tenantry doctor` and `tenantry install-pulumi`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tenantry.checks.findings import Finding
from tenantry.cli.app import app
from tenantry.pulumi_cli import release

FINDINGS = (Finding("ok", "python", "Python"), Finding("warning", "project", "none"))


def run(*arguments: str) -> tuple[int, str]:
    """Run `tenantry` and return its exit code and its output."""
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("errors", "code", "summary"),
    [
        ((), 0, "0 errors, 1 warning"),
        ((Finding("error", "pulumi", "missing"),), 1, "1 error, 1 warning"),
    ],
)
def test_an_error_sets_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, errors: tuple[Finding, ...], code: int, summary: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tenantry.doctor.examination.examine", lambda *_, **__: iter((*FINDINGS, *errors)))
    exit_code, output = run("doctor")
    assert exit_code == code
    assert output.splitlines()[0].split() == ["ok", "python", "Python"]
    assert output.splitlines()[-1] == summary
    exit_code, output = run("doctor", "--json")
    assert exit_code == code
    assert json.loads(output)["errors"] == len(errors)
    assert json.loads(output)["findings"][0] == {"level": "ok", "about": "python", "text": "Python"}


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a virtual environment in which this process seems to run, and put a Pulumi CLI on PATH."""
    installed = tmp_path / "installed"
    installed.mkdir()
    for name in (*release.PLUGINS, "pulumi"):
        (installed / name).write_text("#!/bin/sh\necho v3.300.0\n")
        (installed / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{installed}{os.pathsep}/usr/bin:/bin")
    monkeypatch.setenv("TENANTRY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))
    return tmp_path / "venv"


def test_install_pulumi_creates_a_pulumi_in_the_environment(environment: Path) -> None:
    code, output = run("install-pulumi")
    assert code == 0, output
    assert output.endswith(
        f"{environment / 'bin' / 'pulumi'} starts {environment.parent / 'installed' / 'pulumi'}\n"
    )
    assert release.version_of(environment / "bin" / "pulumi") == (3, 300, 0)
    code, second_output = run("install-pulumi")
    assert (code, len(second_output.splitlines())) == (0, 1), "a second run does nothing"


def test_install_pulumi_refuses_to_change_the_system_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    code, output = run("install-pulumi")
    assert code == 2
    assert "python3 -m venv .venv" in output


def test_install_pulumi_prints_errors(environment: Path) -> None:
    environment.touch()
    code, output = run("install-pulumi")
    assert code == 1
    assert "The Pulumi CLI is not installed." in output
