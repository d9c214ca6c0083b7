"""The state of stacks, read and written with the `pulumi` command."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tenantry.errors import TenantryError
from tenantry.providers.framework import formats
from tenantry.pulumi_internals import deployment
from tenantry.pulumi_internals.commands import NO_SUCH_STACK, find_pulumi
from tenantry.state import entries

COMMAND_TIMEOUT_SECONDS = 120.0

_ADDRESS = re.compile(r"://[^\s\"']*")
_PLAIN = re.compile(
    r"(region|endpoint|profile|awssdk|ssl|sslmode|storage_account|domain|protocol|disablessl|disable_https"
    r"|s3forcepathstyle|use_path_style|hostname_immutable)=[\w.:/-]*",
    re.IGNORECASE,
)
"""The parameters of a backend address that can be shown. Others may contain a password or a token."""


def redacted(text: str) -> str:
    """Return text without the secrets in addresses, which `pulumi` repeats in its errors."""
    return _ADDRESS.sub(lambda found: _without_secrets(found[0]), text)


def _without_secrets(address: str) -> str:
    """Hide the values of parameters, and everything before the last "@".

    A password may contain any character except a space or a quotation mark.
    """
    _, at, rest = address.rpartition("@")
    place, mark, query = rest.partition("?")
    shown = [
        parameter if _PLAIN.fullmatch(parameter) else re.sub("=.+", "=***", parameter, flags=re.DOTALL)
        for parameter in query.split("&")
    ]
    return f"{'://***@' if at else ''}{place}{mark}{'&'.join(shown)}"


class PulumiFailed(TenantryError):
    """A `pulumi` command failed. `output` is what it printed, `code` its exit code, if it started."""

    def __init__(self, what: str, output: str, code: int | None = None) -> None:
        super().__init__(f"{what}: {redacted(output.strip()) or f'exit code {code}'}")
        self.output, self.code = redacted(output), code


class NoSuchStack(PulumiFailed):
    """The backend that Pulumi is logged in to has no stack with this name."""


class NewerState(PulumiFailed):
    """A newer Tenantry wrote the state of a stack, so this version must not change it."""


class StateRefused(PulumiFailed):
    """The state of a stack names code that is not from Tenantry, so the engine must not run on it."""


class StateChanged(PulumiFailed):
    """The state of a stack has changed since it was read, because another run ended. Nothing was written."""

    def __init__(self, stack: str) -> None:
        super().__init__(
            f"stack {stack}",
            "its state has changed in the meantime. Nothing was written. Run the command again",
        )


@dataclass(frozen=True)
class Backend:
    """The stacks of the project in the folder `root`, in the backend that Pulumi is logged in to.

    `environment` adds variables to those of this process; `seconds` is the longest time for one command.
    Every method raises PulumiFailed, and NoSuchStack if the stack does not exist.
    """

    root: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    seconds: float = COMMAND_TIMEOUT_SECONDS

    def outputs(self, stack: str) -> dict[str, Any]:
        """Return the outputs of a stack, with secrets hidden; empty before its first `up`."""
        outputs: dict[str, Any] = json.loads(self.run("stack", "output", "--json", "--stack", stack))
        return outputs

    def stacks(self) -> list[str]:
        """Return the names of the project's stacks."""
        listed = json.loads(self.run("stack", "ls", "--json"))
        return [str(stack["name"]).rpartition("/")[2] for stack in listed]

    def state(self, stack: str) -> dict[str, Any]:
        """Return the state of a stack, with secrets encrypted. Raises NewerState, StateRefused."""
        state: dict[str, Any] = json.loads(self.run("stack", "export", "--stack", stack))
        if newer := formats.refusal(entries.format_of(state)):
            raise NewerState(f"stack {stack}", newer)
        if urn := entries.foreign(state):
            raise StateRefused(f"stack {stack}, {entries.name_of(urn)}", formats.FOREIGN)
        return state

    def replace_state(self, stack: str, state: dict[str, Any], *, seen: dict[str, Any] | None = None) -> None:
        """Replace the state of a stack.

        Pulumi refuses an inconsistent state, and any state while a run has locked the stack. `seen` is the
        state from which the new one was derived. Raises StateChanged if the stack has another state now.
        """
        if seen is not None and self.state(stack) != seen:
            raise StateChanged(stack)
        self.run("stack", "import", "--stack", stack, stdin=json.dumps(state))

    def clear_finished_operations(self, stack: str) -> None:
        """Remove the operations of an interrupted run from a state that has all of their resources.

        If a resource is missing, this does nothing, because `pulumi stack import` removes all operations.
        Then nothing would show that an object may have been created. Raises StateChanged.
        """
        state = self.state(stack)
        recorded = {resource["urn"] for resource in deployment.resources(state)}
        pending = deployment.pending_operations(state)
        if pending and all(operation["resource"]["urn"] in recorded for operation in pending):
            cleared = deployment.replaced(state, pending_operations=[])
            self.replace_state(stack, cleared, seen=state)

    def run(self, *arguments: str, stdin: str = "") -> str:
        """Run `pulumi` with these arguments and `stdin` as its input; return its output."""
        what = f"pulumi {' '.join(arguments[:2])}"
        command = find_pulumi()
        if command is None:
            raise PulumiFailed(what, "there is no `pulumi` here; install it with `tenantry install-pulumi`")
        try:
            done = subprocess.run(
                [command, *arguments, "--non-interactive", "--color", "never"],
                cwd=self.root,
                env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true", **self.environment},
                input=stdin,
                capture_output=True,
                encoding="utf-8",
                timeout=self.seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise PulumiFailed(what, f"it did not end within {self.seconds:g} s") from None
        if done.returncode:
            kind = NoSuchStack if done.returncode == NO_SUCH_STACK else PulumiFailed
            raise kind(what, done.stderr, done.returncode)
        return done.stdout
