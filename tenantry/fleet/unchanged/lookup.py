"""A lookup that tells whether the engine would have anything to do in a stack."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from tenantry.fleet.unchanged import remembered
from tenantry.fleet.unchanged.doubt import Doubt, require
from tenantry.fleet.unchanged.passphrases import check_passphrase
from tenantry.fleet.warm import forks
from tenantry.pulumi_cli.release import version_of
from tenantry.pulumi_cli.steps import SetupError
from tenantry.pulumi_internals import backend_files
from tenantry.pulumi_internals.commands import find_pulumi
from tenantry.pulumi_internals.deployment import State
from tenantry.pulumi_internals.environment import OPTIONS, PYTHON_COMMAND
from tenantry.state.addresses import address_of, folder_of, is_pulumi_cloud
from tenantry.state.backend import Backend, PulumiFailed

TIMEOUT_SECONDS = 60.0
"""The time limit for a comparison. After that, the engine decides."""


BACKEND_VARIABLES = ("PULUMI_BACKEND_URL", "PULUMI_HOME", "HOME")
"""The variables that determine the backend of `pulumi`."""


@dataclass(frozen=True)
class Verdict:
    """How many resources of a stack are unchanged, or None and the reason if the engine has to decide.

    `assumed` is the digest of the assumptions about secrets, empty if there are none.
    """

    same: int | None
    reason: str = ""
    assumed: str = ""


def compare(
    root: Path, stack: str, stack_file: Path, environment: Mapping[str, str], *, preview: bool
) -> Verdict:
    """Return whether an `up` of a stack would change or print anything.

    With `preview`, return the same for a preview. `root` is the folder of the project, and `environment` is
    the whole environment of `pulumi`.
    """
    for name in environment:
        if name == PYTHON_COMMAND or name.startswith(OPTIONS):
            return Verdict(None, f"{name} is set")
    try:
        require(not forks.shadowed(root), "the program has modules with the same names as Tenantry's")
        check_passphrase(stack_file, environment)
        backend = tuple((name, environment.get(name, "")) for name in BACKEND_VARIABLES)
        state = _backend_folder(root, backend) or _exported(root, stack, environment, preview=preview)
        verdict = forks.server().call(
            _compare_here,
            root,
            state,
            stack,
            stack_file,
            _cli_version(find_pulumi() or ""),
            preview,
            folder=root,
            environment=environment,
            seconds=TIMEOUT_SECONDS,
        )
    except (forks.CallFailed, Doubt, PulumiFailed, SetupError, OSError, ValueError) as error:
        return Verdict(None, str(error))
    if not isinstance(verdict, Verdict):
        return Verdict(None, repr(verdict))
    if verdict.assumed and not remembered.holds(root, stack, verdict.assumed):
        return replace(
            verdict, same=None, reason="no `up` on this machine has put these secrets into the state"
        )
    return verdict


def remember(root: Path, stack: str, stack_file: Path, environment: Mapping[str, str]) -> None:
    """Remember the secrets of a stack after the engine's `up`, which has put them into the state."""
    verdict = compare(root, stack, stack_file, environment, preview=True)
    if verdict.assumed:
        remembered.remember(root, stack, verdict.assumed)


@cache
def _cli_version(command: str) -> tuple[int, ...]:
    """Return the version of the Pulumi CLI. It is read once per process. Raises SetupError."""
    return version_of(Path(command))


@cache
def _backend_folder(root: Path, environment: tuple[tuple[str, str], ...]) -> Path | None:
    """Return the folder of the backend, or None for a backend without files.

    It is looked up once per process. Raises Doubt.
    """
    variables = dict(environment)
    address = variables[BACKEND_VARIABLES[0]] or address_of(Backend(root, variables))
    require(not is_pulumi_cloud(address), "Pulumi Cloud knows more about a stack than its state")
    folder = folder_of(address, root)
    require(folder is None or backend_files.is_readable(folder), "the backend has another layout")
    return folder


def _exported(root: Path, stack: str, environment: Mapping[str, str], *, preview: bool) -> State:
    """Export the state from a backend without files. This costs a fifth of a preview, for one `pulumi`.

    The export does not show locks. Raises Doubt and PulumiFailed.
    """
    require(preview, "the stack may be locked")
    return Backend(root, environment).state(stack)


def _compare_here(
    root: Path, state: State | Path, stack: str, stack_file: Path, cli: tuple[int, ...], preview: bool
) -> Verdict:
    """Compare a stack in this process. After any error the engine decides.

    `state` may be the folder of the backend.
    """
    with tempfile.TemporaryFile() as output:
        for stream in (1, 2):
            os.dup2(output.fileno(), stream)
        try:
            same, assumed = _same(root, state, stack, stack_file, cli, preview)
            sys.stdout.flush()
            sys.stderr.flush()
            require(os.fstat(output.fileno()).st_size == 0, "the program or a provider prints something")
        except Doubt as doubt:
            return Verdict(None, str(doubt))
        except BaseException as error:  # noqa: BLE001 (any error of the program, or an unexpected state)
            return Verdict(None, repr(error))
    return Verdict(same, assumed=assumed)


def _same(
    root: Path, state: State | Path, stack: str, stack_file: Path, cli: tuple[int, ...], preview: bool
) -> tuple[int, str]:
    from tenantry.fleet.unchanged.files import check_files
    from tenantry.fleet.unchanged.program import unchanged
    from tenantry.fleet.unchanged.recorded import RecordedState
    from tenantry.fleet.unchanged.secrets import Assumptions
    from tenantry.settings.project import Project

    project = Project.at(root)
    require(project, "there is no Pulumi.yaml")
    assert project is not None  # noqa: S101 (for the type checker)
    if isinstance(state, Path):
        require(preview or not backend_files.may_be_locked(state, project.name, stack), "the stack is locked")
        read = backend_files.read_state(state, project.name, stack)
        require(read, "the state has an unknown form")
        state = read or {}
    recorded = RecordedState.of(state)
    assumptions = Assumptions()
    config = check_files(project, stack_file, recorded, cli, assumptions)
    same = unchanged(root, project.name, stack, recorded, config, assumptions, preview=preview)
    return same, assumptions.digest()
