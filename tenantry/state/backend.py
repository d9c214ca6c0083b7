"""What Pulumi keeps of a stack, read and written with its own command."""

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

SECONDS = 120.0

_ADDRESS = re.compile(r"://[^\s\"']*")
_PLAIN = re.compile(
    r"(region|endpoint|profile|awssdk|ssl|sslmode|storage_account|domain|protocol|disablessl|disable_https"
    r"|s3forcepathstyle|use_path_style|hostname_immutable)=[\w.:/-]*",
    re.IGNORECASE,
)
"""A parameter of a backend's address that may be seen; any other may hold a password or a token."""


def redacted(text: str) -> str:
    """Return what the command printed without the secrets in addresses, which it repeats in its errors."""
    return _ADDRESS.sub(lambda found: _without_secrets(found[0]), text)


def _without_secrets(address: str) -> str:
    """Hide all up to the last "@", as a password may hold any character but a space or a quotation mark, and
    the values of parameters.
    """
    _, at, rest = address.rpartition("@")
    place, mark, query = rest.partition("?")
    shown = [
        each if _PLAIN.fullmatch(each) else re.sub("=.+", "=***", each, flags=re.DOTALL)
        for each in query.split("&")
    ]
    return f"{'://***@' if at else ''}{place}{mark}{'&'.join(shown)}"


class PulumiFailed(TenantryError):
    """A `pulumi` command did not do its work. `code` is its exit code, None if it did not even run, and
    `said` what it printed.
    """

    def __init__(self, what: str, said: str, code: int | None = None) -> None:
        super().__init__(f"{what}: {redacted(said.strip()) or f'exit code {code}'}")
        self.said, self.code = redacted(said), code


class NoSuchStack(PulumiFailed):
    """The backend that Pulumi is logged in to has no stack of that name."""


class NewerState(PulumiFailed):
    """The state of a stack was written by a newer Tenantry, and must be left alone."""


class StateRefused(PulumiFailed):
    """The state of a stack names code that is none of Tenantry's: the engine must not run on it."""


class StateChanged(PulumiFailed):
    """A stack has another state than the one that was looked at, as another run has ended; nothing was
    written.
    """

    def __init__(self, stack: str) -> None:
        super().__init__(
            f"stack {stack}", "its state has changed meanwhile. Nothing was written: run it again"
        )


@dataclass(frozen=True)
class Backend:
    """The stacks of the project in the folder `root`, in the backend that Pulumi is logged in to.

    `environment` adds to that of this process; `seconds` is the longest that one command may take.
    Every method raises PulumiFailed, and NoSuchStack where there is no such stack.
    """

    root: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    seconds: float = SECONDS

    def outputs(self, stack: str) -> dict[str, Any]:
        """Return the outputs of a stack, secrets hidden; nothing for one that was never up."""
        outputs: dict[str, Any] = json.loads(self.run("stack", "output", "--json", "--stack", stack))
        return outputs

    def stacks(self) -> list[str]:
        """Return the names of the project's stacks."""
        listed = json.loads(self.run("stack", "ls", "--json"))
        return [str(each["name"]).rpartition("/")[2] for each in listed]

    def state(self, stack: str) -> dict[str, Any]:
        """Return the state of a stack, secrets encrypted. Raises NewerState, StateRefused."""
        state: dict[str, Any] = json.loads(self.run("stack", "export", "--stack", stack))
        if newer := formats.refusal(entries.format_of(state)):
            raise NewerState(f"stack {stack}", newer)
        if urn := entries.foreign(state):
            raise StateRefused(f"stack {stack}, {entries.name_of(urn)}", formats.FOREIGN)
        return state

    def replace_state(self, stack: str, state: dict[str, Any], *, seen: dict[str, Any] | None = None) -> None:
        """Put another state in the place of a stack's; Pulumi refuses one that does not hold together, and
        all while a run has the stack locked.

        `seen`: the state that the other was made of. Raises StateChanged if the stack has another one by now.
        """
        if seen is not None and self.state(stack) != seen:
            raise StateChanged(stack)
        self.run("stack", "import", "--stack", stack, given=json.dumps(state))

    def settle(self, stack: str) -> None:
        """Take the operations that a run was cut off at out of a state that has all their resources.

        Where one is missing, nothing is done: `pulumi stack import` takes out every operation, and with it
        what tells that something may have been made. Raises StateChanged.
        """
        state = self.state(stack)
        there = {each["urn"] for each in deployment.resources(state)}
        pending = deployment.pending_operations(state)
        if pending and all(each["resource"]["urn"] in there for each in pending):
            settled = deployment.replaced(state, pending_operations=[])
            self.replace_state(stack, settled, seen=state)

    def run(self, *arguments: str, given: str = "") -> str:
        """Run `pulumi` with these arguments and `given` as its input; return what it printed."""
        what = f"pulumi {' '.join(arguments[:2])}"
        command = find_pulumi()
        if command is None:
            raise PulumiFailed(what, "there is no `pulumi` here; install it with `tenantry install-pulumi`")
        try:
            done = subprocess.run(
                [command, *arguments, "--non-interactive", "--color", "never"],
                cwd=self.root,
                env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true", **self.environment},
                input=given,
                capture_output=True,
                encoding="utf-8",
                timeout=self.seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise PulumiFailed(what, f"no end after {self.seconds:g} s") from None
        if done.returncode:
            kind = NoSuchStack if done.returncode == NO_SUCH_STACK else PulumiFailed
            raise kind(what, done.stderr, done.returncode)
        return done.stdout
