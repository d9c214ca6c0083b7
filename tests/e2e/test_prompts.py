"""The output before a prompt, the effects of the answers yes and no, and the number of `pulumi` commands."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tenantry.emulator import Emulator
from tenantry.fleet.outcome import Report
from tests.e2e.fleet import Fleet
from tests.e2e.harness import PULUMI
from tests.e2e.terminal import TerminalResult, at_terminal
from tests.world import writes

TRIAL = {"lifecycle": {"kind": "trial", "ends_on": "2999-12-31", "grace_days": 10}}
COUNTING_CLI = """
import sys
from tenantry.pulumi_internals import commands
commands.find_pulumi = lambda: sys.argv[0]
from tenantry.cli.app import app
sys.argv.pop(1)
app()
"""
"""The command line of `tenantry`. The path of another `pulumi` replaces `sys.argv[0]` in this text."""


class CountingFleet:
    """A fleet whose `pulumi` records its arguments."""

    def __init__(self, folder: Path, qlik: Emulator) -> None:
        self.fleet, self.qlik, self._calls = Fleet(folder, qlik), qlik, folder / "calls.txt"
        self._shim = folder / "pulumi-counted"
        self._shim.write_text(f'#!/bin/sh\necho "$@" >> {self._calls}\nexec {PULUMI} "$@"\n')
        self._shim.chmod(0o755)
        self._command = [sys.executable, "-c", COUNTING_CLI.replace("sys.argv[0]", repr(str(self._shim)))]

    def run(self, *args: str, answers: tuple[Callable[[], str], ...] = (), code: int = 0) -> TerminalResult:
        """Run a command at a terminal."""
        self._calls.unlink(missing_ok=True)
        self.qlik.control.clear_requests()
        result = at_terminal([*self._command, "tenantry", *args], self.fleet.project, self.fleet.env, answers)
        print(result.screen, result.stdout, sep="\n--\n")
        assert result.code == code, f"exit code {result.code}, expected {code}"
        return result

    def calls(self, stack: str) -> dict[str, int]:
        """Return the commands for one stack, with their counts."""
        lines = self._calls.read_text("utf-8").splitlines() if self._calls.exists() else []
        return Counter(
            " ".join(part for part in line.split() if part in WORDS)
            for line in lines
            if f"--stack {stack} " in f"{line} " or f"stack init {stack} " in line
        )

    @property
    def writes(self) -> list[str]:
        """The write requests of the last command."""
        return writes(self.qlik.control.requests())

    @property
    def stacks(self) -> list[str]:
        """The names of the stacks in the backend."""
        return sorted(file.stem for file in Path(self.fleet.folder).rglob("state/.pulumi/stacks/*/*.json"))


WORDS = {
    *("up", "preview", "refresh", "destroy", "stack", "init", "export", "history"),
    *("--skip-preview", "--preview-only"),
}


@pytest.fixture
def counting(scratch: Path, qlik: Emulator) -> CountingFleet:
    """A fleet with two customers that have no stack yet."""
    counting = CountingFleet(scratch, qlik)
    for name in ("acme", "globex"):
        write(counting, name)
    return counting


def write(counting: CountingFleet, name: str, **settings: Any) -> None:
    counting.fleet.write(name, {"name": name.title(), **TRIAL, **settings})


def yes() -> str:
    return "y"


def no() -> str:
    return "n"


def test_the_run_does_what_the_prompt_showed(counting: CountingFleet) -> None:
    refused = counting.run("up", "--all", answers=(no,), code=1)
    assert "New customers: 2" in refused.screen
    assert "acme, globex: 4 resources" in refused.screen
    assert "up 2 stacks (acme, globex)? [y/N]: n\n" in refused.screen
    assert refused.screen.endswith("Nothing was done.\n")
    assert (refused.stdout, counting.writes, counting.stacks) == ("", [], [])

    result = counting.run("up", "--all", "--json", answers=(yes,))
    outcomes = Report.from_json(result.stdout).outcomes
    assert [(outcome.stack, outcome.status, outcome.new, outcome.counts) for outcome in outcomes] == [
        (name, "ok", True, {"create": 4}) for name in ("acme", "globex")
    ]
    assert counting.stacks == ["acme", "globex"]

    write(counting, "acme", groups={"Analysts": {}})
    result = counting.run("up", "acme", answers=(yes,))
    assert counting.calls("acme") == {"preview": 1, "up --skip-preview": 1}
    assert "create Group Analysts in 1 customer: acme" in result.screen
    assert "acme" in result.stdout, "the result"
    counting.run("up", "--all")
    assert counting.calls("acme") == {}, "without changes, there is no prompt and no engine"

    for command, calls in (
        (("up", "--yes"), {}),
        (("preview",), {}),
        (("up", "--yes", "--engine"), {"up": 1}),
        (("preview", "--engine"), {"preview": 1}),
        (("status",), {}),  # a file backend is read directly
        (("refresh", "--yes"), {"stack export": 1, "refresh --skip-preview": 1}),
        (("destroy", "--yes"), {"stack export": 1, "destroy --skip-preview": 1}),
    ):
        counting.run(*command, "acme")
        assert counting.calls("acme") == calls

    refused = counting.run("destroy", "globex", answers=(no,), code=1)
    assert "the tenant would be deactivated, with everything in it (4 resources)" in refused.screen
    assert (refused.stdout, counting.writes) == ("", [])
    result = counting.run("destroy", "globex", answers=(yes,))
    assert re.search(
        r"globex: until \d{4}-\d\d-\d\d\n\n    revive: {hostname: \S+, tenant_id: \S+}\n", result.stdout
    )
    assert result.stdout.count("revive: ") == 1
    assert "Remarks" not in result.stdout, "the provider's remark must not appear"
    preview_and_destroy = {"destroy --preview-only": 1, "destroy --skip-preview": 1}
    assert counting.calls("globex") == {"stack export": 1, **preview_and_destroy}


def test_a_change_during_the_prompt_causes_a_new_prompt(counting: CountingFleet) -> None:
    """During the first prompt a stack file changes, during the second one the state of the other stack."""
    counting.run("up", "--all", "--yes")
    write(counting, "acme", groups={"Analysts": {}})
    write(counting, "globex", groups={"Analysts": {}})

    def edit() -> str:
        write(counting, "acme", groups={"Viewers": {}})
        return "y"

    def refresh() -> str:
        counting.fleet.run("refresh", "globex", "--yes")
        return "y"

    result = counting.run("up", "--all", answers=(edit, refresh, yes))
    prompts = [line.partition("?")[0] for line in result.screen.splitlines() if "[y/N]" in line]
    assert prompts == [
        "up 2 stacks (acme, globex)",
        "up 1 stack (acme)",
        "up 1 stack (globex)",
    ]
    assert counting.writes.count("POST /api/v1/groups") == 2
    assert counting.calls("globex") == {"preview": 2, "up --skip-preview": 1}


def test_each_ring_has_its_own_prompt(counting: CountingFleet) -> None:
    write(counting, "acme", ring="pilot")
    result = counting.run("up", "--all", "--waves", "rings", "--json", answers=(yes, no), code=1)
    statuses = {outcome.stack: outcome.status for outcome in Report.from_json(result.stdout).outcomes}
    assert statuses == {"acme": "ok", "globex": "not run"}
    assert counting.stacks == ["acme"]
    assert result.screen.index("up 1 stack (acme)?") < result.screen.index("up 1 stack (globex)?")
