"""`tenantry export-content`: what users made in a tenant, saved in a folder before the tenant is purged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.cli.output import echo, echo_text, fail
from tenantry.cli.progress import READING_FILES, READING_STATES, followed, working
from tenantry.cli.projects import current_project, root_of
from tenantry.cli.reporting import FAILED
from tenantry.cli.running import chosen_by
from tenantry.cli.shared import selection, takes
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
        help="Make the bot user a member of spaces from which it may not export, until their apps are saved.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("export-content")(export_content)


@takes(wanted=selection)
def export_content(
    wanted: Criteria,
    to: Annotated[
        Path, typer.Option("--to", metavar="DIR", help="Where each stack gets a folder of its own.")
    ] = Path("exports"),
    join_spaces: JoinSpaces = False,
) -> None:
    """Save the apps, users and groups of tenants, as before they are taken down.

    Writes a folder for each stack, with an index.json of what is in it and of what could not be saved. Apps
    of managed spaces come without data, as Qlik allows no more. Apps that are there already, and have not
    changed since, are not fetched again. Without --join-spaces nothing changes at Qlik. A stack without a
    tenant is left out, unless it is named. Exit code 1 if anything could not be saved.
    """
    from tenantry.fleet.inventory import stack_statuses
    from tenantry.fleet.pool import default_jobs
    from tenantry.state.backend import Backend
    from tenantry.state.reading import Reader

    project = current_project()
    with working(READING_FILES):
        members = chosen_by(wanted, project).members
        reader = Reader.of(Backend(root_of(project)), project)
    found = list(followed(stack_statuses(reader, members, default_jobs()), READING_STATES, len(members)))
    there = [each for each in found if each.has_tenant]
    failed = [
        each for each in found if each.trouble or (not each.has_tenant and each.member.stack in wanted.names)
    ]
    for each in failed:
        echo(f"{each.member.stack}: {each.trouble or 'it has no tenant'}", err=True)
    saved = export_all(there, to, join=join_spaces)
    if failed or len(saved) < len(there):
        raise typer.Exit(FAILED)


def export_all(stacks: Sequence[StackStatus], to: Path, *, join: bool, err: bool = False) -> set[str]:
    """Export the tenants of stacks one after the other, and say what came of each.

    `err`: say it on standard error, where standard output has a report. Returns the stacks of which
    everything is saved.
    """
    from tenantry.exporting.content import export
    from tenantry.exporting.folder import ExportRefused
    from tenantry.providers.qlik import Cloud, ConfigurationError, QlikError

    saved: set[str] = set()
    with Cloud.from_environment() as cloud:
        cloud.notify = lambda line: echo_text(line, err=True)
        for each in stacks:
            stack = each.member.stack
            try:
                done = export(cloud, each.hostname, stack, to, join=join)
            except ConfigurationError as error:
                fail("", error)
            except (ExportRefused, QlikError) as error:
                echo_text(f"{for_line(stack)}: nothing was exported. {error}", err=True)
                continue
            except OSError as error:
                echo(f"{stack}: {error.filename or to} cannot be written: {error.strerror}", err=True)
                continue
            _print(stack, done, err=err)
            if done.complete:
                saved.add(stack)
    return saved


def _print(stack: str, done: Export, *, err: bool) -> None:
    for missed in done.not_saved:
        echo(f"{stack}: not saved: {on_one_line(str(missed))}", err=True)
    lists = [counted(number, kind.removesuffix("s")) for kind, number in sorted(done.counts.items())]
    about = [f"{counted(done.apps, 'app')} ({done.fetched:,} fetched)", *lists]
    missing = f", {len(done.not_saved):,} not saved" if done.not_saved else ""
    echo(f"{stack}: {', '.join(about)}{missing}; see {done.folder / 'index.json'}", err=err)
