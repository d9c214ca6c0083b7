"""Tests that no command prints control sequences from names, responses or arguments."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenantry.cli.expire import UNKNOWN
from tenantry.emulator import Emulator
from tests import hostile
from tests.cli.test_cli import ALL
from tests.cli.text_project import COMMANDS, CommandRun, TextProject
from tests.fleet import pages
from tests.fleet.forge_server import Server, serving

TEXTS = (" ".join(hostile.TERMINAL[:4]), " ".join(hostile.TERMINAL[4:-1]), *hostile.LOG)
"""Hostile texts, without half a surrogate pair, because a file name cannot contain one."""


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
        who = ("-c", "user.name=x", "-c", "user.email=x@x.example")
        subprocess.run(["git", *who, *command.split()], cwd=project.folder, check=True)
    return project


def test_every_command_is_run() -> None:
    assert list(COMMANDS) == list(ALL)


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
        project.fail("error: " + "\n  ".join(element for element in TEXTS if "INJECTED" not in element))
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
    assert [f"{item}: {item.error!r}" for item in results if item.error] == []
    assert [fault for entry in results for fault in faults(entry)] == []


def test_hostile_names_of_unreadable_trials_have_no_effect(project: TextProject) -> None:
    results = list(project.run(["expire"]))
    result = next(item for item in results if "--markdown" in item.words)
    table, _, unknown = result.stdout.partition(f"\n\n{UNKNOWN}\n\n")
    assert table.startswith("| stack |")
    assert unknown.count("\n- ") > len(TEXTS), "each text is one entry"
    assert pages.links(unknown) == []
    assert set(pages.tags(pages.rendered(unknown))) == {"ul", "/ul", "li", "/li"}
    written = (project.folder / "trials" / "trials.md").read_text("utf-8")
    assert written == result.stdout
