"""A stack for the real Pulumi CLI, with a temporary backend and home, and a private copy of the stack files.

    stack.write(region="eu", source_tenant="templates.eu.qlikcloud.com", customer={"name": "Globex", ...})
    assert stack.up().changes == {"create": ["Tenant globex", "Space Sales"]}
    assert stack.up().requests == []

Each call runs `pulumi` once and returns a `Result`. A failing run raises AssertionError, unless the test
expects its exit code. The harness prints the CLI's output, so pytest shows it with a failing test.
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
from tests.e2e.result import Result, is_added_by_engine, short_name

ROOT = Path(__file__).resolve().parents[2]
PULUMI = ROOT / ".venv" / "bin" / "pulumi"
TIMEOUT_SECONDS = 120.0
MARK = "TENANTRY_E2E"
"""The environment variable that marks the processes of a stack."""
SECRET = "4dabf18193072939515e22adb298388d"
"""The key that marks a secret value in the state."""


class Control(Protocol):
    """The part of the emulator's control client that the harness needs."""

    def requests(self) -> list[dict[str, Any]]:
        """Return the log so far, oldest first."""
        ...


class Qlik(Protocol):
    """The part of an emulator that the harness needs."""

    url: str

    @property
    def control(self) -> Control:
        """The control client."""
        ...


class Process:
    """A running `pulumi` command. You can `wait` for it, or send a signal to it or its children."""

    def __init__(self, stack: Stack, args: Sequence[str], env: Mapping[str, str]) -> None:
        self._stack = stack
        self.args = list(args)
        self._log = stack.folder / f"events-{uuid.uuid4().hex}.json"
        self._output = self._log.with_suffix(".txt")
        self._requests_before = len(stack.requests())
        self._started = time.monotonic()
        event_log = (
            ["--event-log", str(self._log)] if args[0] in ("up", "preview", "refresh", "destroy") else []
        )
        command = [str(PULUMI), *args, *event_log, "--non-interactive", "--color", "never"]
        # Use files instead of pipes, because a plugin that outlives a killed CLI keeps a pipe open.
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
        """The process id of the CLI."""
        pid: int = self._process.pid
        return pid

    def children(self, name: str = "") -> list[psutil.Process]:
        """Return the running child processes that have `name` in their command line."""
        return [child for child in self._process.children(recursive=True) if name in command_line(child)]

    @property
    def is_running(self) -> bool:
        """Tell whether the command itself is still running."""
        return self._process.poll() is None

    def signal(self, number: int) -> None:
        """Send the signal `number` to the CLI only."""
        self._process.send_signal(number)

    def wait(self, timeout: float = TIMEOUT_SECONDS) -> Result:
        """Wait for the end, at most `timeout` seconds, and return the result."""
        try:
            code = self._process.wait(timeout)
        except psutil.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise AssertionError(f"still running after {timeout} s: {self.describe()}") from None
        result = Result(
            args=self.args,
            rc=code,
            stdout=self._output.read_text("utf-8", "replace"),
            stderr=self._errors.read_text("utf-8", "replace"),
            events=read_events(self._log),
            requests=self._stack.requests()[self._requests_before :],
            seconds=time.monotonic() - self._started,
        )
        print(result)
        return result

    def describe(self) -> str:
        """Return the command and its output so far."""
        return f"pulumi {' '.join(self.args)}\n{self._output.read_text()}{self._errors.read_text()}"


