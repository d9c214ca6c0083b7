"""The Pulumi CLI, its backend, and the passphrase for secrets."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from tenantry.checks.findings import Finding
from tenantry.fleet import troubles
from tenantry.fleet.outcome import Trouble
from tenantry.providers.values.words import counted
from tenantry.pulumi_cli import release
from tenantry.pulumi_cli.steps import SetupError
from tenantry.pulumi_internals import passphrase
from tenantry.settings.document import read
from tenantry.settings.project import Project
from tenantry.state.backend import Backend, PulumiFailed, redacted

INSTALL = "Install it with `tenantry install-pulumi`."
TRIED = 3
"""How many stack files the passphrase is tried on; each takes half a second."""


def told(trouble: Trouble) -> str:
    """Return why a `pulumi` command failed, and what to do about it."""
    return f"{trouble.text}: {trouble.advice}" if trouble.advice else trouble.text


def pulumi_cli(command: str | None) -> Iterator[Finding]:
    """Yield whether there is a Pulumi CLI that is new enough, and its language host."""
    wanted = ".".join(map(str, release.MINIMUM))
    if command is None:
        yield Finding("error", "pulumi", f"there is no Pulumi CLI beside this command or on PATH. {INSTALL}")
        return
    try:
        version = release.version_of(Path(command))
    except SetupError as error:
        yield Finding("error", "pulumi", f"{command} does not work: {redacted(str(error))}")
        return
    shown = f"Pulumi CLI {'.'.join(map(str, version))} at {command}"
    if version < release.MINIMUM:
        yield Finding("error", "pulumi", f"{shown}: {wanted} or newer is needed. {INSTALL}")
        return
    yield Finding("ok", "pulumi", shown)


def language_host(command: str) -> Finding:
    """Tell where the CLI finds what runs Python programs: on PATH first, then beside itself."""
    places = os.pathsep.join((os.environ.get("PATH", os.defpath), *_around(Path(command))))
    for name in release.PLUGINS:
        if shutil.which(name, path=places) is None:
            return Finding("error", "pulumi", f"{name} is missing, which comes with the CLI. {INSTALL}")
    return Finding("ok", "pulumi", f"language host {shutil.which(release.PLUGINS[0], path=places)}")


def _around(command: Path) -> Iterator[str]:
    """Yield the folders in which a CLI has its plugins: its own, and that of what our script starts."""
    from tenantry.pulumi_cli.installation import target_of

    yield str(command.resolve().parent)
    with_script = target_of(command)
    if with_script.exists():
        yield str(with_script.parent)


def backend(root: Path, *, offline: bool) -> Iterator[Finding]:
    """Yield whether the backend answers. Offline, only one that is a folder is asked."""
    address = os.environ.get("PULUMI_BACKEND_URL", "")
    if offline and address and not address.startswith("file://"):
        yield Finding("ok", "backend", f"{redacted(address)}, which was not asked")
        return
    try:
        who = json.loads(Backend(root).run("whoami", "--json"))
        stacks = json.loads(Backend(root).run("stack", "ls", "--json"))
    except PulumiFailed as error:
        trouble = troubles.from_command("", error.said, error.code)
        yield Finding("error", "backend", told(trouble))
        return
    yield Finding(
        "ok",
        "backend",
        f"{redacted(who['url'])} as {who['user']}: {counted(len(stacks), 'stack')} of this project",
    )


def secrets(project: Project) -> Finding:
    """Tell whether there is a passphrase, and whether it fits the stack files that are encrypted with one."""
    salts = _salts(project)
    text, problem = _passphrase()
    if problem:
        return Finding("error", "passphrase", problem)
    if text is None:
        needed = counted(len(salts), "stack file") + " is encrypted with one" if salts else ""
        advice = f"Set {passphrase.VARIABLE} or {passphrase.FILE_VARIABLE}"
        if needed:
            return Finding("error", "passphrase", f"none is set, and {needed}. {advice}.")
        return Finding(
            "warning",
            "passphrase",
            f"none is set. {advice}, unless a service or a key vault encrypts secrets.",
        )
    fits = {name: passphrase.fits(text, salts[name]) for name in list(salts)[:TRIED]}
    files = counted(len(salts), "stack file")
    if wrong := [name for name, fit in fits.items() if fit is False]:
        return Finding("error", "passphrase", f"it is not the one that {wrong[0]} is encrypted with")
    if None in fits.values():
        return Finding("warning", "passphrase", f"set; whether it fits {files} cannot be told")
    return Finding(
        "ok", "passphrase", f"set, and fits {len(fits)} of {files} with secrets" if fits else "set"
    )


def _passphrase() -> tuple[str | None, str]:
    """Return the passphrase, None if there is none, and what is wrong with it."""
    try:
        return passphrase.given(os.environ), ""
    except (OSError, UnicodeDecodeError) as error:
        file = f"{passphrase.FILE_VARIABLE}={os.environ[passphrase.FILE_VARIABLE]}"
        return None, f"{file} cannot be read: {error}"


def _salts(project: Project) -> dict[str, str]:
    """Return what stack files say of the passphrase that they are encrypted with, by the file's name."""
    found = {}
    for file in project.stack_files().values():
        try:
            values = read(file).value
        except OSError:
            continue
        if isinstance(values, dict) and isinstance(salt := values.get("encryptionsalt"), str):
            found[file.name] = salt
    return found
