"""Drive a stack with the real Pulumi CLI: a throw-away backend and home, a private copy of the stack files.

    stack.write(region="eu", source_tenant="templates.eu.qlikcloud.com", customer={"name": "Globex", ...})
    assert stack.up().changes == {"create": ["Tenant globex", "Space Sales"]}
    assert stack.up().requests == []

Each call runs `pulumi` once and returns a `Result`; a failing run is an AssertionError unless the test
expects that exit code. What the CLI printed is printed again, so pytest shows it under a failing test.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import psutil
import yaml

from tenantry.demo.environment import client_environment, private_environment
from tenantry.demo.example import FILES
from tenantry.pulumi_internals.backend_files import add_stack
from tests.e2e.result import Result, is_engines_own, short_name

ROOT = Path(__file__).resolve().parents[2]
PULUMI = ROOT / ".venv" / "bin" / "pulumi"
TIMEOUT = 120.0
MARK = "TENANTRY_E2E"
SECRET = "4dabf18193072939515e22adb298388d"
"""What marks a secret in the state."""


class Control(Protocol):
    """What the harness needs of the emulator's control client."""

    def requests(self) -> list[dict[str, Any]]:
        """The log so far, oldest first."""
        ...


class Qlik(Protocol):
    """What the harness needs of an emulator."""

    url: str

    @property
    def control(self) -> Control:
        """Its control client."""
        ...


class Process:
    """A `pulumi` command under way. `wait` for it, or send it (and what it started) a signal."""

    def __init__(self, stack: Stack, args: Sequence[str], env: Mapping[str, str]) -> None:
        self._stack = stack
        self.args = list(args)
        self._log = stack.folder / f"events-{uuid.uuid4().hex}.json"
        self._output = self._log.with_suffix(".txt")
        self._requests = len(stack.requests())
        self._started = time.monotonic()
        logged = ["--event-log", str(self._log)] if args[0] in ("up", "preview", "refresh", "destroy") else []
        command = [str(PULUMI), *args, *logged, "--non-interactive", "--color", "never"]
        # Files, not pipes: a plugin that outlives a killed CLI would keep a pipe open for ever.
        with self._output.open("wb") as output, self._errors.open("wb") as errors:
            self._process = psutil.Popen(
                command,
                cwd=stack.folder,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
            )

    @property
    def _errors(self) -> Path:
        return self._output.with_suffix(".err")

    @property
    def pid(self) -> int:
        """The id of the CLI's process."""
        pid: int = self._process.pid
        return pid

    def children(self, name: str = "") -> list[psutil.Process]:
        """The processes it has started and that still run, those with `name` in their command line."""
        return [child for child in self._process.children(recursive=True) if name in command_line(child)]

    @property
    def is_running(self) -> bool:
        """Whether the command itself has not ended."""
        return self._process.poll() is None

    def signal(self, number: int) -> None:
        """Send the CLI alone the signal `number`."""
        self._process.send_signal(number)

    def wait(self, timeout: float = TIMEOUT) -> Result:
        """Wait for the end, at most `timeout` seconds, and return what came of it."""
        try:
            code = self._process.wait(timeout)
        except psutil.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise AssertionError(f"no end after {timeout} s: {self.describe()}") from None
        result = Result(
            args=self.args,
            rc=code,
            stdout=self._output.read_text("utf-8", "replace"),
            stderr=self._errors.read_text("utf-8", "replace"),
            events=read_events(self._log),
            requests=self._stack.requests()[self._requests :],
            seconds=time.monotonic() - self._started,
        )
        print(result)
        return result

    def describe(self) -> str:
        """The command and what it printed so far."""
        return f"pulumi {' '.join(self.args)}\n{self._output.read_text()}{self._errors.read_text()}"


