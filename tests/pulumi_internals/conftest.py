"""A separate stack for the canaries, which the real `pulumi` runs."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tenantry.demo.environment import private_environment
from tenantry.pulumi_internals import environment, event_log
from tenantry.pulumi_internals.backend_files import add_stack
from tests.pulumi_internals import changed

ROOT = Path(__file__).resolve().parents[2]
PULUMI = ROOT / ".venv" / "bin" / "pulumi"
PROJECT = "canary"
NO_ENV: Mapping[str, str] = {}

PROGRAM = "from tests.pulumi_internals.things import program\n\nprogram()\n"


@dataclass
class Canary:
    """A project with a backend in the folder `root`, and the records of its provider."""

    root: Path

    def __post_init__(self) -> None:
        self.project, self.state, self.records = (
            self.root / "project",
            self.root / "state",
            self.root / "records",
        )
        self.env = private_environment(self.root) | {
            "PYTHONPATH": str(ROOT),
            "CANARY_RECORDS": str(self.records),
        }
        self.project.mkdir()
        self.records.mkdir()
        (self.project / "Pulumi.yaml").write_text(f"name: {PROJECT}\nruntime: python\n")
        (self.project / "__main__.py").write_text(PROGRAM)

    def run(
        self, *arguments: str, code: int | None = 0, env: Mapping[str, str] = NO_ENV
    ) -> subprocess.CompletedProcess[str]:
        """Run `pulumi`. `code` is the expected exit code, or None for any."""
        process = subprocess.run(
            [PULUMI, *arguments, "--non-interactive", "--color", "never"],
            cwd=self.project,
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert code in (None, process.returncode), f"{arguments}: {process.stdout}\n{process.stderr}"
        return process

    def log(self, *arguments: str, code: int = 0, env: Mapping[str, str] = NO_ENV) -> list[dict[str, Any]]:
        """Run `pulumi` and return the events of its log."""
        file = self.root / "events.json"
        file.unlink(missing_ok=True)
        self.run(*arguments, "--event-log", str(file), code=code, env={**environment.EVENT_LOG, **env})
        assert file.exists(), changed("environment", "Find out how to turn on `--event-log`.")
        return list(event_log.read(file))

    def export(self, stack: str) -> dict[str, Any]:
        """Return the state of a stack."""
        state: dict[str, Any] = json.loads(self.run("stack", "export", "--stack", stack).stdout)
        return state

    def records_of(self, method: str) -> list[dict[str, Any]]:
        """Return the records of the provider about a method, in order."""
        return [json.loads(file.read_text()) for file in sorted(self.records.glob(f"{method}-*.json"))]

    def checkpoint(self, folder: Path, stack: str) -> dict[str, Any]:
        """Return the content of the state file, in the folder of the backend or in a copy."""
        content: dict[str, Any] = json.loads((folder / "stacks" / PROJECT / f"{stack}.json").read_text())
        return content


@dataclass
class RecordedRuns:
    """The recorded runs of a stack from its first preview to a refresh, with events and states.

    The second `up` changes the resources, and some of them fail.
    """

    canary: Canary
    import_skeleton: dict[str, Any]
    preview: dict[str, Any]
    preview_checks: list[dict[str, Any]]
    up_events: list[dict[str, Any]]
    state: dict[str, Any]
    creates: list[dict[str, Any]]
    backend_during_up: Path
    second_up_events: list[dict[str, Any]]
    second_state: dict[str, Any]
    refresh_events: list[dict[str, Any]]


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> RecordedRuns:
    """Run the commands once for all canaries."""
    canary = Canary(tmp_path_factory.mktemp("canary"))
    add_stack(canary.state, PROJECT, "one")
    options = "--stack", "one", "--yes", "--skip-preview"
    file = canary.root / "import.json"
    preview = canary.run("preview", "--json", "--import-file", str(file), "--stack", "one").stdout
    preview_checks = canary.records_of("check")
    up_events = canary.log("up", *options)
    creates = canary.records_of("create")
    state = canary.export("one")
    backend_during_up = canary.root / "backend_during_up"
    shutil.move(canary.records / "backend-second", backend_during_up)
    second_up_events = canary.log("up", *options, "--continue-on-error", code=1, env={"CANARY_RUN": "second"})
    return RecordedRuns(
        canary=canary,
        import_skeleton=json.loads(file.read_text()),
        preview=json.loads(preview),
        preview_checks=preview_checks,
        up_events=up_events,
        state=state,
        creates=creates,
        backend_during_up=backend_during_up,
        second_up_events=second_up_events,
        second_state=canary.export("one"),
        refresh_events=canary.log("refresh", *options),
    )
