"""What has changed since a commit, and which stacks that is about."""

from __future__ import annotations

import hashlib
import os
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import tenantry
from tenantry.errors import TenantryError
from tenantry.fleet.members import Member
from tenantry.settings.project import Project

DEPENDENCY_FILES = frozenset(
    {
        "Pulumi.yaml",
        "Pulumi.yml",
        "requirements.in",
        "requirements.txt",
        "requirements.lock",
        "constraints.txt",
        "pyproject.toml",
        "pylock.toml",
        "uv.lock",
        "poetry.lock",
        "pdm.lock",
        "Pipfile",
        "Pipfile.lock",
    }
)
"""Files at the top of a project in which the version of Tenantry, or of what it needs, may stand."""

PROGRAM_PATHS = (
    ("components",),
    ("providers",),
    ("tenantry", "__init__.py"),
    ("tenantry", "pulumi_internals"),
    ("tenantry", "errors.py"),
    ("tenantry", "garbage.py"),
    ("tenantry", "settings"),
    ("tenantry", "text.py"),
)
"""What a `pulumi` run imports in Tenantry's own repository, beside `__main__.py` at its top."""

INSTALLED_PACKAGE = Path(tenantry.__file__).parent
"""The package that a run imports in any other project."""

SKIPPED_PREFIXES = (".", "__pycache__", "node_modules")
"""How the names of folders begin in which no code of a project is."""


class UnknownRef(TenantryError):
    """What was to be compared with is no commit, or this is no git checkout; the message is one line."""


@dataclass(frozen=True)
class Changes:
    """The files of the repository that differ from a commit, added and removed ones included, as absolute
    paths; a link or a submodule that leads elsewhere now is one of them.

    `own` are those of the project, `code` those among them that the program is made of: a change of these is
    one of every stack. `removed` are the stacks whose file is gone.
    """

    ref: str
    files: frozenset[Path] = frozenset()
    own: frozenset[Path] = frozenset()
    code: tuple[Path, ...] = ()
    removed: tuple[str, ...] = ()

    def touch(self, member: Member, others: frozenset[Path] = frozenset()) -> bool:
        """Whether anything that the settings of a stack are read from has changed.

        Nobody knows what all a broken file leads to: then any of the project's counts but `others`, the files
        of stacks.
        """
        if any(self._touches(path) for path in member.files or (member.file,)):
            return True
        return bool(member.broken and self.own - set(self.code) - (others - {member.file.resolve()}))

    def _touches(self, path: Path) -> bool:
        """Whether a file has changed, or anything in a folder."""
        if not self.files.isdisjoint(paths_to(path)):
            return True
        return path.is_dir() and any(path.resolve() in file.parents for file in self.files)


@cache
def paths_to(file: Path) -> frozenset[Path]:
    """Return all paths on the way to a file: its own and those of its folders, before and after each link."""
    found: set[Path] = set()
    path = Path(os.path.abspath(file))
    while path not in found:
        found.update((path, *path.parents))
        link = next((place for place in (*reversed(path.parents), path) if place.is_symlink()), None)
        if link is not None:
            path = Path(os.path.normpath(link.parent / link.readlink() / path.relative_to(link)))
    return frozenset(found)


def since(ref: str, project: Project, root: Path) -> Changes:
    """Return what differs between this working tree and the commit from which it and `ref` went apart.

    Raises UnknownRef.
    """
    root = root.resolve()
    checkout = is_checkout(root)
    base = merge_base(ref, root)
    top = Path(git(root, "rev-parse", "--show-toplevel").removesuffix("\n"))
    listed = git(root, "diff", "--name-only", "--no-renames", "--no-relative", "-z", base, "--", ":/")
    new = git(root, "ls-files", "--others", "--exclude-standard", "--full-name", "-z", "--", ":/")
    files = frozenset(top / name for name in (listed + new).split("\0") if name)
    stacks = project.stacks.resolve()
    inside = frozenset(path for path in files if path.is_relative_to(root))
    removed = [path for path in files if path.parent == stacks and not path.exists()]
    return Changes(
        ref,
        files,
        inside | {path for path in files if path.is_relative_to(stacks)},
        tuple(sorted(path for path in inside if is_code(path.relative_to(root), checkout=checkout))),
        tuple(sorted(name for path in removed if (name := stack_name(path)))),
    )


