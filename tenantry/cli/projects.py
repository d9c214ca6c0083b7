"""The project and its stack files, found from the folder in which a command runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer

from tenantry.cli import names
from tenantry.cli.output import fail
from tenantry.settings.project import Project
from tenantry.settings.rules import missing_stack

STACK = typer.Argument(
    metavar="STACK",
    help="Name of the stack: NAME in stacks/Pulumi.NAME.yaml.",
    show_default=False,
    autocompletion=names.stacks,
)


def current_project() -> Project:
    """Return the project of the current folder. The command ends with an error if there is none."""
    project = Project.of(Path.cwd() / "Pulumi.yaml")
    return project or fail(
        "There is no Pulumi.yaml in this folder or above it. Run this command in the folder of your project.",
        code=2,
    )


def running_project() -> Project:
    """Return the project of the current folder, for a command that runs its Pulumi program.

    The command ends with an error if the program runs in another Python environment than the command.
    """
    project = current_project()
    if problem := project.interpreter_problem():
        fail(problem, code=2)
    return project


def root_of(project: Project) -> Path:
    """Return the folder of a project's Pulumi.yaml."""
    return project.file.parent if project.file else project.stacks


def stack_files(project: Project, stacks: Sequence[str], *, every: bool = False) -> dict[str, Path]:
    """Return the files of these stacks, or of all stacks.

    The command ends with an error if a file does not exist.
    """
    files = project.stack_files()
    for name in stacks:
        if problem := missing_stack(name, files, project.stacks):
            fail(problem, code=2)
    if every and not files:
        fail(f"There are no stack files in {project.stacks}.", code=2)
    return files if every else {name: files[name] for name in dict.fromkeys(stacks)}
