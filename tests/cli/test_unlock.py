"""Tests of the prompts and limits of `tenantry unlock`. The tests with real locks are in tests/e2e."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import typer

from tenantry.state.backend import Backend, NoSuchStack, PulumiFailed
from tests.cli.conftest import Folder

Lock = tuple[str, int]
"""The machine of a lock, and its age in minutes."""


class Pulumi:
    """A fake `pulumi`: the address of its backend, the locks of the stack, and the commands that ran."""

    def __init__(self, url: str = "s3://state") -> None:
        self.url = url
        self.now = datetime.now(UTC)
        self.locks: list[Lock] = []
        self.commands: list[tuple[str, ...]] = []

    def run(self, *arguments: str, stdin: str = "") -> str:
        self.commands.append(arguments)
        match arguments:
            case ("whoami", *_):
                return json.dumps({"url": self.url})
            case ("stack", "export", "--stack", "globex"):
                return json.dumps({"version": 3, "deployment": {}})
            case ("stack", "export", *_):
                raise NoSuchStack("pulumi stack export", "no stack named 'nobody' found", 6)
            case ("stack", "rename", "globex", "--stack", "globex"):
                raise PulumiFailed("pulumi stack rename", self._lock_error(), 255)
            case ("cancel", "--yes", "--stack", "globex"):
                self.locks = []
                return ""
        raise AssertionError(f"unexpected command: {arguments}")

    @property
    def cancelled(self) -> bool:
        return any(command[0] == "cancel" for command in self.commands)

    def _lock_error(self) -> str:
        if not self.locks:
            return "error: a stack named globex already exists"
        lines = [
            f"  1.json: created by ada@{host} (pid 4) at {(self.now - timedelta(minutes=age)).isoformat()}"
            for host, age in self.locks
        ]
        return "\n".join([f"error: the stack is currently locked by {len(lines)} lock(s).", *lines])


@pytest.fixture
def pulumi(monkeypatch: pytest.MonkeyPatch) -> Pulumi:
    fake = Pulumi()
    monkeypatch.setattr(Backend, "run", lambda _, *arguments, **options: fake.run(*arguments, **options))
    monkeypatch.delenv("PULUMI_SKIP_CONFIRMATIONS", raising=False)
    return fake


def test_an_unlocked_stack_is_left_unchanged(folder: Folder, pulumi: Pulumi) -> None:
    result = folder.run("unlock", "globex")
    assert (result.exit_code, result.output) == (0, "Stack globex is not locked.\n")
    assert not pulumi.cancelled


def test_an_old_lock_of_another_machine_is_cleared(folder: Folder, pulumi: Pulumi) -> None:
    pulumi.locks = [("ci", 90)]
    result = folder.run("unlock", "globex", "--yes")
    assert (result.exit_code, "Stack globex is not locked any more." in result.output) == (0, True)
    assert pulumi.cancelled


@pytest.mark.parametrize("locks", [[("ci", 10)], [("ci", 90), ("ci", 10)]])
def test_all_locks_must_be_stale(folder: Folder, pulumi: Pulumi, locks: list[Lock]) -> None:
    """`pulumi cancel` clears all locks at once."""
    pulumi.locks = locks
    result = folder.run("unlock", "globex", "--yes")
    assert (result.exit_code, "Nothing was cleared" in result.stderr) == (1, True)
    assert not pulumi.cancelled


def answer_prompts(monkeypatch: pytest.MonkeyPatch, yes: bool, meanwhile: Callable[[], None]) -> list[str]:
    """Answer every prompt like a user at a terminal, after a call of `meanwhile`.

    Returns the prompts, which are added later.
    """
    prompts: list[str] = []

    def confirm(prompt: str, **_: Any) -> bool:
        prompts.append(prompt)
        meanwhile()
        return yes

    monkeypatch.setattr(
        "tenantry.cli.running.sys",
        SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True), stderr=sys.stderr),
    )
    monkeypatch.setattr(typer, "confirm", confirm)
    return prompts


@pytest.mark.parametrize("yes", [True, False])
def test_unlock_asks_before_it_clears(
    folder: Folder, pulumi: Pulumi, monkeypatch: pytest.MonkeyPatch, yes: bool
) -> None:
    pulumi.locks = [("ci", 90)]
    prompts = answer_prompts(monkeypatch, yes, lambda: None)
    result = folder.run("unlock", "globex")
    assert prompts == ["Clear the lock of stack globex?"]
    assert (result.exit_code, pulumi.cancelled) == (0 if yes else 1, yes)
    assert re.search(r"is 9\d min old", result.stdout)


@pytest.mark.parametrize("new_locks", [[], [("ci", 0)], [("ci", 90), ("ci", 0)]])
def test_unlock_checks_again_before_it_clears(
    folder: Folder, pulumi: Pulumi, monkeypatch: pytest.MonkeyPatch, new_locks: list[Lock]
) -> None:
    """During the prompt, another user may clear the lock, and another run may start."""
    pulumi.locks = [("ci", 90)]
    answer_prompts(monkeypatch, True, lambda: setattr(pulumi, "locks", new_locks))
    result = folder.run("unlock", "globex")
    assert (result.exit_code, "have changed in the meantime" in result.stderr) == (1, True)
    assert not pulumi.cancelled


def test_without_a_terminal_unlock_requires_yes(folder: Folder, pulumi: Pulumi) -> None:
    pulumi.locks = [("ci", 90)]
    result = folder.run("unlock", "globex")
    assert (result.exit_code, "Add --yes" in result.stderr) == (2, True)
    assert not pulumi.cancelled


def test_for_pulumi_cloud_the_command_of_pulumi_is_named(folder: Folder, pulumi: Pulumi) -> None:
    """Tenantry only reads the address of the backend."""
    pulumi.url = "https://app.pulumi.com/ada"
    result = folder.run("unlock", "globex", "--yes")
    assert (result.exit_code, "`pulumi cancel --stack globex`" in result.stderr) == (1, True)
    assert [command[0] for command in pulumi.commands] == ["whoami"]


def test_an_unknown_stack_is_an_error(folder: Folder, pulumi: Pulumi) -> None:
    result = folder.run("unlock", "nobody", "--yes")
    assert (result.exit_code, "no stack named 'nobody'" in result.stderr) == (1, True)
    assert not any(command[:2] == ("stack", "rename") for command in pulumi.commands)


def test_an_unexpected_output_about_locks_is_an_error(folder: Folder, pulumi: Pulumi) -> None:
    pulumi._lock_error = lambda: "error: unexpected end of JSON input"  # type: ignore[method-assign]
    result = folder.run("unlock", "globex", "--yes")
    assert (result.exit_code, "unexpected end of JSON input" in result.stderr) == (1, True)
    assert not pulumi.cancelled


def test_a_negative_age_is_refused(folder: Folder, pulumi: Pulumi) -> None:
    assert folder.run("unlock", "globex", "--older-than", "-1").exit_code == 2
    assert pulumi.commands == []
