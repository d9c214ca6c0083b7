"""The changes since a commit, and the stacks that they affect."""

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
"""Files at the top of a project that can set the version of Tenantry or of its dependencies."""

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
"""The paths in Tenantry's own repository that a `pulumi` run imports, besides `__main__.py`."""

INSTALLED_PACKAGE = Path(tenantry.__file__).parent
"""The package that a run imports in all other projects."""

SKIPPED_PREFIXES = (".", "__pycache__", "node_modules")
"""Prefixes of folder names. Such folders contain no code of a project."""


class UnknownRef(TenantryError):
    """The reference does not name a commit, or this is not a git checkout. The message is one line."""


@dataclass(frozen=True)
class Changes:
    """The files of the repository that differ from a commit, as absolute paths.

    `files` includes added and removed files, and links or submodules with a new target. `own` are the files
    of the project. `code` are the files of `own` that belong to the program. A change of these affects every
    stack. `removed` are the stacks whose file was removed.
    """

    ref: str
    files: frozenset[Path] = frozenset()
    own: frozenset[Path] = frozenset()
    code: tuple[Path, ...] = ()
    removed: tuple[str, ...] = ()

    def affects(self, member: Member, others: frozenset[Path] = frozenset()) -> bool:
        """Tell whether the changes affect the settings of a stack.

        The references of a broken file to other files are unknown. For a broken file, every changed file of
        the project counts, except `others`, the files of other stacks.
        """
        if any(self._includes(path) for path in member.files or (member.file,)):
            return True
        return bool(member.broken and self.own - set(self.code) - (others - {member.file.resolve()}))

    def _includes(self, path: Path) -> bool:
        """Tell whether a file, or any file in a folder, has changed."""
        if not self.files.isdisjoint(paths_to(path)):
            return True
        return path.is_dir() and any(path.resolve() in file.parents for file in self.files)


@cache
def paths_to(file: Path) -> frozenset[Path]:
    """Return all paths that lead to a file: the file and its folders, before and after each link."""
    paths: set[Path] = set()
    path = Path(os.path.abspath(file))
    while path not in paths:
        paths.update((path, *path.parents))
        link = next((part for part in (*reversed(path.parents), path) if part.is_symlink()), None)
        if link is not None:
            path = Path(os.path.normpath(link.parent / link.readlink() / path.relative_to(link)))
    return frozenset(paths)


def since(ref: str, project: Project, root: Path) -> Changes:
    """Return the changes of this working tree since the merge base of `HEAD` and `ref`.

    Raises UnknownRef.
    """
    root = root.resolve()
    checkout = is_checkout(root)
    base = merge_base(ref, root)
    top = Path(git(root, "rev-parse", "--show-toplevel").removesuffix("\n"))
    changed_names = git(root, "diff", "--name-only", "--no-renames", "--no-relative", "-z", base, "--", ":/")
    untracked_names = git(root, "ls-files", "--others", "--exclude-standard", "--full-name", "-z", "--", ":/")
    files = frozenset(top / name for name in (changed_names + untracked_names).split("\0") if name)
    stacks = project.stacks.resolve()
    own_files = frozenset(path for path in files if path.is_relative_to(root))
    removed = [path for path in files if path.parent == stacks and not path.exists()]
    return Changes(
        ref,
        files,
        own_files | {path for path in files if path.is_relative_to(stacks)},
        tuple(sorted(path for path in own_files if is_code(path.relative_to(root), checkout=checkout))),
        tuple(sorted(name for path in removed if (name := stack_name(path)))),
    )


def stack_name(path: Path) -> str:
    """Return the stack to which a file of this name belongs, or an empty string."""
    name = path.name
    is_stack = name.startswith("Pulumi.") and name.endswith(".yaml") and name != "Pulumi.yaml"
    return name.removeprefix("Pulumi.").removesuffix(".yaml") if is_stack else ""


def is_code(path: Path, *, checkout: bool = False) -> bool:
    """Tell whether a file belongs to the program. `path` is relative to the project.

    In a customer's repository, every Python file counts as part of the program, because its imports are
    unknown. In Tenantry's own repository (`checkout`), the imports are known.
    """
    if path.name in DEPENDENCY_FILES:
        return len(path.parts) == 1
    if path.suffix != ".py" or path.parts[0].startswith("."):
        return False
    if not checkout or len(path.parts) == 1:
        return True
    return any(path.parts[: len(prefix)] == prefix for prefix in PROGRAM_PATHS)


def is_checkout(root: Path) -> bool:
    """Tell whether a project is Tenantry's own repository."""
    return (root / "tenantry" / "__init__.py").is_file()


def code_digest(root: Path) -> str:
    """Return a digest of the project's code, its dependency files and the installed Tenantry.

    It includes the installed package, because an upgrade in place may change no file of the project.
    """
    root = root.resolve()
    checkout = is_checkout(root)
    digest = hashlib.sha256()
    if not checkout:
        for file in package_files(INSTALLED_PACKAGE):
            digest.update(f"{file.relative_to(INSTALLED_PACKAGE.parent)}\0".encode())
            digest.update(file.read_bytes())
    for folder, folders, files in os.walk(root):
        relative_folder = Path(folder).relative_to(root)
        folders[:] = sorted(name for name in folders if not name.startswith(SKIPPED_PREFIXES))
        for name in sorted(files):
            if (
                is_code(relative_folder / name, checkout=checkout)
                and (root / relative_folder / name).is_file()
            ):
                digest.update(f"{relative_folder / name}\0".encode())
                digest.update((root / relative_folder / name).read_bytes())
    return digest.hexdigest()[:16]


def package_files(package: Path) -> list[Path]:
    """Return the files in a `tenantry` package that a `pulumi` run imports, sorted."""
    modules = [file for path in PROGRAM_PATHS if (file := package / path[-1]).is_file()]
    for path in PROGRAM_PATHS:
        # In a checkout the folder may be a link, which `os.walk` follows and `glob` does not.
        for folder, folders, files in os.walk(package / path[-1]):
            folders[:] = [name for name in folders if not name.startswith(SKIPPED_PREFIXES)]
            modules += [Path(folder, name) for name in files if name.endswith(".py")]
    return sorted(modules)


def merge_base(ref: str, root: Path) -> str:
    """Return the merge base of this checkout and `ref`. Raises UnknownRef."""
    if ref.startswith("-"):
        raise UnknownRef(f"{ref!r} is not a commit")
    git(root, "rev-parse", "--git-dir")
    try:
        git(root, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
    except UnknownRef:
        raise UnknownRef(
            f"there is no commit {ref!r} here; if this is a shallow clone, fetch the whole history "
            "(`git fetch --unshallow`, or `fetch-depth: 0` in CI)"
        ) from None
    try:
        return git(root, "merge-base", ref, "HEAD").strip()
    except UnknownRef:
        raise UnknownRef(f"{ref} and this checkout have no commit in common") from None


def git(root: Path, *arguments: str) -> str:
    """Run git in a folder and return its output. Raises UnknownRef with git's error message."""
    try:
        process = subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",  # a file name may contain any bytes
            check=False,
        )
    except OSError as error:
        raise UnknownRef(f"git cannot run: {error.strerror}") from None
    if process.returncode:
        raise UnknownRef(f"git {arguments[0]}: {' '.join(process.stderr.split()) or process.returncode}")
    return process.stdout
