"""Stacks as commands name them: the project is the one around the folder that the command runs in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer

from tenantry.cli import names
from tenantry.cli.output import fail
from tenantry.settings.project import Project
from tenantry.settings.rules import missing_stack

STACK = typer.Argument(
    help="Name of the stack: the NAME of stacks/Pulumi.NAME.yaml.",
    show_default=False,
    autocompletion=names.stacks,
)


def current_project() -> Project:
    """Return the project around the current folder; the command ends where there is none."""
    project = Project.of(Path.cwd() / "Pulumi.yaml")
    return project or fail(
        "There is no Pulumi.yaml here or above: run this in the folder of your project.", code=2
    )


def running_project() -> Project:
    """Return the project around the current folder for a command that runs its program.

    The command ends where it runs in another Python environment than the program does.
    """
    project = current_project()
    if problem := project.interpreter_problem():
        fail(problem, code=2)
    return project


def root_of(project: Project) -> Path:
    """Return the folder of a project's Pulumi.yaml."""
    return project.file.parent if project.file else project.stacks


def stack_files(project: Project, wanted: Sequence[str], *, every: bool = False) -> dict[str, Path]:
    """Return the files of these stacks, or of every one; the command ends where there is no such file."""
    files = project.stack_files()
    for name in wanted:
        if wrong := missing_stack(name, files, project.stacks):
            fail(wrong, code=2)
    if every and not files:
        fail(f"There are no stack files in {project.stacks}.", code=2)
    return files if every else {name: files[name] for name in dict.fromkeys(wanted)}
