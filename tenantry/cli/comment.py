"""`tenantry comment` and `tenantry issue`: what a run says, where people work."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.cli.output import echo, fail

if TYPE_CHECKING:
    from tenantry.fleet.forges import Forge

FILE = "A file with Markdown, such as report.md; - for standard input."


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(comment)
    app.command()(issue)


def comment(
    file: Annotated[Path, typer.Argument(help=FILE)],
    number: Annotated[
        int,
        typer.Option("--pull-request", "--merge-request", min=1, help="Number of the pull or merge request."),
    ],
    marker: Annotated[
        str, typer.Option(help="Name under which the comment is found again.")
    ] = "tenantry preview",
) -> None:
    """Write a comment on a pull request or merge request, or change the one that is there.

    Reads GITHUB_REPOSITORY and GITHUB_TOKEN, or CI_API_V4_URL, CI_PROJECT_ID and GITLAB_TOKEN. Exit code 2 if
    they are not set.
    """
    from tenantry.fleet.forges import hidden

    text = _text(file)
    _say(lambda forge: forge.comment(number, hidden(marker), text))


def issue(
    title: Annotated[str, typer.Option(help="Title of the issue.")],
    file: Annotated[Path | None, typer.Argument(help=FILE, show_default=False)] = None,
    close: Annotated[
        bool, typer.Option("--close", help="All is well: close the issue if one is open.")
    ] = False,
    marker: Annotated[
        str, typer.Option(help="Name under which the issue is found again.")
    ] = "tenantry issue",
) -> None:
    """Open an issue, or change the one that is open; with --close, close it.

    Reads GITHUB_REPOSITORY and GITHUB_TOKEN, or CI_API_V4_URL, CI_PROJECT_ID and GITLAB_TOKEN. Exit code 2 if
    they are not set.
    """
    from tenantry.fleet.forges import hidden

    if not close and file is None:
        fail("Give the file with the text, or --close.", code=2)
    text = None if close or file is None else _text(file)
    _say(lambda forge: forge.issue(hidden(marker), title, text))


def _text(file: Path) -> str:
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}", code=2)
    except UnicodeDecodeError:
        fail(f"{file} is no text in UTF-8.", code=2)


def _say(what: Callable[[Forge], str]) -> None:
    from tenantry.fleet.forges import ForgeError, NoForge, from_environment

    try:
        url = what(from_environment())
    except NoForge as error:
        fail(str(error), code=2)
    except ForgeError as error:
        fail("", error)
    if url:
        echo(url)