def stack_name(path: Path) -> str:
    """Return the stack that a file of that name is of, or nothing."""
    name = path.name
    is_stack = name.startswith("Pulumi.") and name.endswith(".yaml") and name != "Pulumi.yaml"
    return name.removeprefix("Pulumi.").removesuffix(".yaml") if is_stack else ""


def is_code(path: Path, *, checkout: bool = False) -> bool:
    """Tell whether a file, by its path in the project, is one that the program is made of.

    In an operator's repository that is any Python file, as nobody knows what their program imports. In
    Tenantry's own, `checkout`, it is known.
    """
    if path.name in DEPENDENCY_FILES:
        return len(path.parts) == 1
    if path.suffix != ".py" or path.parts[0].startswith("."):
        return False
    if not checkout or len(path.parts) == 1:
        return True
    return any(path.parts[: len(place)] == place for place in PROGRAM_PATHS)


def is_checkout(root: Path) -> bool:
    """Tell whether a project is Tenantry's own repository."""
    return (root / "tenantry" / "__init__.py").is_file()


def code_digest(root: Path) -> str:
    """Return what tells the code of a project, with the packages that it asks for and the Tenantry that is
    installed, from any other.

    That is read as well, since an upgrade in place may change no file of the project.
    """
    root = root.resolve()
    checkout = is_checkout(root)
    total = hashlib.sha256()
    if not checkout:
        for file in package_files(INSTALLED_PACKAGE):
            total.update(f"{file.relative_to(INSTALLED_PACKAGE.parent)}\0".encode())
            total.update(file.read_bytes())
    for folder, folders, files in os.walk(root):
        at = Path(folder).relative_to(root)
        folders[:] = sorted(name for name in folders if not name.startswith(SKIPPED_PREFIXES))
        for name in sorted(files):
            if is_code(at / name, checkout=checkout) and (root / at / name).is_file():
                total.update(f"{at / name}\0".encode())
                total.update((root / at / name).read_bytes())
    return total.hexdigest()[:16]


def package_files(package: Path) -> list[Path]:
    """Return the files of the package `tenantry` in a folder that a `pulumi` run imports, sorted."""
    found = [file for place in PROGRAM_PATHS if (file := package / place[-1]).is_file()]
    for place in PROGRAM_PATHS:
        # Walked and not globbed: in a checkout the folder may be a link, which a glob does not follow.
        for folder, folders, files in os.walk(package / place[-1]):
            folders[:] = [name for name in folders if not name.startswith(SKIPPED_PREFIXES)]
            found += [Path(folder, name) for name in files if name.endswith(".py")]
    return sorted(found)


def merge_base(ref: str, root: Path) -> str:
    """Return the commit from which this checkout and `ref` went apart. Raises UnknownRef."""
    if ref.startswith("-"):
        raise UnknownRef(f"{ref!r} is no commit")
    git(root, "rev-parse", "--git-dir")
    try:
        git(root, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
    except UnknownRef:
        raise UnknownRef(
            f"there is no commit {ref!r} here; where only a part of the history was fetched, fetch all of it "
            "(`git fetch --unshallow`, `fetch-depth: 0`)"
        ) from None
    try:
        return git(root, "merge-base", ref, "HEAD").strip()
    except UnknownRef:
        raise UnknownRef(f"{ref} and this checkout have no commit in common") from None


def git(root: Path, *arguments: str) -> str:
    """Run git in a folder and return what it prints. Raises UnknownRef with git's own words."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",  # names of files may be any bytes
            check=False,
        )
    except OSError as error:
        raise UnknownRef(f"git cannot be run: {error.strerror}") from None
    if done.returncode:
        raise UnknownRef(f"git {arguments[0]}: {' '.join(done.stderr.split()) or done.returncode}")
    return done.stdout
