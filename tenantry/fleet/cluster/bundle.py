"""The repository as one archive: what jobs on a worker need, and no credentials.

In a git repository it holds the tracked files and those that git does not ignore, elsewhere the project's
folder without environments, caches and states. A link becomes what it leads to. What leads out of the
repository, and what looks like a credential, is left out and named.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import shutil
import stat
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from tenantry.fleet.changes import SKIPPED_PREFIXES, UnknownRef, git
from tenantry.fleet.cluster.errors import BundleRefused

MAX_BYTES = 256 * 1024 * 1024
"""The largest that all files of a bundle may be together."""

EXCLUDED_FOLDERS = frozenset({".git", ".pulumi", ".venv", "__pycache__", "node_modules", ".ssh", ".aws"})
"""Folders whose content is in no bundle, whatever git says of it."""

CREDENTIAL_FILES = (
    ".env",
    ".env.*",
    ".envrc",
    ".netrc",
    ".npmrc",
    ".pypirc",
    ".git-credentials",
    "credentials.json",
    "*.key",
    "*.p12",
    "*.pfx",
)
"""Names of files that are made to hold credentials."""

PRIVATE_KEY = b"PRIVATE KEY-----"
KEY_SEARCH_BYTES = 64 * 1024
"""So much of a file is searched for a private key."""


@dataclass(frozen=True)
class Bundle:
    """A repository in an archive. `top` is its folder here, `names` are the files in it.

    `left_out` are those that are not, and why.
    """

    top: Path
    archive: bytes
    names: frozenset[str]
    left_out: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """What tells it from every other."""
        return digest(self.archive)

    def path_in_bundle(self, path: Path) -> str:
        """Return where a file or folder of this machine is in the bundle. Raises BundleRefused."""
        real = path.parent.resolve() / path.name if path.name else path.resolve()
        if not real.is_relative_to(self.top):
            raise BundleRefused(f"{path} is outside of the repository {self.top}: no worker can have it")
        name = real.relative_to(self.top).as_posix()
        is_there = name in self.names or real.is_dir()
        if not is_there:
            raise BundleRefused(f"{path} is not in the bundle: git ignores it, or it looks like a credential")
        return name


def digest(archive: bytes) -> str:
    """Return the SHA-256 of an archive."""
    return hashlib.sha256(archive).hexdigest()


def pack(root: Path) -> Bundle:
    """Return the repository around a project's folder. Raises BundleRefused."""
    top, listed = _listed(root.resolve())
    left_out: list[str] = []
    files = dict(_chosen(top, sorted(set(listed)), left_out))
    size = sum(file.stat().st_size for file in files.values())
    if size > MAX_BYTES:
        largest = max(files, key=lambda name: files[name].stat().st_size)
        raise BundleRefused(
            f"the repository {top} is {size >> 20} MiB, more than the {MAX_BYTES >> 20} that are sent to "
            f"workers; its largest file is {largest}"
        )
    try:
        archive = _archived(files)
    except OSError as error:
        raise BundleRefused(f"{error.filename}: {error.strerror}") from None
    return Bundle(top, archive, frozenset(files), tuple(left_out))


def unpack(archive: bytes, sha256: str, folder: Path) -> None:
    """Put the files of a bundle into a folder that is not there yet. Raises BundleRefused, OSError.

    Only regular files whose path stays in the folder are taken; anything else refuses the whole.
    """
    if digest(archive) != sha256:
        raise BundleRefused(f"the bundle does not match its SHA-256 {sha256[:16]}…")
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix="new-", dir=folder.parent))
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as opened:
            total = 0
            for member in opened:
                place = PurePosixPath(member.name)
                total += member.size
                if not member.isreg() or place.is_absolute() or ".." in place.parts or total > MAX_BYTES:
                    raise BundleRefused(f"the bundle holds {member.name!r}, which is no file of a repository")
                source = opened.extractfile(member)
                assert source is not None  # noqa: S101 (a regular file has content)
                target = new / place
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("xb") as file:
                    shutil.copyfileobj(source, file)
                target.chmod(0o755 if member.mode & stat.S_IXUSR else 0o644)
        new.rename(folder)
    except (tarfile.TarError, EOFError, gzip.BadGzipFile) as error:
        raise BundleRefused(f"the bundle cannot be unpacked: {error}") from None
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _listed(root: Path) -> tuple[Path, Sequence[str]]:
    """Return the folder that a bundle is of, and the names of the files in it that count."""
    try:
        top = Path(git(root, "rev-parse", "--show-toplevel").removesuffix("\n"))
    except UnknownRef:
        return root, list(_walked(root))
    return top, list(_in_git(top, ""))


def _in_git(top: Path, before: str) -> Iterator[str]:
    told = git(top / before, "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    for name in filter(None, told.split("\0")):
        path = top / before / name
        if path.is_dir() and not path.is_symlink():  # a submodule
            yield from _in_git(top, f"{before}{name.removesuffix('/')}/")
        else:
            yield f"{before}{name}"


def _walked(root: Path) -> Iterator[str]:
    for folder, folders, files in os.walk(root):
        at = Path(folder)
        links = [name for name in folders if (at / name).is_symlink()]
        folders[:] = [
            name
            for name in folders
            if not name.startswith(SKIPPED_PREFIXES)
            and name not in links
            and not (at / name / "pyvenv.cfg").exists()
        ]
        for name in (*files, *links):
            yield (at / name).relative_to(root).as_posix()


def _chosen(top: Path, names: Sequence[str], left_out: list[str]) -> Iterator[tuple[str, Path]]:
    """Yield the names and files of a bundle; the name of what is left out is added to `left_out`."""
    linked: list[tuple[str, Path]] = []
    files: dict[str, Path] = {}
    for name in names:
        path = top / name
        if not EXCLUDED_FOLDERS.isdisjoint(PurePosixPath(name).parts[:-1]):
            continue
        real = path.resolve()
        if not real.is_relative_to(top):
            left_out.append(f"{name} (leads out of the repository)")
        elif real.is_dir():
            linked.append((name, real))
        elif real.is_file() and (PurePosixPath(name).name not in EXCLUDED_FOLDERS):
            if _is_credential(real, name):
                left_out.append(f"{name} (looks like a credential)")
            else:
                files[name] = real
    yield from files.items()
    for name, real in linked:
        before = f"{real.relative_to(top).as_posix()}/"
        for inside, file in files.items():
            if inside.startswith(before):
                yield f"{name}/{inside.removeprefix(before)}", file


def _is_credential(path: Path, name: str) -> bool:
    if any(fnmatch(PurePosixPath(name).name, pattern) for pattern in CREDENTIAL_FILES):
        return True
    with path.open("rb") as file:
        return PRIVATE_KEY in file.read(KEY_SEARCH_BYTES)


def _archived(files: Mapping[str, Path]) -> bytes:
    """Return an archive whose bytes depend on names, content and whether a file may be run alone."""
    held = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=held, mode="wb", mtime=0, compresslevel=6) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name in sorted(files):
            content = files[name].read_bytes()
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mode = 0o755 if os.access(files[name], os.X_OK) else 0o644
            archive.addfile(entry, io.BytesIO(content))
    return held.getvalue()
