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
    done = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    return done.exit_code, done.output


@pytest.mark.parametrize(
    ("more", "code", "summary"),
    [
        ((), 0, "0 errors, 1 warning"),
        ((Finding("error", "pulumi", "there is none"),), 1, "1 error, 1 warning"),
    ],
)
def test_an_error_sets_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, more: tuple[Finding, ...], code: int, summary: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tenantry.doctor.examination.examine", lambda *_, **__: iter((*FINDINGS, *more)))
    ended, output = run("doctor")
    assert ended == code
    assert output.splitlines()[0].split() == ["ok", "python", "Python"]
    assert output.splitlines()[-1] == summary
    ended, output = run("doctor", "--json")
    assert ended == code
    assert json.loads(output)["errors"] == len(more)
    assert json.loads(output)["findings"][0] == {"level": "ok", "about": "python", "text": "Python"}


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A virtual environment in which this process seems to run, and a Pulumi CLI on PATH."""
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    for name in (*release.PLUGINS, "pulumi"):
        (theirs / name).write_text("#!/bin/sh\necho v3.300.0\n")
        (theirs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{theirs}{os.pathsep}/usr/bin:/bin")
    monkeypatch.setenv("TENANTRY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))
    return tmp_path / "venv"


def test_install_pulumi_gives_the_environment_a_pulumi(environment: Path) -> None:
    code, output = run("install-pulumi")
    assert code == 0, output
    assert output.endswith(
        f"{environment / 'bin' / 'pulumi'} starts {environment.parent / 'theirs' / 'pulumi'}\n"
    )
    assert release.version_of(environment / "bin" / "pulumi") == (3, 300, 0)
    code, again = run("install-pulumi")
    assert (code, len(again.splitlines())) == (0, 1), "nothing is left to do"


def test_install_pulumi_leaves_the_system_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    code, output = run("install-pulumi")
    assert code == 2
    assert "python3 -m venv .venv" in output


def test_install_pulumi_prints_errors(environment: Path) -> None:
    environment.touch()
    code, output = run("install-pulumi")
    assert code == 1
    assert "The Pulumi CLI is not installed." in output
