"""Tests of the type of a backend, and of its list of stacks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tenantry.audit.backends import stacks_of
from tenantry.settings.project import Project
from tenantry.state.addresses import address_of, folder_of, is_pulumi_cloud
from tenantry.state.backend import Backend, PulumiFailed

BROKEN = PulumiFailed("pulumi stack ls", "error: place 1: unexpected end of JSON input", 255)


@pytest.mark.parametrize(
    ("address", "folder"),
    [
        ("file:///srv/state", "/srv/state/.pulumi"),
        ("file:///srv/state?no_tmp_dir=true", "/srv/state/.pulumi"),
        ("file:///srv/two%20words", "/srv/two words/.pulumi"),
        ("file://~", "/home/ada/.pulumi"),
        ("file://~/state", "/home/ada/state/.pulumi"),
        ("file://./state", "/project/state/.pulumi"),
        ("s3://state?region=eu-central-1", None),
        ("postgres://db.example/pulumi", None),
        ("https://app.pulumi.com/ada", None),
    ],
)
def test_only_a_file_backend_has_a_folder(
    monkeypatch: pytest.MonkeyPatch, address: str, folder: str | None
) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert folder_of(address, Path("/project")) == (Path(folder) if folder else None)


@pytest.mark.parametrize(
    ("address", "is_cloud"),
    [("https://app.pulumi.com/ada", True), ("http://127.0.0.1:1/ada", True), ("s3://https", False)],
)
def test_pulumi_cloud_is_recognised_by_its_address(address: str, is_cloud: bool) -> None:
    assert is_pulumi_cloud(address) is is_cloud


class FakePulumi:
    """A fake `pulumi`. `stacks` has the stacks of "all" projects, or of this "project".

    `stack ls` fails for a list that is not in `stacks`.
    """

    def __init__(self, url: str, **stacks: list[str]) -> None:
        self.url, self.stacks = url, stacks

    def run(self, *arguments: str, stdin: str = "") -> str:
        if arguments[0] == "whoami":
            return json.dumps({"user": "ada", "url": self.url})
        names = self.stacks.get("all" if "--all" in arguments else "project")
        if names is None:
            raise BROKEN
        return json.dumps([{"name": name} for name in names])


def list_stacks(monkeypatch: pytest.MonkeyPatch, folder: Path, pulumi: FakePulumi) -> tuple[list[str], str]:
    """Return the stacks of a project in a folder, and why the list may be incomplete."""
    monkeypatch.setattr(Backend, "run", lambda _, *arguments, **options: pulumi.run(*arguments, **options))
    return stacks_of(Backend(folder), Project("tenantry", folder))


def test_stacks_of_all_projects_are_listed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pulumi = FakePulumi("s3://state", all=["globex", "organization/other/acme"])
    assert list_stacks(monkeypatch, tmp_path, pulumi) == (["globex", "organization/other/acme"], "")
    assert address_of(Backend(tmp_path)) == "s3://state"


def test_a_broken_state_falls_back_to_the_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`pulumi stack ls` fails, so the stacks come from the files of the backend and the stack files."""
    for name in (
        "tenantry/globex.json",
        "tenantry/globex.json.bak",
        "tenantry/big.json.gz",
        "other/acme.json",
    ):
        file = tmp_path / ".pulumi" / "stacks" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("")
    (tmp_path / "Pulumi.hooli.yaml").write_text("config: {}\n")
    names, reason = list_stacks(monkeypatch, tmp_path, FakePulumi(f"file://{tmp_path}"))
    assert sorted(names) == ["big", "globex", "hooli", "organization/other/acme"]
    assert "unexpected end of JSON input" in reason


def test_without_files_a_broken_state_falls_back_to_the_project(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each stack with a stack file is listed once."""
    (tmp_path / "Pulumi.globex.yaml").write_text("config: {}\n")
    names, reason = list_stacks(monkeypatch, tmp_path, FakePulumi("s3://state", project=["globex", "acme"]))
    assert (sorted(names), bool(reason)) == (["acme", "globex"], True)
