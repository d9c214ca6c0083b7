"""Tests that no command prints control sequences from names, responses or arguments."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenantry.cli.expire import UNKNOWN
from tenantry.emulator import Emulator
from tests import hostile
from tests.cli.everything import COMMANDS, Everything, Said
from tests.cli.test_cli import ALL
from tests.fleet import pages
from tests.fleet.forge_server import Server, serving

TEXTS = (" ".join(hostile.TERMINAL[:4]), " ".join(hostile.TERMINAL[4:-1]), *hostile.LOG)
"""Without half a surrogate pair, which no file name has."""


@pytest.fixture
def forge() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def everything(tmp_path: Path, qlik: Emulator, forge: Server, monkeypatch: pytest.MonkeyPatch) -> Everything:
    made = Everything(tmp_path, qlik, TEXTS, monkeypatch)
    made.use_forge(forge, monkeypatch)
    made.key(tmp_path)
    for command in ("init -q", "add -A", "commit -qm one --allow-empty", "commit -qm two --allow-empty"):
        who = ("-c", "user.name=x", "-c", "user.email=x@x.example")
        subprocess.run(["git", *who, *command.split()], cwd=made.folder, check=True)
    return made


def test_every_command_has_its_ways() -> None:
    assert list(COMMANDS) == list(ALL)


def faults(result: Said) -> list[str]:
    return [
        f"{result}: {fault}" for output in (result.stdout, result.stderr) for fault in hostile.faults(output)
    ]


@pytest.mark.parametrize("failing", [False, True], ids=["well", "failing"])
@pytest.mark.parametrize("command", [name for name, ways in COMMANDS.items() if ways])
def test_nothing_is_obeyed(everything: Everything, forge: Server, command: str, failing: bool) -> None:
    if failing:
        # What `pulumi` prints may have any number of lines.
        everything.fail("error: " + "\n  ".join(element for element in TEXTS if "INJECTED" not in element))
        forge.failures = [(418, {"message": text, "errors": [text]}) for text in TEXTS]
        problem = {
            "code": TEXTS[0],
            "title": TEXTS[1],
            "detail": "".join(TEXTS),
            "source": {"pointer": TEXTS[2]},
        }
        everything.qlik.control.add_fault(
            status=400, body={"errors": [problem], "traceId": TEXTS[0]}, path="/api/*"
        )
    ran = list(everything.run([command]))
    assert ran
    assert [f"{item}: {item.error!r}" for item in ran if item.error] == []
    assert [fault for entry in ran for fault in faults(entry)] == []


def test_trials_that_are_unknown_stand_harmless_below_the_table(everything: Everything) -> None:
    ran = list(everything.run(["expire"]))
    result = next(item for item in ran if "--markdown" in item.words)
    table, _, unknown = result.stdout.partition(f"\n\n{UNKNOWN}\n\n")
    assert table.startswith("| stack |")
    assert unknown.count("\n- ") > len(TEXTS), "each is one entry"
    assert pages.links(unknown) == []
    assert set(pages.tags(pages.rendered(unknown))) == {"ul", "/ul", "li", "/li"}
    written = (everything.folder / "trials" / "trials.md").read_text("utf-8")
    assert written == result.stdout
