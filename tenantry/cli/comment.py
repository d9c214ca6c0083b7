"""`tenantry comment` and `tenantry issue`: the report of a run on GitHub or GitLab."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.cli.commands import add_command
from tenantry.cli.output import echo, fail

if TYPE_CHECKING:
    from tenantry.fleet.forges import Forge

FILE = "A Markdown file, such as report.md. - reads standard input."


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    add_command(app, comment, example="comment --pull-request 12 reports/report.md")
    add_command(app, issue, example='issue --title "Drift at Qlik" reports/report.md')


def comment(
    file: Annotated[Path, typer.Argument(help=FILE)],
    number: Annotated[
        int,
        typer.Option(
            "--pull-request",
            "--merge-request",
            min=1,
            metavar="NUMBER",
            help="Number of the pull or merge request.",
        ),
    ],
    marker: Annotated[
        str, typer.Option(metavar="NAME", help="Name by which a later run finds the comment again.")
    ] = "tenantry preview",
) -> None:
    """Comment on a pull request or merge request.

    Updates the comment if it exists. Reads GITHUB_REPOSITORY and GITHUB_TOKEN, or CI_API_V4_URL,
    CI_PROJECT_ID and GITLAB_TOKEN. The exit code is 2 if they are not set.
    """
    from tenantry.fleet.forges import marker_for

    text = _text(file)
    _post(lambda forge: forge.comment(number, marker_for(marker), text))


def issue(
    title: Annotated[str, typer.Option(help="Title of the issue.")],
    file: Annotated[Path | None, typer.Argument(help=FILE, show_default=False)] = None,
    close: Annotated[bool, typer.Option("--close", help="Close the issue if it is open.")] = False,
    marker: Annotated[
        str, typer.Option(metavar="NAME", help="Name by which a later run finds the issue again.")
    ] = "tenantry issue",
) -> None:
    """Open an issue, update the open one, or close it.

    Reads GITHUB_REPOSITORY and GITHUB_TOKEN, or CI_API_V4_URL, CI_PROJECT_ID and GITLAB_TOKEN. The exit code
    is 2 if they are not set.
    """
    from tenantry.fleet.forges import marker_for

    if not close and file is None:
        fail("Give a file with the text, or --close.", code=2)
    text = None if close or file is None else _text(file)
    _post(lambda forge: forge.issue(marker_for(marker), title, text))


def _text(file: Path) -> str:
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}", code=2)
    except UnicodeDecodeError:
        fail(f"{file} is not UTF-8 text.", code=2)


def _post(send: Callable[[Forge], str]) -> None:
    from tenantry.fleet.forges import ForgeError, NoForge, from_environment

    try:
        url = send(from_environment())
    except NoForge as error:
        fail(str(error), code=2)
    except ForgeError as error:
        fail("", error)
    if url:
        echo(url)
