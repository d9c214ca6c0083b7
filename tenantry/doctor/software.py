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
TESTED_FILES = 3
"""How many stack files the passphrase is tested on. Each takes half a second."""


def with_advice(trouble: Trouble) -> str:
    """Return the text of a failure, with the next step if there is one."""
    return f"{trouble.text}: {trouble.advice}" if trouble.advice else trouble.text


def pulumi_cli(command: str | None) -> Iterator[Finding]:
    """Yield whether there is a Pulumi CLI that is new enough."""
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
        yield Finding("error", "pulumi", f"{shown}: {wanted} or newer is required. {INSTALL}")
        return
    yield Finding("ok", "pulumi", shown)


def language_host(command: str) -> Finding:
    """Return where the CLI finds its language host for Python: on PATH, or beside the CLI."""
    places = os.pathsep.join((os.environ.get("PATH", os.defpath), *_around(Path(command))))
    for name in release.PLUGINS:
        if shutil.which(name, path=places) is None:
            return Finding("error", "pulumi", f"{name} is missing. It is part of the CLI. {INSTALL}")
    return Finding("ok", "pulumi", f"language host {shutil.which(release.PLUGINS[0], path=places)}")


def _around(command: Path) -> Iterator[str]:
    """Yield the folders with plugins: the folder of the CLI, and of the CLI that our script starts."""
    from tenantry.pulumi_cli.installation import target_of

    yield str(command.resolve().parent)
    with_script = target_of(command)
    if with_script.exists():
        yield str(with_script.parent)


def backend(root: Path, *, offline: bool) -> Iterator[Finding]:
    """Yield whether the backend works. `offline` only tests a backend that is a folder."""
    address = os.environ.get("PULUMI_BACKEND_URL", "")
    if offline and address and not address.startswith("file://"):
        yield Finding("ok", "backend", f"{redacted(address)}, not tested")
        return
    try:
        who = json.loads(Backend(root).run("whoami", "--json"))
        stacks = json.loads(Backend(root).run("stack", "ls", "--json"))
    except PulumiFailed as error:
        trouble = troubles.from_command("", error.output, error.code)
        yield Finding("error", "backend", with_advice(trouble))
        return
    yield Finding(
        "ok",
        "backend",
        f"{redacted(who['url'])} as {who['user']}: {counted(len(stacks), 'stack')} of this project",
    )


def secrets(project: Project) -> Finding:
    """Return whether a passphrase is set, and whether it decrypts the stack files with secrets."""
    salts = _salts(project)
    text, problem = _passphrase()
    if problem:
        return Finding("error", "passphrase", problem)
    if text is None:
        needed = counted(len(salts), "stack file") + " with secrets" if salts else ""
        advice = f"Set {passphrase.VARIABLE} or {passphrase.FILE_VARIABLE}"
        if needed:
            return Finding("error", "passphrase", f"not set, but required for {needed}. {advice}.")
        return Finding(
            "warning",
            "passphrase",
            f"not set. {advice}, unless a service or a key vault encrypts secrets.",
        )
    fits = {name: passphrase.matches(text, salts[name]) for name in list(salts)[:TESTED_FILES]}
    files = counted(len(salts), "stack file")
    if wrong := [name for name, fit in fits.items() if fit is False]:
        return Finding(
            "error",
            "passphrase",
            f"it does not decrypt the secrets of {wrong[0]}. Set the passphrase that encrypted them.",
        )
    if None in fits.values():
        return Finding("warning", "passphrase", f"set, but it could not be tested on {files}")
    return Finding(
        "ok", "passphrase", f"set, and decrypts {len(fits)} of {files} with secrets" if fits else "set"
    )


def _passphrase() -> tuple[str | None, str]:
    """Return the passphrase, None if there is none, and its problem if it cannot be read."""
    try:
        return passphrase.from_environment(os.environ), ""
    except (OSError, UnicodeDecodeError) as error:
        file = f"{passphrase.FILE_VARIABLE}={os.environ[passphrase.FILE_VARIABLE]}"
        return None, f"{file} cannot be read: {error}"


def _salts(project: Project) -> dict[str, str]:
    """Return the encryption salt of each stack file that has one, by file name."""
    found = {}
    for file in project.stack_files().values():
        try:
            values = read(file).value
        except OSError:
            continue
        if isinstance(values, dict) and isinstance(salt := values.get("encryptionsalt"), str):
            found[file.name] = salt
    return found