class Stack:
    """One stack in its own folder. Use it as a context manager, which ends every process that it started."""

    def __init__(
        self, folder: Path, name: str = "globex", *, qlik: Qlik | None = None, program: Path = ROOT
    ) -> None:
        self.folder, self.name, self.qlik = folder, name, qlik
        self._mark = uuid.uuid4().hex
        self.env = self._environment()
        copy_program(program, folder)
        self.project = yaml.safe_load((folder / "Pulumi.yaml").read_text("utf-8"))["name"]
        self._register()

    def __enter__(self) -> Stack:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the running processes of this stack, by process id."""
        while running := self.processes():
            for process in running:
                with suppress(psutil.Error):
                    process.kill()
            time.sleep(0.01)

    def processes(self, name: str = "") -> list[psutil.Process]:
        """Return every running process of this stack, including orphaned processes."""
        return [process for process in psutil.process_iter() if self._is_own_process(process, name)]

    @property
    def file(self) -> Path:
        """The stack file."""
        folder = self.folder / "stacks"
        return (folder if folder.is_dir() else self.folder) / f"Pulumi.{self.name}.yaml"

    def write(
        self, config: Mapping[str, Any] | None = None, /, *, text: str | None = None, **namespaced: Any
    ) -> None:
        """Write the stack file from its `config`, its `text`, or `region`, `source_tenant` and `customer`."""
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
        """Write a plan into this stack's copy of the project. Overwrite a plan of the same name."""
        (self.folder / "stacks" / "plans" / f"{name}.yaml").write_text(yaml.safe_dump(plan, sort_keys=False))

    def up(self, *args: str, expect: int | None = 0, **env: str) -> Result:
        """Run `pulumi up` without preview. `expect` is the exit code (None: any). `env` adds variables."""
        return self.pulumi("up", "--skip-preview", "--yes", *args, expect=expect, **env)

    def preview(self, *args: str, expect: int | None = 0, **env: str) -> Result:
        """Run `pulumi preview`, for example with "--diff", "--refresh", "--expect-no-changes" or "--json"."""
        return self.pulumi("preview", *args, expect=expect, **env)

    def refresh(self, *args: str, expect: int | None = 0, **env: str) -> Result:
        """Run `pulumi refresh`, which updates the state from the real objects."""
        return self.pulumi("refresh", "--skip-preview", "--yes", *args, expect=expect, **env)

    def destroy(self, *args: str, expect: int | None = 0, **env: str) -> Result:
        """Run `pulumi destroy`."""
        return self.pulumi("destroy", "--skip-preview", "--yes", *args, expect=expect, **env)

    def cancel(self) -> Result:
        """Run `pulumi cancel`, which removes the lock of a killed run."""
        return self.pulumi("cancel", "--yes")

    def outputs(self) -> dict[str, Any]:
        """Return the outputs of the stack, with secrets in plain text."""
        resources = self.deployment().get("resources", [])
        stack_resource: dict[str, Any] = next(
            (resource for resource in resources if resource["type"] == "pulumi:pulumi:Stack"), {}
        )
        if SECRET not in json.dumps(stack_resource.get("outputs")):
            return stack_resource.get("outputs") or {}
        outputs: dict[str, Any] = json.loads(
            self.pulumi("stack", "output", "--json", "--show-secrets").stdout
        )
        return outputs

    def deployment(self) -> dict[str, Any]:
        """Return the content of the state from its file, which is faster than the CLI."""
        file = self.folder / "pulumi" / "state" / ".pulumi" / "stacks" / self.project / f"{self.name}.json"
        latest: dict[str, Any] | None = json.loads(file.read_text("utf-8"))["checkpoint"].get("latest")
        return latest or {}

    def export(self) -> dict[str, Any]:
        """Return the output of `pulumi stack export`."""
        state: dict[str, Any] = json.loads(self.pulumi("stack", "export").stdout)
        return state

    def resources(self) -> dict[str, dict[str, Any]]:
        """Return the resources in the state by type and name ("Space Sales"), except those of the engine."""
        resources = self.deployment().get("resources", [])
        return {
            short_name(resource["urn"]): resource
            for resource in resources
            if not is_added_by_engine(resource["urn"])
        }

    def pulumi(self, *args: str, expect: int | None = 0, **env: str) -> Result:
        """Run any `pulumi` command on this stack. Fails if its exit code is not `expect` (None: any)."""
        result = self.start(*args, **env).wait()
        assert expect is None or result.rc == expect, f"exit code {result.rc}, expected {expect}: {result}"
        return result

    def set_secret(self, name: str, value: str) -> None:
        """Set `tenantry:secrets_<name>` in the stack file, see `set_secret`."""
        set_secret(self.folder, self.env, self.name, name, value)

    def start(self, *args: str, **env: str) -> Process:
        """Start a `pulumi` command on this stack and return at once. `env` adds environment variables."""
        return Process(self, [*args, "--stack", self.name], {**self.env, **env})

    def requests(self) -> list[dict[str, Any]]:
        """Return the emulator's requests so far, without control requests and the test's own requests."""
        return self.qlik.control.requests() if self.qlik else []

    def _environment(self) -> dict[str, str]:
        env = private_environment(self.folder / "pulumi")
        (self.folder / "home").mkdir()
        env |= {
            MARK: self._mark,
            "HOME": str(self.folder / "home"),
            "PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true",
            "PULUMI_DEBUG_COMMANDS": "true",  # enables --event-log
            "TENANTRY_CREATION_SECONDS": "1",  # the emulator creates objects at once, unless it delays them
        }
        return env | (client_environment(self.qlik.url) if self.qlik else {})

    def _register(self) -> None:
        add_stack(self.folder / "pulumi" / "state", self.project, self.name)

    def _is_own_process(self, process: psutil.Process, name: str) -> bool:
        try:
            return process.environ().get(MARK) == self._mark and name in command_line(process)
        except psutil.Error:
            return False


def set_secret(folder: Path, env: Mapping[str, str], stack: str, name: str, value: str) -> None:
    """Set `tenantry:secrets_<name>` as users do, without the value as an argument of the command."""
    subprocess.run(
        [PULUMI, "config", "set", "--secret", f"tenantry:secrets_{name}", "--stack", stack],
        cwd=folder,
        env=env,
        input=value,
        text=True,
        check=True,
        capture_output=True,
        timeout=60,
    )


def copy_program(program: Path, folder: Path) -> None:
    """Copy the project `program` into `folder`. The copy imports the installed package."""
    if not (program / "stacks").is_dir():
        shutil.copytree(program, folder, dirs_exist_ok=True)
        return
    shutil.copy(program / "Pulumi.yaml", folder)
    (folder / "__main__.py").symlink_to(program / "__main__.py")
    shutil.copytree(FILES / "plans", folder / "stacks" / "plans")


def command_line(process: psutil.Process) -> str:
    """Return the command line of a process, or an empty string if the process has ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def read_events(log: Path) -> list[dict[str, Any]]:
    """Return the engine's events from its log. Ignore the incomplete last line of a killed run."""
    if not log.exists():
        return []
    events = []
    for line in log.read_text("utf-8").splitlines():
        try:
            events.append(json.loads(line))
        except ValueError:
            break
    return events
