"""`make dist`: build a source archive and a wheel of the last commit into `dist`, with reproducible bytes.

It builds each of them twice, in different folders and with different machine settings. If the two builds
differ, it fails. So anybody with the commit and the locked packages can verify the published files.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "dist"
CONTENT = ("tenantry", "components", "providers", "pyproject.toml", "README.md", "LICENSE")
"""The content of the package. Links stay links until the source archive, which holds copies."""

BACKEND = "import sys; from setuptools import build_meta; getattr(build_meta, sys.argv[1])(sys.argv[2])"

MACHINES: tuple[tuple[int, Mapping[str, str]], ...] = (
    (0o022, {"TZ": "UTC", "PYTHONHASHSEED": "1", "LC_ALL": "C"}),
    (0o077, {"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "2", "LC_ALL": "C.UTF-8"}),
)
"""The umask and environment of each of the two builds. Their folders and the time differ as well."""


class BuildFailed(Exception):
    """A failed build. The message gives the reason."""


def main() -> int:
    """Build the last commit into `dist`. Return 0 if both builds are the same."""
    try:
        outputs = dist(export, last_commit(), TARGET)
    except BuildFailed as error:
        print(error, file=sys.stderr)
        return 1
    if changed := git("status", "--porcelain", "--", *CONTENT):
        print(f"The build leaves these uncommitted changes out:\n{changed}", file=sys.stderr)
    for file in outputs:
        print(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}")
    return 0


def dist(source: Callable[[Path], None], epoch: int, target: Path) -> list[Path]:
    """Build twice, replace the content of `target` with the files, and return the sorted files.

    `source` fills a folder with the files to build from. `epoch` is the time of all files in the archives, in
    seconds since 1970. Raises BuildFailed.
    """
    with tempfile.TemporaryDirectory() as scratch:
        builds = []
        for number, (umask, environment) in enumerate(MACHINES):
            folder = Path(scratch) / ("a-longer-name" * number or "a")
            folder.mkdir()
            source(folder / "source")
            builds.append(build(folder, epoch, umask, environment))
        first, second = ({file.name: file.read_bytes() for file in files} for files in builds)
        if first.keys() != second.keys():
            raise BuildFailed(f"The two builds have different files: {sorted(first)} and {sorted(second)}.")
        if differing := sorted(name for name in first if first[name] != second[name]):
            raise BuildFailed(
                f"Two builds of the same commit differ in {', '.join(differing)}. No file was kept."
            )
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        return sorted(Path(shutil.copy(file, target)) for file in builds[0])


def build(folder: Path, epoch: int, umask: int, environment: Mapping[str, str]) -> list[Path]:
    """Build the source archive from `folder/source`, then the wheel from the archive. Return both files."""
    env = {**os.environ, **environment, "SOURCE_DATE_EPOCH": str(epoch)}
    outputs = folder / "outputs"
    outputs.mkdir()
    _call("build_sdist", folder / "source", outputs, umask, env)
    [archive] = outputs.glob("*.tar.gz")
    _settle_tar(archive, epoch)
    with tarfile.open(archive) as source_archive:
        source_archive.extractall(folder, filter="data")
    _call("build_wheel", folder / archive.name.removesuffix(".tar.gz"), outputs, umask, env)
    [wheel] = outputs.glob("*.whl")
    _settle_zip(wheel, epoch)
    return [archive, wheel]


def export(folder: Path) -> None:
    """Fill a folder with the package of the last commit."""
    result = subprocess.run(
        ["git", "archive", "--format=tar", "HEAD", *CONTENT], cwd=ROOT, capture_output=True, check=False
    )
    if result.returncode:
        raise BuildFailed(f"git archive: {result.stderr.decode().strip()}")
    with tarfile.open(fileobj=io.BytesIO(result.stdout)) as archive:
        archive.extractall(folder, filter="data")


def last_commit() -> int:
    """Return the time of the last commit."""
    return int(git("log", "-1", "--format=%ct"))


def git(*arguments: str) -> str:
    """Run git in the checkout and return its output. Raises BuildFailed."""
    result = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if result.returncode:
        raise BuildFailed(f"git {arguments[0]}: {result.stderr.strip()}")
    return result.stdout.rstrip()


def _call(hook: str, source: Path, outputs: Path, umask: int, env: Mapping[str, str]) -> None:
    result = subprocess.run(
        [sys.executable, "-c", BACKEND, hook, str(outputs)],
        cwd=source,
        env=env,
        umask=umask,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise BuildFailed(f"{hook}:\n{result.stdout}{result.stderr}")


def _settle_tar(file: Path, epoch: int) -> None:
    """Rewrite a source archive: sort the members by name, and remove users, times and other machine data."""
    with tarfile.open(file) as source_archive:
        members = [(member, source_archive.extractfile(member)) for member in source_archive.getmembers()]
        rewritten = io.BytesIO()
        with tarfile.open(fileobj=rewritten, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for member, content in sorted(members, key=lambda pair: pair[0].name):
                member.mtime, member.pax_headers = epoch, {}
                member.uid = member.gid = 0
                member.uname = member.gname = ""
                member.mode = _mode(member.mode, folder=member.isdir())
                archive.addfile(member, content)
    with file.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=epoch) as compressed:
        compressed.write(rewritten.getvalue())


def _settle_zip(file: Path, epoch: int) -> None:
    """Rewrite a wheel: keep the order of the members, and remove machine data."""
    moment = time.gmtime(max(epoch, 315_532_800))[:6]  # a zip cannot store a time before 1980
    with zipfile.ZipFile(file) as wheel:
        members = [(member, wheel.read(member)) for member in wheel.infolist()]
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for member, content in members:
            info = zipfile.ZipInfo(member.filename, moment)
            info.create_system = 3
            info.external_attr = (stat.S_IFREG | _mode(member.external_attr >> 16)) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content, compresslevel=9)


def _mode(mode: int, *, folder: bool = False) -> int:
    return 0o755 if folder or mode & stat.S_IXUSR else 0o644


if __name__ == "__main__":
    sys.exit(main())
