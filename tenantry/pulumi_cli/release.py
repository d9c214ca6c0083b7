"""Pulumi CLIs made by others: the one on PATH, or the vendor's archive of a release.

Source: https://www.pulumi.com/docs/install/versions/
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import tarfile
import tempfile
import urllib.request
from pathlib import Path
from typing import NamedTuple

from tenantry.pulumi_cli.golang import cached_as
from tenantry.pulumi_cli.steps import SetupError, complete_or_absent, locked, run, step

MINIMUM = (3, 254, 0)
ARCHIVES = "https://get.pulumi.com/releases/sdk/"
CHECKSUMS = Path(__file__).parent / "official.sha256"
"""The archives that are known, by the SHA-256 of each, as `sha256sum` writes them."""

SECONDS = 10
"""How long the vendor may be silent."""

CHUNK = 1 << 20
PLUGINS = ("pulumi-language-python", "pulumi-resource-pulumi-python")
MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}


class Archive(NamedTuple):
    """An archive of a release: its name at the vendor, its version and the SHA-256 of its content."""

    name: str
    version: str
    sha256: str


def known() -> Archive | None:
    """Return the archive for this kind of machine; None where there is none whose content is known."""
    kind = f"{platform.system()}-{MACHINES.get(platform.machine(), platform.machine())}".lower()
    for line in CHECKSUMS.read_text("ascii").splitlines():
        sha256, name = line.split()
        if match := re.fullmatch(rf"pulumi-v([\d.]+)-{re.escape(kind)}\.tar\.gz", name):
            return Archive(name, match[1], sha256)
    return None


def version_of(cli: Path) -> tuple[int, ...]:
    """Return what `pulumi version` answers, as numbers. Raises SetupError if that is no version."""
    with tempfile.TemporaryDirectory() as home:
        answer = run(
            [cli, "version"],
            env={"PULUMI_SKIP_UPDATE_CHECK": "true", "PULUMI_HOME": home},
            timeout=60,
            advice=f"Remove {cli.resolve().parent} and run this command again.",
        )
    match = re.search(r"^v?(\d+)\.(\d+)\.(\d+)", answer, re.MULTILINE)
    if not match:
        raise SetupError(f"`{cli} version` names no version", output=answer)
    return tuple(int(part) for part in match.groups())


def on_path(venv_bin: Path, own_mark: str) -> Path | None:
    """Return the Pulumi CLI on PATH, if it is new enough and complete; `own_mark` tells our own wrappers."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    others = os.pathsep.join(folder for folder in folders if folder and Path(folder) != venv_bin)
    found = shutil.which("pulumi", path=others)
    if not found or own_mark.encode() in Path(found).read_bytes()[:200]:
        return None
    try:
        version = version_of(Path(found))
    except SetupError as error:
        print(f"{found} is not used: {error}")
        return None
    beside = f"{others}{os.pathsep}{Path(found).resolve().parent}"
    missing = [plugin for plugin in PLUGINS if not shutil.which(plugin, path=beside)]
    if version < MINIMUM or missing:
        wanted = ".".join(map(str, MINIMUM))
        reason = f"it comes without {missing[0]}" if missing else f"{wanted} or newer is needed"
        print(f"{found} {'.'.join(map(str, version))} is not used: {reason}")
        return None
    return Path(found).absolute()


def installed(cache: Path, archives: str = ARCHIVES) -> Path | None:
    """Return the CLI of the official release, which is fetched into the cache if need be.

    None, with a line that says why, where the vendor cannot be reached or sends something else than what
    `official.sha256` knows: nothing of that is unpacked.
    """
    archive = known()
    if archive is None:
        print(f"No official Pulumi CLI is known for {platform.system()} on {platform.machine()}.")
        return None
    home = cached_as(cache, "pulumi", archive.version, "installed")
    cli = home / "bin" / "pulumi"
    with locked(cache / "pulumi.lock"):
        if cli.exists():
            return cli
        try:
            with (
                step(f"Pulumi CLI {archive.version}: {archives}{archive.name}"),
                complete_or_absent(home) as scratch,
            ):
                file = fetch(archives + archive.name, archive.sha256, scratch / archive.name)
                unpack(file, scratch / "bin")
                file.unlink()
                version_of(scratch / "bin" / "pulumi")
        except SetupError as error:
            print(f"The official Pulumi CLI is not used. {error}")
            return None
    return cli


def fetch(url: str, sha256: str, file: Path) -> Path:
    """Write what a URL answers to a file. Raises SetupError where it is not what the digest says."""
    digest = hashlib.sha256()
    try:
        with urllib.request.urlopen(url, timeout=SECONDS) as answer, file.open("wb") as target:  # noqa: S310 (a constant, https)
            while chunk := answer.read(CHUNK):
                digest.update(chunk)
                target.write(chunk)
    except (OSError, ValueError) as error:
        raise SetupError(f"It cannot be fetched: {error}.") from None
    if digest.hexdigest() != sha256:
        raise SetupError(
            f"{url} has another content than Tenantry knows: SHA-256 {digest.hexdigest()}, not {sha256}.",
            advice="It was not unpacked. Tell your network's administrator, or Tenantry's maintainers.",
        )
    return file


def unpack(archive: Path, folder: Path) -> None:
    """Put the programs of a release's archive into a folder, and nothing else of it."""
    folder.mkdir()
    try:
        with tarfile.open(archive) as packed:
            for member in packed:
                name = re.fullmatch(r"pulumi/([\w.-]+)", member.name)
                content = packed.extractfile(member) if member.isfile() else None
                if name is None or content is None:
                    continue
                with (folder / name[1]).open("wb") as target:
                    shutil.copyfileobj(content, target)
                (folder / name[1]).chmod(0o755)
    except tarfile.TarError as error:
        raise SetupError(f"{archive.name} cannot be unpacked: {error}.") from None
