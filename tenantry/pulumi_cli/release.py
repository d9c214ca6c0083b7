"""Existing Pulumi CLIs: the one on PATH, or the official archive of a release.

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

from tenantry.pulumi_cli.golang import cache_folder
from tenantry.pulumi_cli.steps import SetupError, complete_or_absent, locked, run, step

MINIMUM = (3, 254, 0)
ARCHIVES = "https://get.pulumi.com/releases/sdk/"
CHECKSUMS = Path(__file__).parent / "official.sha256"
"""The known archives with their SHA-256, in the format of `sha256sum`."""

SILENCE_SECONDS = 10
"""How long the server may send nothing."""

CHUNK_BYTES = 1 << 20
PLUGINS = ("pulumi-language-python", "pulumi-resource-pulumi-python")
MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}


class Archive(NamedTuple):
    """An archive of a release: its file name, its version and the SHA-256 of its content."""

    name: str
    version: str
    sha256: str


def known() -> Archive | None:
    """Return the archive for this kind of machine; None if no archive is known."""
    kind = f"{platform.system()}-{MACHINES.get(platform.machine(), platform.machine())}".lower()
    for line in CHECKSUMS.read_text("ascii").splitlines():
        sha256, name = line.split()
        if match := re.fullmatch(rf"pulumi-v([\d.]+)-{re.escape(kind)}\.tar\.gz", name):
            return Archive(name, match[1], sha256)
    return None


def version_of(cli: Path) -> tuple[int, ...]:
    """Return the output of `pulumi version` as numbers. Raises SetupError if it is not a version."""
    with tempfile.TemporaryDirectory() as home:
        output = run(
            [cli, "version"],
            env={"PULUMI_SKIP_UPDATE_CHECK": "true", "PULUMI_HOME": home},
            timeout=60,
            advice=f"Remove {cli.resolve().parent} and run this command again.",
        )
    match = re.search(r"^v?(\d+)\.(\d+)\.(\d+)", output, re.MULTILINE)
    if not match:
        raise SetupError(f"`{cli} version` did not print a version", output=output)
    return tuple(int(part) for part in match.groups())


def on_path(venv_bin: Path, own_mark: str) -> Path | None:
    """Return the Pulumi CLI on PATH if it is new enough and complete.

    `own_mark` identifies our own scripts.
    """
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
        reason = f"{missing[0]} is missing" if missing else f"{wanted} or newer is required"
        print(f"{found} {'.'.join(map(str, version))} is not used: {reason}")
        return None
    return Path(found).absolute()


def installed(cache: Path, archives: str = ARCHIVES) -> Path | None:
    """Return the CLI of the official release. Downloads it into the cache if needed.

    If the download fails, or its SHA-256 is not the one in `official.sha256`, prints why and returns None. It
    does not unpack an archive with another SHA-256.
    """
    archive = known()
    if archive is None:
        print(f"There is no known official Pulumi CLI for {platform.system()} on {platform.machine()}.")
        return None
    home = cache_folder(cache, "pulumi", archive.version, "installed")
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
    """Download a URL to a file. Raises SetupError if the digest does not match."""
    digest = hashlib.sha256()
    try:
        with urllib.request.urlopen(url, timeout=SILENCE_SECONDS) as response, file.open("wb") as target:  # noqa: S310 (a constant, https)
            while chunk := response.read(CHUNK_BYTES):
                digest.update(chunk)
                target.write(chunk)
    except (OSError, ValueError) as error:
        raise SetupError(f"The download failed: {error}.") from None
    if digest.hexdigest() != sha256:
        raise SetupError(
            f"{url} has the SHA-256 {digest.hexdigest()}, but {sha256} is expected.",
            advice="It was not unpacked. Contact your network administrator or the maintainers of Tenantry.",
        )
    return file


def unpack(archive: Path, folder: Path) -> None:
    """Unpack only the programs of a release's archive into a folder."""
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
