"""The repository as one archive, with everything that jobs on a worker need, and without credentials.

In a git repository, the bundle has the tracked files and the untracked files that git does not ignore.
Elsewhere it has the project's folder without environments, caches and states. Links become copies of their
targets. Files outside of the repository and files that look like credentials are left out and listed.
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
"""The maximum total size of the files in a bundle."""

EXCLUDED_FOLDERS = frozenset({".git", ".pulumi", ".venv", "__pycache__", "node_modules", ".ssh", ".aws"})
"""Folders that are never part of a bundle, even if git tracks them."""

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
"""Names of files that usually contain credentials."""

PRIVATE_KEY = b"PRIVATE KEY-----"
KEY_SEARCH_BYTES = 64 * 1024
"""How much of each file is searched for a private key."""


@dataclass(frozen=True)
class Bundle:
    """A repository in an archive.

    `top` is its folder on this machine, and `names` are the files in the archive. `left_out` are the other
    files, with the reason.
    """

    top: Path
    archive: bytes
    names: frozenset[str]
    left_out: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """The SHA-256 of the archive."""
        return digest(self.archive)

    def path_in_bundle(self, path: Path) -> str:
        """Return the path in the bundle for a file or folder of this machine. Raises BundleRefused."""
        real = path.parent.resolve() / path.name if path.name else path.resolve()
        if not real.is_relative_to(self.top):
            raise BundleRefused(f"{path} is outside of the repository {self.top}, so workers cannot get it")
        name = real.relative_to(self.top).as_posix()
        if name not in self.names and not real.is_dir():
            raise BundleRefused(f"{path} is not in the bundle: git ignores it, or it looks like a credential")
        return name


def digest(archive: bytes) -> str:
    """Return the SHA-256 of an archive."""
    return hashlib.sha256(archive).hexdigest()


def pack(root: Path) -> Bundle:
    """Return the bundle for the repository around a project's folder. Raises BundleRefused."""
    top, names = _list_files(root.resolve())
    left_out: list[str] = []
    files = dict(_select_files(top, sorted(set(names)), left_out))
    size = sum(file.stat().st_size for file in files.values())
    if size > MAX_BYTES:
        largest = max(files, key=lambda name: files[name].stat().st_size)
        raise BundleRefused(
            f"the repository {top} has {size >> 20} MiB, the limit for workers is {MAX_BYTES >> 20} MiB; "
            f"its largest file is {largest}"
        )
    try:
        archive = _create_archive(files)
    except OSError as error:
        raise BundleRefused(f"{error.filename}: {error.strerror}") from None
    return Bundle(top, archive, frozenset(files), tuple(left_out))


def unpack(archive: bytes, sha256: str, folder: Path) -> None:
    """Unpack a bundle into a new folder. Raises BundleRefused, OSError.

    Refuses the whole bundle unless every entry is a regular file whose path stays in the folder.
    """
    if digest(archive) != sha256:
        raise BundleRefused(f"the bundle does not match its SHA-256 {sha256[:16]}…")
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new_folder = Path(tempfile.mkdtemp(prefix="new-", dir=folder.parent))
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
            total = 0
            for member in tar:
                path = PurePosixPath(member.name)
                total += member.size
                if not member.isreg() or path.is_absolute() or ".." in path.parts or total > MAX_BYTES:
                    raise BundleRefused(f"the bundle has an entry that is not allowed: {member.name!r}")
                source = tar.extractfile(member)
                assert source is not None  # noqa: S101 (a regular file has content)
                target = new_folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("xb") as file:
                    shutil.copyfileobj(source, file)
                target.chmod(0o755 if member.mode & stat.S_IXUSR else 0o644)
        new_folder.rename(folder)
    except (tarfile.TarError, EOFError, gzip.BadGzipFile) as error:
        raise BundleRefused(f"the bundle cannot be unpacked: {error}") from None
    finally:
        shutil.rmtree(new_folder, ignore_errors=True)


def _list_files(root: Path) -> tuple[Path, Sequence[str]]:
    """Return the repository's folder, and the names of the files in it that may be in the bundle."""
    try:
        top = Path(git(root, "rev-parse", "--show-toplevel").removesuffix("\n"))
    except UnknownRef:
        return root, list(_folder_files(root))
    return top, list(_git_files(top, ""))


def _git_files(top: Path, prefix: str) -> Iterator[str]:
    output = git(top / prefix, "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    for name in filter(None, output.split("\0")):
        path = top / prefix / name
        if path.is_dir() and not path.is_symlink():  # a submodule
            yield from _git_files(top, f"{prefix}{name.removesuffix('/')}/")
        else:
            yield f"{prefix}{name}"


def _folder_files(root: Path) -> Iterator[str]:
    for folder, folders, files in os.walk(root):
        current = Path(folder)
        links = [name for name in folders if (current / name).is_symlink()]
        folders[:] = [
            name
            for name in folders
            if not name.startswith(SKIPPED_PREFIXES)
            and name not in links
            and not (current / name / "pyvenv.cfg").exists()
        ]
        for name in (*files, *links):
            yield (current / name).relative_to(root).as_posix()


def _select_files(top: Path, names: Sequence[str], left_out: list[str]) -> Iterator[tuple[str, Path]]:
    """Yield the names and files of a bundle. Add the names of other files to `left_out`."""
    linked: list[tuple[str, Path]] = []
    files: dict[str, Path] = {}
    for name in names:
        path = top / name
        if not EXCLUDED_FOLDERS.isdisjoint(PurePosixPath(name).parts[:-1]):
            continue
        real = path.resolve()
        if not real.is_relative_to(top):
            left_out.append(f"{name} (outside of the repository)")
        elif real.is_dir():
            linked.append((name, real))
        elif real.is_file() and (PurePosixPath(name).name not in EXCLUDED_FOLDERS):
            if _is_credential(real, name):
                left_out.append(f"{name} (looks like a credential)")
            else:
                files[name] = real
    yield from files.items()
    for name, real in linked:
        prefix = f"{real.relative_to(top).as_posix()}/"
        for inner_name, file in files.items():
            if inner_name.startswith(prefix):
                yield f"{name}/{inner_name.removeprefix(prefix)}", file


def _is_credential(path: Path, name: str) -> bool:
    if any(fnmatch(PurePosixPath(name).name, pattern) for pattern in CREDENTIAL_FILES):
        return True
    with path.open("rb") as file:
        return PRIVATE_KEY in file.read(KEY_SEARCH_BYTES)


def _create_archive(files: Mapping[str, Path]) -> bytes:
    """Return an archive of the files.

    Its bytes depend only on the names, the content and the executable bits of the files.
    """
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0, compresslevel=6) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name in sorted(files):
            content = files[name].read_bytes()
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mode = 0o755 if os.access(files[name], os.X_OK) else 0o644
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
