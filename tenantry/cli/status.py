"""`tenantry status` and `tenantry outputs`: the status and outputs of many stacks, from the backend."""

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


@with_options(criteria=selection)
def status(
    criteria: Criteria,
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
        typer.Option("--licences", help="Also read from Qlik what the licences allow and how much is used."),
    ] = False,
) -> None:
    """Show the versions, last run and tenant of each stack.

    Reads only the backend, and sends requests to Qlik only with --licences. For a tenant that this machine
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
    members, reader = _select(criteria, project)
    statuses = _statuses(reader, members, jobs, scheduler)
    taken_down = Journal.taken_down(project.name)
    stacks_without_file = without_file(reader, project) if criteria.every else []
    uses = _licences(statuses) if licences else None
    if page:
        _write(page, project.name, statuses, taken_down, stacks_without_file, uses)
    if as_json:
        value: dict[str, Any] = {
            "stacks": [_json(status, taken_down) for status in statuses],
            "without_file": stacks_without_file,
        }
        print_json(value if uses is None else value | {"licences": [_licence(use) for use in uses]})
    elif not page:
        rows, dim = (
            [_row(status, taken_down) for status in statuses],
            [not status.has_tenant for status in statuses],
        )
        print_table(COLUMNS, rows, dim=dim, spare=SPARE, narrow=NARROW)
        if stacks_without_file:
            echo(f"In the backend, but without a stack file: {', '.join(stacks_without_file)}")
        if uses is not None:
            echo()
            print_table(licence_table.COLUMNS, list(licence_table.rows(uses)), narrow={"status": 20})
    if any(status.trouble for status in statuses):
        raise typer.Exit(1)


@with_options(criteria=selection)
def outputs(
    criteria: Criteria,
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
    members, reader = _select(criteria, project)
    outputs_iterator = inventory.stack_outputs(reader, members, jobs or default_jobs())
    stacks = list(followed(outputs_iterator, READING_STATES, len(members)))
    if as_csv:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(inventory.COLUMNS)
        for stack in stacks:
            writer.writerows(map(for_csv, row) for row in inventory.rows(stack))
        echo_text(text.getvalue(), nl=False)
    else:
        print_json({stack.member.stack: _portal(stack) for stack in stacks if not stack.trouble})
    failed = [stack for stack in stacks if stack.trouble]
    for stack in failed:
        echo(f"{stack.member.stack}: {stack.trouble}", err=True)
    if failed:
        raise typer.Exit(1)


def _licences(statuses: Sequence[StackStatus]) -> list[LicenceUse]:
    """Read the licences of the stacks from Qlik."""
    from tenantry.fleet.licences import licence_uses
    from tenantry.providers.lookups.preflight import Preflight
    from tenantry.providers.qlik import Cloud

    with Cloud.from_environment() as cloud:
        cloud.notify = lambda line: echo_text(line, err=True)
        return licence_uses(statuses, Preflight(cloud))


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
    statuses: Sequence[StackStatus],
    taken_down: TakenDown,
    stacks_without_file: Sequence[str],
    licences: Sequence[LicenceUse] | None,
) -> None:
    """Write the HTML page of the fleet."""
    from tenantry.fleet import history, overview

    past_runs = history.read(project, [status.member.stack for status in statuses])
    purge_dates = {stack: day for stack, (_, day) in taken_down.items()}
    fleet = overview.Fleet(
        project, datetime.now(UTC), statuses, past_runs, purge_dates, stacks_without_file, licences
    )
    try:
        page.write_text(overview.page(fleet, page.parent), "utf-8", errors="replace")
    except OSError as error:
        fail(f"--html {page}: the page cannot be written: {error.strerror}")
    echo(f"{page}: {counted(len(statuses), 'stack')}", err=True)


def _statuses(
    reader: Reader, members: Sequence[Member], jobs: int | None, scheduler: str
) -> list[StackStatus]:
    """Read the status of the stacks, here or on a cluster. A cluster helps if each stack needs a command."""
    from tenantry.fleet.inventory import stack_statuses
    from tenantry.fleet.pool import default_jobs

    if scheduler and reader.folder:
        echo("The backend is a folder, so its files are read here, not on the cluster.", err=True)
        scheduler = ""
    with cluster_for(scheduler if members else "", reader.backend.root, credentials=False) as remote:
        if remote is None:
            statuses = stack_statuses(reader, members, jobs or default_jobs())
        else:
            from tenantry.fleet.cluster import reading

            statuses = reading.stack_statuses(remote, members, jobs or remote.cluster.threads)
        return list(followed(statuses, READING_STATES, len(members)))


def _select(criteria: Criteria, project: Project) -> tuple[Sequence[Member], Reader]:
    """Return the selected stacks, and the reader of their states."""
    from tenantry.state.backend import Backend
    from tenantry.state.reading import Reader

    with working(READING_FILES):
        return select_stacks(criteria, project).members, Reader.of(Backend(root_of(project)), project)


def _portal(stack: StackOutputs) -> dict[str, Any]:
    """Return a stack's settings and outputs, as JSON for a portal."""
    providers = {key: dict(provider) for key, provider in stack.identity_providers.items()}
    return {
        **stack.customer_settings,
        "alias": stack.alias or None,
        "jwt_identity_providers": providers,
        **stack.outputs,
    }


TakenDown = Mapping[str, tuple[str, str]]


def _row(status: StackStatus, taken_down: TakenDown) -> tuple[str, ...]:
    member = status.member
    _, purged_on = taken_down.get(member.stack, ("", ""))
    none = f"none; Qlik purges it on {purged_on}" if purged_on else "none"
    versions = ", ".join(f"{app} {version}" for app, version in sorted(status.versions.items()))
    result = f"{status.result}, {status.unfinished} unfinished" if status.unfinished else status.result
    return (
        member.stack,
        member.customer,
        member.plan,
        member.ring,
        versions,
        status.trouble or result or ("" if status.at else "never deployed"),
        " ".join((status.operation, status.at[:16].replace("T", " "))).strip() or "never",
        _ends_on(status),
        status.hostname or ("" if status.trouble else none),
    )


def _ends_on(status: StackStatus) -> str:
    """Return the last day from the stack file, or from the state if the file has errors."""
    return status.ends_on if status.member.broken else str(status.member.ends_on or "")


def _json(status: StackStatus, taken_down: TakenDown) -> dict[str, Any]:
    member = status.member
    revive, purged_on = ("", "") if status.has_tenant else taken_down.get(member.stack, ("", ""))
    values = {field.name: getattr(status, field.name) for field in fields(status) if field.name != "member"}
    return {
        "stack": member.stack,
        "customer": member.customer,
        "plan": member.plan or None,
        "ring": member.ring,
        "tags": dict(member.tags),
        "pinned": list(member.pinned),
        **values,
        "ends_on": _ends_on(status) or None,
        "revive": revive or None,
        "purged_on": purged_on or None,
        "problems": [str(problem) for problem in member.broken.problems] if member.broken else [],
    }
