"""A separate stack for the canaries, run with the real `pulumi`."""

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
        self.project, self.state, self.seen = self.root / "project", self.root / "state", self.root / "seen"
        self.env = private_environment(self.root) | {"PYTHONPATH": str(ROOT), "CANARY_SEEN": str(self.seen)}
        self.project.mkdir()
        self.seen.mkdir()
        (self.project / "Pulumi.yaml").write_text(f"name: {PROJECT}\nruntime: python\n")
        (self.project / "__main__.py").write_text(PROGRAM)

    def run(
        self, *arguments: str, code: int | None = 0, env: Mapping[str, str] = NO_ENV
    ) -> subprocess.CompletedProcess[str]:
        """Run `pulumi`; `code` is the exit code that it must have, None for any."""
        done = subprocess.run(
            [PULUMI, *arguments, "--non-interactive", "--color", "never"],
            cwd=self.project,
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert code in (None, done.returncode), f"{arguments}: {done.stdout}\n{done.stderr}"
        return done

    def log(self, *arguments: str, code: int = 0, env: Mapping[str, str] = NO_ENV) -> list[dict[str, Any]]:
        """Run `pulumi` and return the events of its log."""
        file = self.root / "events.json"
        file.unlink(missing_ok=True)
        self.run(*arguments, "--event-log", str(file), code=code, env={**environment.EVENT_LOG, **env})
        assert file.exists(), changed("environment", "Find out how `--event-log` is turned on.")
        return list(event_log.read(file))

    def export(self, stack: str) -> dict[str, Any]:
        """The state."""
        state: dict[str, Any] = json.loads(self.run("stack", "export", "--stack", stack).stdout)
        return state

    def notes(self, verb: str) -> list[dict[str, Any]]:
        """Return the records of the provider about a method, in order."""
        return [json.loads(file.read_text()) for file in sorted(self.seen.glob(f"{verb}-*.json"))]

    def checkpoint(self, folder: Path, stack: str) -> dict[str, Any]:
        """Return the file of a state, in the folder of the backend or in a copy."""
        found: dict[str, Any] = json.loads((folder / "stacks" / PROJECT / f"{stack}.json").read_text())
        return found


@dataclass
class Story:
    """A stack from its first preview to a refresh, with each output of the engine, and the final state."""

    canary: Canary
    skeleton: dict[str, Any]
    preview: dict[str, Any]
    previewed: list[dict[str, Any]]
    made: list[dict[str, Any]]
    state: dict[str, Any]
    created: list[dict[str, Any]]
    during: Path
    later: list[dict[str, Any]]
    state_later: dict[str, Any]
    refreshed: list[dict[str, Any]]


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Run it once for all canaries."""
    canary = Canary(tmp_path_factory.mktemp("canary"))
    add_stack(canary.state, PROJECT, "one")
    quick = "--stack", "one", "--yes", "--skip-preview"
    file = canary.root / "import.json"
    preview = canary.run("preview", "--json", "--import-file", str(file), "--stack", "one").stdout
    previewed = canary.notes("check")
    made = canary.log("up", *quick)
    created = canary.notes("create")
    state = canary.export("one")
    during = canary.root / "during"
    shutil.move(canary.seen / "during-second", during)
    later = canary.log("up", *quick, "--continue-on-error", code=1, env={"CANARY_RUN": "later"})
    return Story(
        canary=canary,
        skeleton=json.loads(file.read_text()),
        preview=json.loads(preview),
        previewed=previewed,
        made=made,
        state=state,
        created=created,
        during=during,
        later=later,
        state_later=canary.export("one"),
        refreshed=canary.log("refresh", *quick),
    )
