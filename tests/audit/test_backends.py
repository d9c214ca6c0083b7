"""Tests of the kind of backend, and of its list of stacks."""

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
def test_the_folder_of_a_backend(monkeypatch: pytest.MonkeyPatch, address: str, folder: str | None) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert folder_of(address, Path("/project")) == (Path(folder) if folder else None)


@pytest.mark.parametrize(
    ("address", "cloud"),
    [("https://app.pulumi.com/ada", True), ("http://127.0.0.1:1/ada", True), ("s3://https", False)],
)
def test_pulumi_cloud(address: str, cloud: bool) -> None:
    assert is_pulumi_cloud(address) is cloud


class Answers:
    """A fake `pulumi`. `listed` has the output by the arguments of `stack ls`; other arguments fail."""

    def __init__(self, url: str, **listed: list[str]) -> None:
        self.url, self.listed = url, listed

    def run(self, *arguments: str, given: str = "") -> str:
        if arguments[0] == "whoami":
            return json.dumps({"user": "ada", "url": self.url})
        names = self.listed.get("all" if "--all" in arguments else "project")
        if names is None:
            raise BROKEN
        return json.dumps([{"name": name} for name in names])


def ask(monkeypatch: pytest.MonkeyPatch, folder: Path, answers: Answers) -> tuple[list[str], str]:
    """The stacks of a project in a folder."""
    monkeypatch.setattr(Backend, "run", lambda _, *arguments, **options: answers.run(*arguments, **options))
    return stacks_of(Backend(folder), Project("tenantry", folder))


def test_all_projects(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    answers = Answers("s3://state", all=["globex", "organization/other/acme"])
    assert ask(monkeypatch, tmp_path, answers) == (["globex", "organization/other/acme"], "")
    assert address_of(Backend(tmp_path)) == "s3://state"


def test_where_one_state_is_broken_the_files_are_listed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """They come from the backend's files and the stack files, because `pulumi stack ls` fails."""
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
    names, why = ask(monkeypatch, tmp_path, Answers(f"file://{tmp_path}"))
    assert sorted(names) == ["big", "globex", "hooli", "organization/other/acme"]
    assert "unexpected end of JSON input" in why


def test_elsewhere_the_project_is_listed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each stack with a stack file is listed once."""
    (tmp_path / "Pulumi.globex.yaml").write_text("config: {}\n")
    names, why = ask(monkeypatch, tmp_path, Answers("s3://state", project=["globex", "acme"]))
    assert (sorted(names), bool(why)) == (["acme", "globex"], True)
