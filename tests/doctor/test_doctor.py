"""Tests of the checks of `tenantry doctor`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from tenantry.checks.findings import Finding
from tenantry.demo.environment import client_environment
from tenantry.doctor import machine, processes, qlik, software
from tenantry.emulator import Emulator
from tenantry.pulumi_cli import release
from tenantry.pulumi_internals import passphrase
from tenantry.settings.project import Project

SALT = "v1:CxHsoUGvrkA=:v1:6ibucgcFj6R+BqWp:8CkbqCUm+VfQHce/q5C6Kbdc9VV9uQ=="
"""The salt that Pulumi created with the passphrase "x"."""

PULUMI_YAML = """\
name: customers
runtime: {name: python, options: {toolchain: pip, virtualenv: .venv}}
stackConfigDir: stacks
config:
  qlik:region: {value: eu}
  qlik:source_tenant: {value: templates.eu.qlikcloud.com}
"""


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Remove the variables that the checks read, and use folders of the test."""
    for name in (*machine.PROXIES, *machine.NO_PROXY, passphrase.VARIABLE, passphrase.FILE_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    for name in ("ID", "SECRET"):
        for kind in ("QLIK_CLIENT", "QLIK_CLIENT", "QLIK_ORG_CLIENT"):
            monkeypatch.delenv(f"{kind}_{name}", raising=False)
    monkeypatch.delenv("QLIK_CREDENTIALS_COMMAND", raising=False)
    monkeypatch.setenv("TENANTRY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TENANTRY_STATE", str(tmp_path / "notes"))
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return a project without stack files."""
    (tmp_path / "Pulumi.yaml").write_text(PULUMI_YAML)
    (tmp_path / "stacks").mkdir()
    project = Project.at(tmp_path)
    assert project
    return project


def levels(findings: list[Finding]) -> list[str]:
    return [finding.level for finding in findings]


def test_the_interpreter_must_be_the_one_that_pulumi_yaml_names(project: Project, tmp_path: Path) -> None:
    missing = processes.own_interpreter(project)
    assert (missing.level, f"python3 -m venv {tmp_path / '.venv'}" in missing.text) == ("error", True)
    other = tmp_path / ".venv" / "bin" / "python"
    other.parent.mkdir(parents=True)
    other.touch()
    different = processes.own_interpreter(project)
    assert f"Run {tmp_path / '.venv' / 'bin' / 'tenantry'} instead." in different.text
    other.unlink()
    other.parent.rmdir()
    other.parent.parent.rmdir()
    other.parent.parent.symlink_to(sys.prefix)
    assert processes.own_interpreter(project).level == "ok"


def fake_cli(folder: Path, body: str) -> str:
    """Write a shell script `pulumi` with this body, and return its path."""
    file = folder / "pulumi"
    file.write_text(f"#!/bin/sh\n{body}\n")
    file.chmod(0o755)
    return str(file)


@pytest.mark.parametrize(
    ("body", "level", "expected"),
    [
        ("echo v3.300.0", "ok", "Pulumi CLI 3.300.0 at "),
        (
            "echo v3.200.0",
            "error",
            "3.254.0 or newer is required. Install it with `tenantry install-pulumi`.",
        ),
        ("exit 3", "error", "does not work: Exit code 3"),
    ],
)
def test_the_version_of_the_cli_is_checked(tmp_path: Path, body: str, level: str, expected: str) -> None:
    [finding] = software.pulumi_cli(fake_cli(tmp_path, body))
    assert (finding.level, expected in finding.text) == (level, True), finding


def test_a_missing_cli_is_reported_with_the_install_command() -> None:
    [finding] = software.pulumi_cli(None)
    assert (finding.level, "tenantry install-pulumi" in finding.text) == ("error", True)


def test_a_missing_language_host_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin")
    command = fake_cli(tmp_path, "")
    assert "pulumi-language-python is missing" in software.language_host(command).text
    for name in release.PLUGINS:
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    assert software.language_host(command).level == "ok"


@pytest.mark.parametrize(
    ("variables", "level", "expected"),
    [
        ({}, "ok", "no proxy is set"),
        ({"HTTPS_PROXY": "http://ada:pa55word@proxy:3128"}, "ok", "HTTPS_PROXY=http://***@proxy:3128"),
        ({"https_proxy": "http://proxy:3128"}, "error", "Set NO_PROXY=127.0.0.1,localhost."),
        ({"https_proxy": "http://proxy:3128", "NO_PROXY": "localhost, 127.0.0.1"}, "ok", "https_proxy="),
        ({"http_proxy": "http://proxy:3128", "no_proxy": "*"}, "ok", "http_proxy="),
    ],
)
def test_a_proxy_between_the_processes_of_pulumi_is_an_error(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], level: str, expected: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    finding = machine.proxy()
    assert (finding.level, expected in finding.text) == (level, True), finding
    assert "pa55word" not in finding.text


def test_a_folder_that_cannot_be_written_is_named(
    monkeypatch: pytest.MonkeyPatch, project: Project, tmp_path: Path
) -> None:
    assert levels(list(machine.written_folders(project))) == ["ok"] * 5
    assert not (tmp_path / "cache").exists(), "the check creates no folder"
    (tmp_path / "a file").touch()
    monkeypatch.setenv("TENANTRY_STATE", str(tmp_path / "a file" / "below"))
    [problem] = [finding for finding in machine.written_folders(project) if finding.level != "ok"]
    assert (problem.level, f"{tmp_path / 'a file' / 'below'} cannot be written" in problem.text) == (
        "error",
        True,
    )


def test_an_almost_full_disk_is_a_warning(monkeypatch: pytest.MonkeyPatch, project: Project) -> None:
    monkeypatch.setattr(machine, "MIN_FREE_BYTES", 1 << 60)
    assert set(levels(list(machine.written_folders(project)))) == {"warning"}


def test_the_passphrase_must_decrypt_the_stack_files(
    monkeypatch: pytest.MonkeyPatch, project: Project, tmp_path: Path
) -> None:
    assert software.secrets(project).level == "warning"
    (project.stacks / "Pulumi.acme.yaml").write_text(f"encryptionsalt: {SALT}\n")
    assert "not set, but required for 1 stack file with secrets" in software.secrets(project).text
    monkeypatch.setenv(passphrase.FILE_VARIABLE, str(tmp_path / "phrase"))
    assert "cannot be read" in software.secrets(project).text
    (tmp_path / "phrase").write_text("x\n")
    assert software.secrets(project).text == "set, and decrypts 1 of 1 stack file with secrets"
    monkeypatch.setenv(passphrase.VARIABLE, "another")
    problem = software.secrets(project)
    assert (problem.level, problem.text) == (
        "error",
        "it does not decrypt the secrets of Pulumi.acme.yaml. Set the passphrase that encrypted them.",
    )


def test_an_unreadable_salt_is_a_warning(monkeypatch: pytest.MonkeyPatch, project: Project) -> None:
    (project.stacks / "Pulumi.acme.yaml").write_text("encryptionsalt: v9:???\n")
    monkeypatch.setenv(passphrase.VARIABLE, "x")
    finding = software.secrets(project)
    assert (finding.level, finding.text) == ("warning", "set, but it could not be tested on 1 stack file")


def test_the_clients_of_all_regions_are_tested(
    monkeypatch: pytest.MonkeyPatch, project: Project, qlik: Emulator
) -> None:
    (project.stacks / "Pulumi.b.yaml").write_text("config: {qlik:region: us}\n")
    [eu, us] = qlik_findings(project, offline=True)
    assert (eu.level, us.level) == ("error", "error")
    assert "region us: " in us.text
    for name, value in client_environment(qlik.url).items():
        monkeypatch.setenv(name, value)
    offline = qlik_findings(project, offline=True)
    assert levels(offline) == ["ok", "ok"]
    assert all("not tested" in finding.text for finding in offline)
    online = qlik_findings(project)
    assert [finding.about for finding in online] == ["credentials", "clock", "credentials"]
    assert levels(online) == ["ok", "ok", "error"], "the client of the emulator is only for eu"
    assert "register.eu.qlikcloud.com, templates.eu.qlikcloud.com" in online[0].text
    monkeypatch.setenv("QLIK_CLIENT_SECRET", "wr0ng-secret")
    for finding in qlik_findings(project):
        assert finding.level == "error"
        assert "QLIK_CLIENT_ID and QLIK_CLIENT_SECRET are refused" in finding.text
        assert "wr0ng-secret" not in finding.text


def qlik_findings(project: Project, *, offline: bool = False) -> list[Finding]:
    """Return the findings about credentials and the clock."""
    return list(qlik.findings(project, offline=offline))


@pytest.mark.parametrize(
    ("ahead", "level", "expected"),
    [
        (0.4, "ok", "agrees with Qlik's clock in region eu"),
        (20.0, "ok", "20 s ahead of Qlik's"),
        (-31.0, "warning", "31 s behind Qlik's"),
        (121.0, "error", "121 s ahead of Qlik's clock in region eu. Synchronise it with a time server"),
    ],
)
def test_a_wrong_clock_is_reported(
    monkeypatch: pytest.MonkeyPatch, project: Project, qlik: Emulator, ahead: float, level: str, expected: str
) -> None:
    for name, value in client_environment(qlik.url).items():
        monkeypatch.setenv(name, value)
    now = time.time()
    monkeypatch.setattr("tenantry.doctor.qlik.Cloud.time_at", lambda *_: now)
    monkeypatch.setattr("tenantry.doctor.qlik.time.time", lambda: now + ahead)
    finding = qlik_findings(project)[1]
    assert (finding.about, finding.level, expected in finding.text) == ("clock", level, True), finding
