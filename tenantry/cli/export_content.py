"""`tenantry export-content`: copies of what users created in a tenant, before Qlik purges it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.cli.commands import add_command
from tenantry.cli.output import echo, echo_text, fail
from tenantry.cli.progress import READING_FILES, READING_STATES, followed, working
from tenantry.cli.projects import current_project, root_of
from tenantry.cli.reporting import FAILED
from tenantry.cli.running import select_stacks
from tenantry.cli.shared import selection, with_options
from tenantry.providers.values.words import counted
from tenantry.text import for_line, on_one_line

if TYPE_CHECKING:
    from tenantry.exporting.content import Export
    from tenantry.fleet.inventory import StackStatus
    from tenantry.fleet.selection import Criteria

JoinSpaces = Annotated[
    bool,
    typer.Option(
        "--join-spaces",
        help="Temporarily add the bot user to spaces from which it cannot export.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    add_command(app, export_content, "export-content", example="export-content acme --to exports")


@with_options(criteria=selection)
def export_content(
    criteria: Criteria,
    to: Annotated[
        Path,
        typer.Option(
            "--to", metavar="DIR", help="Folder for the exports; each stack gets its own folder inside."
        ),
    ] = Path("exports"),
    join_spaces: JoinSpaces = False,
) -> None:
    """Save the apps, users and groups of tenants to files.

    Writes a folder for each stack. Its index.json lists what was saved and what could not be saved. Apps in
    managed spaces are saved without data, because Qlik does not allow more. A later run downloads only apps
    that have changed. Changes nothing at Qlik without --join-spaces. A stack without a
    tenant is skipped, or an error if you name it. The exit code is 1 if anything could not be saved.
    """
    from tenantry.fleet.inventory import stack_statuses
    from tenantry.fleet.pool import default_jobs
    from tenantry.state.backend import Backend
    from tenantry.state.reading import Reader

    project = current_project()
    with working(READING_FILES):
        members = select_stacks(criteria, project).members
        reader = Reader.of(Backend(root_of(project)), project)
    statuses = list(followed(stack_statuses(reader, members, default_jobs()), READING_STATES, len(members)))
    with_tenant = [status for status in statuses if status.has_tenant]
    failed = [
        status
        for status in statuses
        if status.trouble or (not status.has_tenant and status.member.stack in criteria.names)
    ]
    for status in failed:
        echo(f"{status.member.stack}: {status.trouble or 'it has no tenant'}", err=True)
    saved = export_all(with_tenant, to, join=join_spaces)
    if failed or len(saved) < len(with_tenant):
        raise typer.Exit(FAILED)


def export_all(stacks: Sequence[StackStatus], to: Path, *, join: bool, err: bool = False) -> set[str]:
    """Export the tenants of stacks one after another, and print the result of each.

    `err` prints it on standard error, for a command that prints a report on standard output. Returns the
    stacks whose content is saved completely.
    """
    from tenantry.exporting.content import export
    from tenantry.exporting.folder import ExportRefused
    from tenantry.providers.qlik import Cloud, ConfigurationError, QlikError

    saved: set[str] = set()
    with Cloud.from_environment() as cloud:
        cloud.notify = lambda line: echo_text(line, err=True)
        for status in stacks:
            stack = status.member.stack
            try:
                exported = export(cloud, status.hostname, stack, to, join=join)
            except ConfigurationError as error:
                fail("", error)
            except (ExportRefused, QlikError) as error:
                echo_text(f"{for_line(stack)}: nothing was exported. {error}", err=True)
                continue
            except OSError as error:
                echo(f"{stack}: {error.filename or to} cannot be written: {error.strerror}", err=True)
                continue
            _print(stack, exported, err=err)
            if exported.complete:
                saved.add(stack)
    return saved


def _print(stack: str, exported: Export, *, err: bool) -> None:
    for item in exported.not_saved:
        echo(f"{stack}: not saved: {on_one_line(str(item))}", err=True)
    lists = [counted(number, kind.removesuffix("s")) for kind, number in sorted(exported.counts.items())]
    numbers = [f"{counted(exported.apps, 'app')} ({exported.fetched:,} fetched)", *lists]
    missing = f", {len(exported.not_saved):,} not saved" if exported.not_saved else ""
    echo(f"{stack}: {', '.join(numbers)}{missing}; see {exported.folder / 'index.json'}", err=err)
