"""The repository for an operator's customers that `tenantry init` writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from tenantry.errors import TenantryError
from tenantry.providers.qlik import QlikError, hostnames

CI = {"github": ("ci", "github"), "gitlab": ("ci", "gitlab"), "none": ()}
"""The values of `--ci`, and the folders with the files of each."""

RENAMED = {
    "dot-gitignore": ".gitignore",
    "dot-github": ".github",
    "dot-gitlab-ci.yml": ".gitlab-ci.yml",
    "dot-ci": ".ci",
}
"""Files with another name in `files/`, so that no tool uses them there."""

SCHEMA = "stacks/schema.json"
"""The schema of stack files and plans, for editors."""

WORD = re.compile(r"@([A-Z_]+)@")


class NotWritten(TenantryError):
    """A repository or stack file cannot be written; the message says why, and what to do."""


@dataclass(frozen=True)
class Choices:
    """The operator's choices. `name` is the name of the Pulumi project; `requirement` is for pip."""

    name: str
    region: str
    source_tenant: str
    requirement: str
    ci: str = "none"

    def problems(self) -> list[str]:
        """Return the problems of these choices."""
        found = []
        if not re.fullmatch(r"[A-Za-z0-9_.-]{1,100}", self.name):
            found.append(f'"{self.name}" is not a project name: use letters, digits and . _ -')
        try:
            region = hostnames.region(hostnames.checked(self.source_tenant))
        except QlikError as error:
            found.append(str(error))
        else:
            if region != self.region:
                found.append(f"{self.source_tenant} is in region {region}, not in {self.region}")
        if self.ci not in CI:
            found.append(f'"{self.ci}" is not one of {", ".join(CI)}')
        return found


def write(folder: Path, choices: Choices) -> tuple[list[Path], list[Path]]:
    """Write the repository into a folder, which is created if it does not exist.

    Returns the files that were written, and the existing files, which stay unchanged. Raises NotWritten if a
    choice has problems, or if a module in the folder would hide the package `tenantry`.
    """
    if problems := choices.problems():
        raise NotWritten("\n".join(problems))
    for own in ("tenantry", "tenantry.py"):
        if (folder / own).exists():
            raise NotWritten(
                f"{folder / own} has the name of this package, so the program would import it instead. "
                "Rename it, or choose another folder."
            )
    written, kept = [], []
    for name, text in contents(choices):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            with file.open("x", encoding="utf-8") as new:
                new.write(text)
        except FileExistsError:
            kept.append(file)
            continue
        if text.startswith("#!"):
            file.chmod(0o755)
        written.append(file)
    return written, kept


def contents(choices: Choices) -> Iterator[tuple[str, str]]:
    """Yield the path of each file in the repository, and its text."""
    words = {
        "NAME": choices.name,
        "REGION": choices.region,
        "SOURCE_TENANT": choices.source_tenant,
        "REQUIREMENT": choices.requirement,
    }
    root = files("tenantry.starting") / "files"
    for part in ("repository", *CI[choices.ci]):
        for name, file in _walk(root / part):
            yield name, WORD.sub(lambda word: words.get(word[1], word[0]), file.read_text("utf-8"))
    yield SCHEMA, schema()


def schema() -> str:
    """Return the JSON schema of stack files and plans."""
    return (files("tenantry.settings") / "schema.json").read_text("utf-8")


def _walk(folder: Traversable, at: str = "") -> Iterator[tuple[str, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        name = at + RENAMED.get(entry.name, entry.name.removesuffix(".in"))
        if entry.is_dir():
            yield from _walk(entry, f"{name}/")
        else:
            yield name, entry