class Stack:
    """One stack in a folder of its own. Use it as a context manager: it ends every process it started."""

    def __init__(
        self, folder: Path, name: str = "globex", *, qlik: Qlik | None = None, program: Path = ROOT
    ) -> None:
        self.folder, self.name, self.qlik = folder, name, qlik
        self._mark = uuid.uuid4().hex
        self.env = self._environment()
        copy_program(program, folder)
        self.project = yaml.safe_load((folder / "Pulumi.yaml").read_text("utf-8"))["name"]
        self._begin()

    def __enter__(self) -> Stack:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End what still runs of this stack, by process id."""
        while left := self.processes():
            for process in left:
                with suppress(psutil.Error):
                    process.kill()
            time.sleep(0.01)

    def processes(self, name: str = "") -> list[psutil.Process]:
        """Every process started for this stack that still runs, also those whose parent is gone."""
        return [process for process in psutil.process_iter() if self._is_ours(process, name)]

    @property
    def file(self) -> Path:
        """The stack file."""
        folder = self.folder / "stacks"
        return (folder if folder.is_dir() else self.folder) / f"Pulumi.{self.name}.yaml"

    def write(
        self, config: Mapping[str, Any] | None = None, /, *, text: str | None = None, **namespaced: Any
    ) -> None:
        """Write the stack file: its `config`, or `region`, `source_tenant` and `customer`, or its `text`."""
        keys = {
            "region": "qlik:region",
            "source_tenant": "qlik:source_tenant",
            "customer": "tenantry:customer",
        }
        if text is None:
            block = {**(config or {}), **{keys[key]: value for key, value in namespaced.items()}}
            text = yaml.safe_dump({"config": block}, sort_keys=False)
        self.file.write_text(text, "utf-8")

    def write_plan(self, name: str, plan: Mapping[str, Any]) -> None:
        """Write a plan of the test's own, or over one of the project's (this stack's copy of it)."""
        (self.folder / "stacks" / "plans" / f"{name}.yaml").write_text(yaml.safe_dump(plan, sort_keys=False))

    def up(self, *args: str, expect: int | None = 0, **env: str) -> Result:
        """`pulumi up` without its preview. `expect` is the exit code (None: any), `env` adds variables."""
        return self.pulumi("up", "--skip-preview", "--yes", *args, expect=expect, **env)

    def preview(self, *args: str, expect: int | None = 0, **env: str) -> Result:
        """`pulumi preview`; add "--diff", "--refresh", "--expect-no-changes" or "--json"."""
        return self.pulumi("preview", *args, expect=expect, **env)

    def refresh(self, *args: str, expect: int | None = 0, **env: str) -> Result:
        """`pulumi refresh`, which takes what is live into the state."""
        return self.pulumi("refresh", "--skip-preview", "--yes", *args, expect=expect, **env)

    def destroy(self, *args: str, expect: int | None = 0, **env: str) -> Result:
        """`pulumi destroy`."""
        return self.pulumi("destroy", "--skip-preview", "--yes", *args, expect=expect, **env)

    def cancel(self) -> Result:
        """`pulumi cancel`, which removes the lock that a killed run left."""
        return self.pulumi("cancel", "--yes")

    def outputs(self) -> dict[str, Any]:
        """The outputs of the stack, secrets in plain text."""
        resources = self.deployment().get("resources", [])
        held: dict[str, Any] = next(
            (resource for resource in resources if resource["type"] == "pulumi:pulumi:Stack"), {}
        )
        if SECRET not in json.dumps(held.get("outputs")):
            return held.get("outputs") or {}
        outputs: dict[str, Any] = json.loads(
            self.pulumi("stack", "output", "--json", "--show-secrets").stdout
        )
        return outputs

    def deployment(self) -> dict[str, Any]:
        """What the state holds, read from its file: that is quicker than to ask the CLI."""
        file = self.folder / "pulumi" / "state" / ".pulumi" / "stacks" / self.project / f"{self.name}.json"
        latest: dict[str, Any] | None = json.loads(file.read_text("utf-8"))["checkpoint"].get("latest")
        return latest or {}

    def export(self) -> dict[str, Any]:
        """The state, as `pulumi stack export` gives it."""
        state: dict[str, Any] = json.loads(self.pulumi("stack", "export").stdout)
        return state

    def resources(self) -> dict[str, dict[str, Any]]:
        """The resources in the state by type and name ("Space Sales"), the engine's own left out."""
        resources = self.deployment().get("resources", [])
        return {
            short_name(resource["urn"]): resource
            for resource in resources
            if not is_engines_own(resource["urn"])
        }

    def pulumi(self, *args: str, expect: int | None = 0, **env: str) -> Result:
        """Any `pulumi` command on this stack. Fails if its exit code is not `expect` (None: any)."""
        result = self.start(*args, **env).wait()
        assert expect is None or result.rc == expect, f"exit code {result.rc}, not {expect}, of {result}"
        return result

    def set_secret(self, name: str, value: str) -> None:
        """Set `tenantry:secrets_<name>` as people do: the value is not an argument of the command."""
        subprocess.run(
            [PULUMI, "config", "set", "--secret", f"tenantry:secrets_{name}", "--stack", self.name],
            cwd=self.folder,
            env=self.env,
            input=value,
            text=True,
            check=True,
            capture_output=True,
            timeout=60,
        )

    def start(self, *args: str, **env: str) -> Process:
        """Start a `pulumi` command on this stack and return at once; `env` adds environment variables."""
        return Process(self, [*args, "--stack", self.name], {**self.env, **env})

    def requests(self) -> list[dict[str, Any]]:
        """What the emulator was asked so far, control requests and the test's own left out."""
        return self.qlik.control.requests() if self.qlik else []

    def _environment(self) -> dict[str, str]:
        env = private_environment(self.folder / "pulumi")
        (self.folder / "home").mkdir()
        env |= {
            MARK: self._mark,
            "HOME": str(self.folder / "home"),
            "PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true",
            "PULUMI_DEBUG_COMMANDS": "true",  # without it there is no --event-log
            "TENANTRY_CREATION_SECONDS": "1",  # the emulator makes at once whatever it does not put off
        }
        return env | (client_environment(self.qlik.url) if self.qlik else {})

    def _begin(self) -> None:
        add_stack(self.folder / "pulumi" / "state", self.project, self.name)

    def _is_ours(self, process: psutil.Process, name: str) -> bool:
        try:
            return process.environ().get(MARK) == self._mark and name in command_line(process)
        except psutil.Error:
            return False


def copy_program(program: Path, folder: Path) -> None:
    """Put the project `program` into `folder`. The package that it imports is the one that is installed."""
    if not (program / "stacks").is_dir():
        shutil.copytree(program, folder, dirs_exist_ok=True)
        return
    shutil.copy(program / "Pulumi.yaml", folder)
    (folder / "__main__.py").symlink_to(program / "__main__.py")
    shutil.copytree(FILES / "plans", folder / "stacks" / "plans")


def command_line(process: psutil.Process) -> str:
    """The command line of a process; empty if it is gone."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def read_events(log: Path) -> list[dict[str, Any]]:
    """The engine's events from its log; a killed run leaves half a line at the end, which does not count."""
    if not log.exists():
        return []
    events = []
    for line in log.read_text("utf-8").splitlines():
        try:
            events.append(json.loads(line))
        except ValueError:
            break
    return events
