"""Tests that no command prints the control sequences of names, responses or arguments."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenantry.cli.expire import UNKNOWN
from tenantry.emulator import Emulator
from tests import hostile
from tests.cli.test_cli import ALL_COMMANDS
from tests.cli.text_project import COMMANDS, CommandRun, TextProject
from tests.fleet import pages
from tests.fleet.forge_server import Server, serving

TEXTS = (" ".join(hostile.TERMINAL[:4]), " ".join(hostile.TERMINAL[4:-1]), *hostile.LOG)
"""Hostile texts without half surrogate pairs, because a file name cannot contain them."""


@pytest.fixture
def forge() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def project(tmp_path: Path, qlik: Emulator, forge: Server, monkeypatch: pytest.MonkeyPatch) -> TextProject:
    project = TextProject(tmp_path, qlik, TEXTS, monkeypatch)
    project.use_forge(forge, monkeypatch)
    project.write_key(tmp_path)
    for command in ("init -q", "add -A", "commit -qm one --allow-empty", "commit -qm two --allow-empty"):
        user = ("-c", "user.name=x", "-c", "user.email=x@x.example")
        subprocess.run(["git", *user, *command.split()], cwd=project.folder, check=True)
    return project


def test_the_list_of_invocations_has_every_command() -> None:
    assert list(COMMANDS) == list(ALL_COMMANDS)


def faults(result: CommandRun) -> list[str]:
    return [
        f"{result}: {fault}" for output in (result.stdout, result.stderr) for fault in hostile.faults(output)
    ]


@pytest.mark.parametrize("failing", [False, True], ids=["succeeding", "failing"])
@pytest.mark.parametrize("command", [name for name, invocations in COMMANDS.items() if invocations])
def test_hostile_texts_have_no_effect(
    project: TextProject, forge: Server, command: str, failing: bool
) -> None:
    if failing:
        # Leave out texts with line breaks: an error of `pulumi` may have several lines.
        project.fail("error: " + "\n  ".join(text for text in TEXTS if "INJECTED" not in text))
        forge.failures = [(418, {"message": text, "errors": [text]}) for text in TEXTS]
        problem = {
            "code": TEXTS[0],
            "title": TEXTS[1],
            "detail": "".join(TEXTS),
            "source": {"pointer": TEXTS[2]},
        }
        project.qlik.control.add_fault(
            status=400, body={"errors": [problem], "traceId": TEXTS[0]}, path="/api/*"
        )
    results = list(project.run([command]))
    assert results
    assert [f"{result}: {result.error!r}" for result in results if result.error] == []
    assert [fault for result in results for fault in faults(result)] == []


def test_hostile_names_of_unreadable_trials_have_no_effect(project: TextProject) -> None:
    results = list(project.run(["expire"]))
    result = next(result for result in results if "--markdown" in result.words)
    table, _, unknown = result.stdout.partition(f"\n\n{UNKNOWN}\n\n")
    assert table.startswith("| stack |")
    assert unknown.count("\n- ") > len(TEXTS), "the list has an entry for each text"
    assert pages.links(unknown) == []
    assert set(pages.tags(pages.rendered(unknown))) == {"ul", "/ul", "li", "/li"}
    written = (project.folder / "trials" / "trials.md").read_text("utf-8")
    assert written == result.stdout
