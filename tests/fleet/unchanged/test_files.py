"""The conditions that the files of a project must meet so that a stack is compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenantry.fleet.unchanged import passphrases
from tenantry.fleet.unchanged.doubt import Doubt
from tenantry.fleet.unchanged.files import check_files
from tenantry.fleet.unchanged.recorded import RecordedState
from tenantry.fleet.unchanged.secrets import Assumptions
from tenantry.pulumi_internals import passphrase
from tenantry.settings.project import Project
from tests.fleet.unchanged.states import SALT, state

PROJECT = 'name: tenantry\nruntime: python\nrequiredPulumiVersion: ">=3.254.0"\n'
FILE = f"""encryptionsalt: {SALT}
config:
  qlik:region: eu
  tenantry:customer:
    name: Acme
    lifecycle: {{grace_days: 10}}
"""
CLI = (3, 259, 0)


def check(folder: Path, project: str = PROJECT, file: str = FILE) -> None:
    """Write both files and compare them with the state."""
    (folder / "Pulumi.yaml").write_text(project)
    stack_file = folder / "Pulumi.acme.yaml"
    stack_file.write_text(file)
    settings = Project.at(folder)
    assert settings
    check_files(settings, stack_file, RecordedState.of(state()), CLI, Assumptions())


def test_files_that_match_the_state_are_accepted(tmp_path: Path) -> None:
    check(tmp_path)
    check(tmp_path, PROJECT.replace('requiredPulumiVersion: ">=3.254.0"\n', ""))


@pytest.mark.parametrize(
    ("project", "file", "reason"),
    [
        (f"{PROJECT}options: {{refresh: always}}\n", FILE, "Pulumi.yaml has an unknown key"),
        (PROJECT.replace("3.254.0", "3.260.0"), FILE, "requiredPulumiVersion"),
        (PROJECT.replace(">=3.254.0", "^3"), FILE, "requiredPulumiVersion"),
        (PROJECT, f"{FILE}environment: [x]\n", "more than a configuration"),
        (PROJECT, FILE.replace(SALT, "v1:x:v1:y:z"), "salt"),
        (PROJECT, FILE.replace("qlik:region: eu", "qlik:region: us"), "qlik:region"),
        (PROJECT, FILE.replace("grace_days: 10", "grace_days: 11"), "tenantry:customer"),
        (PROJECT, FILE.replace("  qlik:region: eu\n", ""), "other keys"),
        (PROJECT, "{", "has problems"),
    ],
)
def test_files_that_do_not_match_the_state_are_in_doubt(
    tmp_path: Path, project: str, file: str, reason: str
) -> None:
    with pytest.raises(Doubt, match=reason):
        check(tmp_path, project, file)


def test_a_correct_passphrase_is_checked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passphrases, "_accepted", set())
    tried: list[str] = []

    def matches(passphrase: str, _salt: str) -> bool:
        tried.append(passphrase)
        return passphrase == "right"

    monkeypatch.setattr(passphrase, "matches", matches)
    file = tmp_path / "Pulumi.acme.yaml"
    file.write_text(FILE)
    with pytest.raises(Doubt, match="no passphrase"):
        passphrases.check_passphrase(file, {})
    for _ in range(2):
        with pytest.raises(Doubt, match="may be wrong"):
            passphrases.check_passphrase(file, {passphrase.VARIABLE: "wrong"})
    for _ in range(2):
        passphrases.check_passphrase(file, {passphrase.VARIABLE: "right"})
    assert tried == ["wrong", "wrong", "right"]
