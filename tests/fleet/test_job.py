"""The work on one stack: what goes wrong there, and what must not be seen."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from fleet import job as jobs
from fleet import process, warm
from fleet.job import Job, carry_out
from fleet.members import Member
from fleet.outcome import HIDDEN
from stacks.backend import NO_SUCH_STACK
from stacks.errors import Problem, SettingsError
from tests.e2e.harness import ROOT
from tests.fleet.samples import job, member
from tools.private import private_environment

PROGRAM = ROOT / "tests" / "e2e" / "programs" / "secret_value"


def test_a_broken_stack_starts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "run", lambda *_, **__: pytest.fail("something was run"))
    error = SettingsError(
        "stack acme", [Problem("stacks/Pulumi.acme.yaml", 3, "customer.plan", "no such plan")]
    )
    done = carry_out(replace(job("acme", tmp_path), member=member("acme", broken=error)))
    assert (done.status, [each.where for each in done.troubles]) == ("failed", ["stacks/Pulumi.acme.yaml:3"])
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(tmp_path))

    monkeypatch.setattr(process, "run", full)
    file = tmp_path / "Pulumi.acme.yaml"
    file.write_text("config: {}\n")
    done = carry_out(replace(job("acme", tmp_path), member=replace(member("acme"), file=file)))
    assert (done.status, [each.text for each in done.troubles]) == ("failed", ["the disk is full"])


def test_no_pulumi_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "find_pulumi", lambda: None)
    done = carry_out(job("acme", tmp_path))
    assert (done.status, done.troubles[0].advice) == ("failed", "`make setup` brings it")


def test_a_secret_is_in_no_outcome_and_in_no_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine hides it in its events, also where it changes and where it is refused."""
    root = tmp_path / "project"
    shutil.copytree(PROGRAM, root)
    file = root / "Pulumi.acme.yaml"
    file.write_text("config: {}\n")
    environment = private_environment(tmp_path / "pulumi")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    one = Job("preview", Member("acme", file), "secret-value", root, tmp_path / "logs")
    new = carry_out(replace(one, environment={"SECRET": "geheim"}))
    assert (new.status, new.new, new.counts) == ("ok", True, {"create": 1})
    refused = carry_out(replace(one, environment={"SECRET": "geheim", "QLIK_CLIENT_ID": ""}, operation="up"))
    assert refused.status == "failed"
    assert "QLIK_CLIENT_ID" in refused.troubles[0].text
    kept = "".join(each.read_text("utf-8", "replace") for each in one.folder.rglob("*") if each.is_file())
    assert "geheim" not in repr(new) + repr(refused)
    assert "geheim" not in kept
    assert HIDDEN in kept


def test_a_preview_that_takes_too_long_is_not_begun_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fails with a shared provider is tried with one of its own, also that of a new customer."""
    ended: list[int | None] = []
    runs: list[dict[str, str]] = []

    def run(*_: object, env: dict[str, str], errors: Path, **__: object) -> process.Ended:
        errors.write_text("")
        runs.append(env)
        return process.Ended(ended.pop(0), False)

    @contextmanager
    def shared(_: Path) -> Iterator[dict[str, str]]:
        yield {"SHARED": "1"}

    monkeypatch.setattr(process, "run", run)
    monkeypatch.setattr(warm, "provider", shared)
    file = tmp_path / "Pulumi.acme.yaml"
    file.write_text("config: {}\n")
    one = replace(job("acme", tmp_path), operation="preview", member=replace(member("acme"), file=file))
    for codes, status, kept in (
        ([0], "ok", [True]),
        ([None], "failed", [True]),
        ([1, 0], "ok", [True, False]),
        ([NO_SUCH_STACK, 1, 0], "ok", [True, True, False]),
        ([NO_SUCH_STACK, 1, 1], "failed", [True, True, False]),
    ):
        ended[:], runs[:] = codes, []
        assert carry_out(one).status == status
        assert ["SHARED" in env for env in runs] == kept
