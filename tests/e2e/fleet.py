"""A project with many stacks, for `tenantry` with the real Pulumi CLI: one folder and one backend.

fleet.write("globex", customer={"name": "Globex", ...})
result = fleet.run("up", "--all", "--yes")
assert result.code == 0, result
assert result.outcomes["globex"].status == "ok"
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tenantry.demo.environment import client_environment, private_environment
from tenantry.fleet.outcome import Outcome, Report
from tests.e2e.customers import REGION, SOURCE_TENANT
from tests.e2e.harness import ROOT, Qlik, copy_program

TENANTRY = ROOT / ".venv" / "bin" / "tenantry"
TIMEOUT_SECONDS = 240.0


@dataclass(frozen=True)
class CommandResult:
    """A finished `tenantry` command, and the requests that the emulator received during it."""

    args: tuple[str, ...]
    code: int
    stdout: str
    stderr: str
    requests: list[dict[str, Any]]

    @property
    def report(self) -> Report:
        """The report that a command with `--json` printed."""
        return Report.from_json(self.stdout)

    @property
    def outcomes(self) -> dict[str, Outcome]:
        """The outcomes in the report, by stack."""
        return {outcome.stack: outcome for outcome in self.report.outcomes}

    @property
    def json(self) -> Any:
        """The JSON that a command without a report printed."""
        return json.loads(self.stdout)

    def __str__(self) -> str:
        return f"$ tenantry {' '.join(self.args)}    (exit code {self.code})\n{self.stdout}{self.stderr}"


class Fleet:
    """A project with many stacks, connected to an emulator."""

    def __init__(self, folder: Path, qlik: Qlik | None = None) -> None:
        self.folder, self.qlik = folder, qlik
        self.project = folder / "project"
        self.project.mkdir()
        copy_program(ROOT, self.project)
        shutil.copy(ROOT / ".gitignore", self.project)
        shutil.rmtree(self.project / "stacks" / "plans")
        (self.project / "stacks" / "plans").mkdir()
        self.env = private_environment(folder / "pulumi")
        if qlik:
            self.env |= client_environment(qlik.url)

    def write(self, stack: str, customer: Mapping[str, Any], **config: Any) -> Path:
        """Write a stack file."""
        block = {
            "qlik:region": REGION,
            "qlik:source_tenant": SOURCE_TENANT,
            "tenantry:customer": dict(customer),
            **config,
        }
        file = self.file(stack)
        file.write_text(yaml.safe_dump({"config": block}, sort_keys=False), "utf-8")
        return file

    def file(self, stack: str) -> Path:
        """Return the path of a stack file."""
        return self.project / "stacks" / f"Pulumi.{stack}.yaml"

    def write_plan(self, name: str, plan: Mapping[str, Any]) -> Path:
        """Write a plan."""
        file = self.project / "stacks" / "plans" / f"{name}.yaml"
        file.write_text(yaml.safe_dump(dict(plan), sort_keys=False), "utf-8")
        return file

    def start(self, *args: str, **env: str) -> subprocess.Popen[str]:
        """Start a command and return at once."""
        return subprocess.Popen(
            [str(TENANTRY), *args],
            cwd=self.project,
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *args: str, expect: int | None = 0, **env: str) -> CommandResult:
        """Run a command and wait for its end. Fails if its exit code is not `expect` (None: any)."""
        before = len(self.requests())
        with self.start(*args, **env) as process:
            result = self.wait(process, args, before)
        assert expect is None or result.code == expect, (
            f"exit code {result.code}, expected {expect}: {result}"
        )
        return result

    def wait(
        self, process: subprocess.Popen[str], args: tuple[str, ...] = (), before: int = 0
    ) -> CommandResult:
        """Wait for a started command. `before` is the number of requests at its start."""
        try:
            stdout, stderr = process.communicate(timeout=TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGTERM)
            process.send_signal(signal.SIGTERM)
            stdout, stderr = process.communicate(timeout=60)
            raise AssertionError(f"still running after {TIMEOUT_SECONDS} s: {stdout}{stderr}") from None
        result = CommandResult(args, process.returncode, stdout, stderr, self.requests()[before:])
        print(result)
        return result

    def requests(self) -> list[dict[str, Any]]:
        """Return the emulator's requests so far."""
        return self.qlik.control.requests() if self.qlik else []

    def git(self, *args: str) -> str:
        """Run git in the project."""
        identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
        result = subprocess.run(
            ["git", *identity, *args], cwd=self.project, capture_output=True, text=True, check=True
        )
        return result.stdout.strip()

    def commit(self, message: str = "a change") -> str:
        """Commit everything in the project and return the commit. The first call creates the repository."""
        if not (self.project / ".git").exists():
            self.git("init", "--quiet", "--initial-branch", "main")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")


def wait_until(condition: Any, description: str, seconds: float = 60) -> None:
    """Wait until the function `condition` returns a true value. `description` is for the error message."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {description}"
        time.sleep(0.05)


def copy_stack(fleet: Fleet, stack: str, name: str) -> tuple[Path, Path]:
    """Copy the stack file and the state of a stack to a new name. Return both paths."""
    backend = Path(fleet.env["PULUMI_BACKEND_URL"].removeprefix("file://")) / ".pulumi"
    (state,) = backend.glob(f"stacks/*/{stack}.json")
    text = state.read_text("utf-8")
    for part in ("urn:pulumi:%s::", "QlikCustomerTenant::%s", f"Stack::{state.parent.name}-%s"):
        text = text.replace(part % stack, part % name)
    file, copied_state = fleet.file(name), state.with_name(f"{name}.json")
    file.write_text(fleet.file(stack).read_text("utf-8"), "utf-8")
    copied_state.write_text(text, "utf-8")
    return file, copied_state


def wait_for_word(process: subprocess.Popen[str], word: str) -> None:
    """Read the output of a command until a word appears. Fail if the command ends without it."""
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(line)
        if word in line:
            return
    raise AssertionError(f"{word!r} is not in the output: {lines}")
