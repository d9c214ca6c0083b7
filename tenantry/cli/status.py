"""`tenantry status` and `tenantry outputs`: what the backend has about many stacks."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tenantry.cli.clusters import Scheduler, cluster_for
from tenantry.cli.commands import add_command
from tenantry.cli.output import echo, echo_text, fail, print_json, print_table
from tenantry.cli.progress import READING_FILES, READING_STATES, followed, working
from tenantry.cli.projects import current_project, root_of
from tenantry.cli.running import select_stacks
from tenantry.cli.runs import Jobs
from tenantry.cli.shared import selection, with_options
from tenantry.providers.values.words import counted
from tenantry.text import for_csv

if TYPE_CHECKING:
    from tenantry.fleet.inventory import StackOutputs, StackStatus
    from tenantry.fleet.licences import LicenceUse
    from tenantry.fleet.members import Member
    from tenantry.fleet.selection import Criteria
    from tenantry.settings.project import Project
    from tenantry.state.reading import Reader

COLUMNS = ("stack", "customer", "plan", "ring", "versions", "result", "last run", "ends", "tenant")
SPARE = ("tenant", "ends", "last run", "result")
NARROW = {"stack": 12, "customer": 12, "versions": 20, "result": 16}


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    add_command(app, status, example="status --all --html fleet.html")
    add_command(app, outputs, example="outputs --all --csv")


@with_options(wanted=selection)
def status(
    wanted: Criteria,
    jobs: Jobs = None,
    scheduler: Scheduler = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the status as JSON.")] = False,
    page: Annotated[
        Path | None,
        typer.Option(
            "--html", metavar="FILE", help="Write the status as an HTML page with sorting and filters."
        ),
    ] = None,
    licences: Annotated[
        bool,
        typer.Option("--licences", help="Also read at Qlik what the licences allow and how much is used."),
    ] = False,
) -> None:
    """Show the versions, last run and tenant of each stack.

    Reads only the backend; sends requests to Qlik only with --licences. For a tenant that this machine
    deactivated, shows the purge date, and with --json the line that brings it back. If the backend is not a
    folder, shows only the time of the last run. The page of --html also has the drift and failures of the
    past runs on this machine. The exit code is 1 if a stack cannot be read.
    """
    from tenantry.fleet import licences as licence_table
    from tenantry.fleet.inventory import without_file
    from tenantry.fleet.journal import Journal

    if page and not page.parent.is_dir():
        fail(f"--html {page}: the folder {page.parent} does not exist.", code=2)
    project = current_project()
    members, reader = _wanted(wanted, project)
    found = _statuses(reader, members, jobs, scheduler)
    gone = Journal.taken_down(project.name)
    strays = without_file(reader, project) if wanted.every else []
    uses = _licences(found) if licences else None
    if page:
        _write(page, project.name, found, gone, strays, uses)
    if as_json:
        value: dict[str, Any] = {"stacks": [_json(status, gone) for status in found], "without_file": strays}
        print_json(value if uses is None else value | {"licences": [_licence(use) for use in uses]})
    elif not page:
        rows, dim = [_row(status, gone) for status in found], [not status.has_tenant for status in found]
        print_table(COLUMNS, rows, dim=dim, spare=SPARE, narrow=NARROW)
        if strays:
            echo(f"In the backend, but without a stack file: {', '.join(strays)}")
        if uses is not None:
            echo()
            print_table(licence_table.COLUMNS, list(licence_table.rows(uses)), narrow={"status": 20})
    if any(status.trouble for status in found):
        raise typer.Exit(1)


@with_options(wanted=selection)
def outputs(
    wanted: Criteria,
    jobs: Jobs = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, with a row for each id.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the outputs of each stack as JSON. This is the default.")
    ] = False,
) -> None:
    """Print hostnames and ids of customers, for a portal.

    Prints the ids of tenants, groups, spaces and apps, with customer, plan, ring, tags and alias, and the
    issuer and kid of each JWT identity provider. Reads only the backend and hides secrets. If a stack cannot
    be read, prints the others and exits with code 1.
    """
    from tenantry.fleet import inventory
    from tenantry.fleet.pool import default_jobs

    if as_csv and as_json:
        fail("Give only one of --csv and --json.", code=2)
    project = current_project()
    members, reader = _wanted(wanted, project)
    looks = inventory.stack_outputs(reader, members, jobs or default_jobs())
    found = list(followed(looks, READING_STATES, len(members)))
    if as_csv:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(inventory.COLUMNS)
        for stack in found:
            writer.writerows(map(for_csv, row) for row in inventory.rows(stack))
        echo_text(text.getvalue(), nl=False)
    else:
        print_json({stack.member.stack: _portal(stack) for stack in found if not stack.trouble})
    failed = [stack for stack in found if stack.trouble]
    for stack in failed:
        echo(f"{stack.member.stack}: {stack.trouble}", err=True)
    if failed:
        raise typer.Exit(1)


def _licences(found: Sequence[StackStatus]) -> list[LicenceUse]:
    """Read the licences of the stacks at Qlik."""
    from tenantry.fleet.licences import licence_uses
    from tenantry.providers.lookups.preflight import Preflight
    from tenantry.providers.qlik import Cloud

    with Cloud.from_environment() as cloud:
        cloud.notify = lambda line: echo_text(line, err=True)
        return licence_uses(found, Preflight(cloud))


def _licence(use: LicenceUse) -> dict[str, Any]:
    licence = use.licence
    return {
        "source_tenant": use.source,
        "region": use.region,
        "stacks": use.stacks,
        "tenants": use.tenants,
        "tenants_in_region": use.in_region,
        "number": licence.number if licence else None,
        "status": licence.status if licence else None,
        "trial": licence.trial if licence else None,
        "ends": str(licence.ends) if licence and licence.ends else None,
        "allotments": [allotment._asdict() for allotment in licence.allotments] if licence else [],
        "trouble": use.trouble,
    }


def _write(
    page: Path,
    project: str,
    found: Sequence[StackStatus],
    gone: TakenDown,
    strays: Sequence[str],
    licences: Sequence[LicenceUse] | None,
) -> None:
    """Write the HTML page of the fleet."""
    from tenantry.fleet import history, overview

    past = history.read(project, [status.member.stack for status in found])
    purges = {stack: day for stack, (_, day) in gone.items()}
    fleet = overview.Fleet(project, datetime.now(UTC), found, past, purges, strays, licences)
    try:
        page.write_text(overview.page(fleet, page.parent), "utf-8", errors="replace")
    except OSError as error:
        fail(f"--html {page}: the page cannot be written: {error.strerror}")
    echo(f"{page}: {counted(len(found), 'stack')}", err=True)


def _statuses(
    reader: Reader, members: Sequence[Member], jobs: int | None, scheduler: str
) -> list[StackStatus]:
    """Read the status of the stacks: here, or on a cluster if each stack needs a `pulumi` command."""
    from tenantry.fleet.inventory import stack_statuses
    from tenantry.fleet.pool import default_jobs

    if scheduler and reader.folder:
        echo("The backend is a folder, so its files are read here, not on the cluster.", err=True)
        scheduler = ""
    with cluster_for(scheduler if members else "", reader.backend.root, credentials=False) as remote:
        if remote is None:
            looks = stack_statuses(reader, members, jobs or default_jobs())
        else:
            from tenantry.fleet.cluster import reading

            looks = reading.stack_statuses(remote, members, jobs or remote.cluster.threads)
        return list(followed(looks, READING_STATES, len(members)))


def _wanted(wanted: Criteria, project: Project) -> tuple[Sequence[Member], Reader]:
    """Return the selected stacks, and the reader of their states."""
    from tenantry.state.backend import Backend
    from tenantry.state.reading import Reader

    with working(READING_FILES):
        return select_stacks(wanted, project).members, Reader.of(Backend(root_of(project)), project)


def _portal(made: StackOutputs) -> dict[str, Any]:
    """Return the facts about a stack, with its outputs."""
    providers = {key: dict(provider) for key, provider in made.identity_providers.items()}
    return {**made.about, "alias": made.alias or None, "jwt_identity_providers": providers, **made.outputs}


TakenDown = Mapping[str, tuple[str, str]]


def _row(status: StackStatus, gone: TakenDown) -> tuple[str, ...]:
    member = status.member
    _, purged_on = gone.get(member.stack, ("", ""))
    none = f"none; purged on {purged_on}" if purged_on else "none"
    versions = ", ".join(f"{app} {version}" for app, version in sorted(status.versions.items()))
    result = f"{status.result}, {status.unfinished} unfinished" if status.unfinished else status.result
    return (
        member.stack,
        member.customer,
        member.plan,
        member.ring,
        versions,
        status.trouble or result or ("" if status.at else "never up"),
        " ".join((status.operation, status.at[:16].replace("T", " "))).strip() or "never",
        _ends_on(status),
        status.hostname or ("" if status.trouble else none),
    )


def _ends_on(status: StackStatus) -> str:
    """Return the last day from the stack file, or from the state if the file has errors."""
    return status.ends_on if status.member.broken else str(status.member.ends_on or "")


def _json(status: StackStatus, gone: TakenDown) -> dict[str, Any]:
    member = status.member
    revive, purged_on = ("", "") if status.has_tenant else gone.get(member.stack, ("", ""))
    facts = {part.name: getattr(status, part.name) for part in fields(status) if part.name != "member"}
    return {
        "stack": member.stack,
        "customer": member.customer,
        "plan": member.plan or None,
        "ring": member.ring,
        "tags": dict(member.tags),
        "pinned": list(member.pinned),
        **facts,
        "ends_on": _ends_on(status) or None,
        "revive": revive or None,
        "purged_on": purged_on or None,
        "problems": [str(problem) for problem in member.broken.problems] if member.broken else [],
    }
