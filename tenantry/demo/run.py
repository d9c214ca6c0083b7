"""The run of the demo.

The project, the emulator's data, Pulumi's home and its state are in a temporary folder. `--stay` keeps them
until Ctrl-C, so that you can look around and change things.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tenantry.demo.environment import client_environment, private_environment
from tenantry.demo.example import FILES, STACK, stack_file
from tenantry.emulator import Emulator
from tenantry.pulumi_internals.backend_files import add_stack
from tenantry.starting.repository import Choices, write
from tenantry.starting.requirement import requirement

NEXT = """\
What to try next:
  tenantry demo --stay    keeps the demo running, for use from another terminal
  tenantry emulator       starts only the local Qlik Cloud
  tenantry init DIR       writes a repository for your own customers"""
REGION, SOURCE_TENANT = "eu", "templates.eu.qlikcloud.com"
INTERRUPT_TIMEOUT_SECONDS = 30
WIDTH = 160  # wide enough for addresses
UP_OPTIONS = ("--skip-preview", "--yes", "--suppress-outputs", "--suppress-progress")

console = Console(highlight=False, soft_wrap=True)


class Demo:
    """The stack of the demo: its folder, its environment, and its copy of the stack file."""

    def __init__(self, folder: Path, qlik: Emulator) -> None:
        self._qlik, self._project = qlik, folder / "project"
        self._env = private_environment(folder) | client_environment(qlik.url)
        choices = Choices("tenantry", REGION, SOURCE_TENANT, requirement(("cli", "emulator")))
        write(self._project, choices)
        shutil.copytree(FILES / "plans", self._project / "stacks" / "plans", dirs_exist_ok=True)
        (self._project / "stacks" / f"Pulumi.{STACK}.yaml").write_text(stack_file(), "utf-8")
        # The Pulumi program imports the packages of this process's virtual environment.
        (self._project / ".venv").symlink_to(sys.prefix)
        add_stack(folder / "state", "tenantry", STACK)

    def run(self) -> None:
        """Create the customer, print its outputs, and show that a second run has nothing to do."""
        console.rule(f"pulumi up --stack {STACK}")
        self.up()
        show(json.loads(self.pulumi("stack", "output", "--json", "--stack", STACK, quiet=True)))
        console.rule("pulumi up again, nothing changed")
        self.up("--expect-no-changes")

    def up(self, *args: str) -> None:
        """Run `pulumi up` on the stack, and print the number of requests and the time it took."""
        self._qlik.control.clear_requests()
        started = time.monotonic()
        self.pulumi("up", "--stack", STACK, *UP_OPTIONS, *args)
        seconds = time.monotonic() - started
        console.print(f"{len(self._qlik.control.requests())} requests, {seconds:.1f} s\n")

    def pulumi(self, *args: str, quiet: bool = False) -> str:
        """Run `pulumi` in the project. With `quiet`, return its output instead of showing it.

        `pulumi` has its own session, so the terminal does not send Ctrl-C to it. `end` sends it once,
        because a second Ctrl-C would make `pulumi` abort. Raises CalledProcessError.
        """
        command = [pulumi_command(), *args, "--non-interactive"]
        pipe = subprocess.PIPE if quiet else None
        with subprocess.Popen(
            command,
            cwd=self._project,
            env=self._env,
            stdout=pipe,
            stderr=pipe,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                output, errors = process.communicate()
            except BaseException:
                end(process)
                raise
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command, output, errors)
        return output or ""

    def stay(self) -> None:
        """Print how to continue in another terminal, and wait for Ctrl-C."""
        names = ("PULUMI_HOME", "PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE")
        settings = {name: self._env[name] for name in names} | client_environment(self._qlik.url)
        exports = "\n".join(f'export {name}="{value}"' for name, value in settings.items())
        console.print("In another terminal:\n")
        print(f"{exports}\ncd {self._project}\n$EDITOR stacks/Pulumi.{STACK}.yaml")
        print(f"{pulumi_command()} up --stack {STACK}\n", flush=True)
        console.print("Press Ctrl-C here to end the demo.")
        threading.Event().wait()


def end(process: subprocess.Popen[str]) -> None:
    """Interrupt `pulumi`, so that it finishes its current steps. Kill it if it does not end."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(INTERRUPT_TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def show(outputs: Mapping[str, Any]) -> None:
    """Print the outputs of the stack, one value per line. The outputs of the tenant come first."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for names, value in sorted(leaves(outputs), key=lambda leaf: len(leaf[0]) > 1):
        table.add_row(" / ".join(names), str(value), style="bold" if len(names) == 1 else None)
    Console(width=WIDTH).print(table)
    console.print()


def leaves(value: object, names: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    """Yield every value in nested mappings, with its path of names."""
    if not isinstance(value, dict):
        yield names, value
        return
    for name, inner in value.items():
        yield from leaves(inner, (*names, name))


def pulumi_command() -> str:
    """Return the path of the Pulumi CLI: in this environment, or on PATH."""
    scripts = Path(sys.executable).parent
    found = shutil.which("pulumi", path=f"{scripts}{os.pathsep}{os.environ.get('PATH', '')}")
    return found or str(scripts / "pulumi")


def main(*, stay: bool = False) -> int:
    """Run the demo and return its exit code. With `stay`, keep it running until Ctrl-C."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with tempfile.TemporaryDirectory(prefix="tenantry-demo-") as folder, Emulator() as qlik:
            demo = Demo(Path(folder), qlik)
            demo.run()
            if stay:
                demo.stay()
    except FileNotFoundError as error:
        console.print(f"The demo needs the Pulumi CLI: {error.filename} does not exist. Install it with:")
        console.print("  tenantry install-pulumi")
        return 1
    except subprocess.CalledProcessError as error:
        console.print(f"{error.output or ''}{error.stderr or ''}", end="")
        console.print(f"The demo stopped: {' '.join(error.cmd)} exited with code {error.returncode}.")
        return 1
    except KeyboardInterrupt:
        console.print("Stopped. The demo has left nothing behind.")
        return 0 if stay else 130
    console.print(NEXT)
    return 0
