"""`tenantry status` and `tenantry outputs`: what the backend knows of many stacks."""

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
from tenantry.cli.output import echo, echo_text, fail, print_json, print_table
from tenantry.cli.progress import READING_FILES, READING_STATES, followed, working
from tenantry.cli.projects import current_project, root_of
from tenantry.cli.running import chosen_by
from tenantry.cli.runs import Jobs
from tenantry.cli.shared import selection, takes
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
    app.command()(status)
    app.command()(outputs)


@takes(wanted=selection)
def status(
    wanted: Criteria,
    jobs: Jobs = None,
    scheduler: Scheduler = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
    page: Annotated[
        Path | None,
        typer.Option(
            "--html", metavar="FILE", help="Write it into a file, as a page that sorts and filters."
        ),
    ] = None,
    licences: Annotated[
        bool,
        typer.Option("--licences", help="Also ask Qlik what the licences allow, and how much of it is used."),
    ] = False,
) -> None:
    """Show how each stack stands: the versions of its templates, its last run, when it ends, its tenant.

    Asks the backend alone; no request is sent to Qlik unless --licences asks for it. Of a tenant that was
    taken down from this machine it tells the day of the purge, and with --json the line that brings it
    back. In a backend that is not a folder, it shows only the time of the last run. The page
    of --html also has the drift and the failures of the runs that this machine has kept. Exit code 1 if a
    stack cannot be read.
    """
    from tenantry.fleet import licences as licence_table
    from tenantry.fleet.inventory import without_file
    from tenantry.fleet.journal import Journal

    if page and not page.parent.is_dir():
        fail(f"--html {page}: there is no folder {page.parent}.", code=2)
    project = current_project()
    members, reader = _wanted(wanted, project)
    found = _standings(reader, members, jobs, scheduler)
    gone = Journal.taken_down(project.name)
    strays = without_file(reader, project) if wanted.every else []
    uses = _licences(found) if licences else None
    if page:
        _write(page, project.name, found, gone, strays, uses)
    if as_json:
        told: dict[str, Any] = {"stacks": [_json(each, gone) for each in found], "without_file": strays}
        print_json(told if uses is None else told | {"licences": [_licence(each) for each in uses]})
    elif not page:
        rows, dim = [_row(each, gone) for each in found], [not each.has_tenant for each in found]
        print_table(COLUMNS, rows, dim=dim, spare=SPARE, narrow=NARROW)
        if strays:
            echo(f"In the backend, without a stack file: {', '.join(strays)}")
        if uses is not None:
            echo()
            print_table(licence_table.COLUMNS, list(licence_table.rows(uses)), narrow={"status": 20})
    if any(each.trouble for each in found):
        raise typer.Exit(1)


@takes(wanted=selection)
def outputs(
    wanted: Criteria,
    jobs: Jobs = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a row for each id, as CSV.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the outputs of each stack as JSON, which is the default.")
    ] = False,
) -> None:
    """Print hostnames and the ids of tenants, groups, spaces and apps of all customers, for a portal.

    With customer, plan, ring, tags and alias, and issuer and kid of each JWT identity provider.
    Asks the backend alone; secrets are hidden. Exit code 1 if a stack cannot be read; the others are printed.
    """
    from tenantry.fleet import inventory
    from tenantry.fleet.pool import default_jobs

    if as_csv and as_json:
        fail("--csv and --json: one of them.", code=2)
    project = current_project()
    members, reader = _wanted(wanted, project)
    looks = inventory.stack_outputs(reader, members, jobs or default_jobs())
    found = list(followed(looks, READING_STATES, len(members)))
    if as_csv:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(inventory.COLUMNS)
        for each in found:
            writer.writerows(map(for_csv, row) for row in inventory.rows(each))
        echo_text(text.getvalue(), nl=False)
    else:
        print_json({each.member.stack: _portal(each) for each in found if not each.trouble})
    failed = [each for each in found if each.trouble]
    for each in failed:
        echo(f"{each.member.stack}: {each.trouble}", err=True)
    if failed:
        raise typer.Exit(1)


def _licences(found: Sequence[StackStatus]) -> list[LicenceUse]:
    """Ask Qlik for the licences of some stacks."""
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
        "allotments": [each._asdict() for each in licence.allotments] if licence else [],
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
    """Write the page of the whole fleet."""
    from tenantry.fleet import history, overview

    past = history.read(project, [each.member.stack for each in found])
    purges = {stack: day for stack, (_, day) in gone.items()}
    fleet = overview.Fleet(project, datetime.now(UTC), found, past, purges, strays, licences)
    try:
        page.write_text(overview.page(fleet, page.parent), "utf-8", errors="replace")
    except OSError as error:
        fail(f"--html {page}: the page cannot be written: {error.strerror}")
    echo(f"{page}: {counted(len(found), 'stack')}", err=True)


def _standings(
    reader: Reader, members: Sequence[Member], jobs: int | None, scheduler: str
) -> list[StackStatus]:
    """Read how the stacks stand: here, or on a cluster where that takes a `pulumi` for each of them."""
    from tenantry.fleet.inventory import stack_statuses
    from tenantry.fleet.pool import default_jobs

    if scheduler and reader.folder:
        echo("The backend is a folder: its files are read here, without the cluster.", err=True)
        scheduler = ""
    with cluster_for(scheduler if members else "", reader.backend.root, credentials=False) as remote:
        if remote is None:
            looks = stack_statuses(reader, members, jobs or default_jobs())
        else:
            from tenantry.fleet.cluster import reading

            looks = reading.stack_statuses(remote, members, jobs or remote.cluster.threads)
        return list(followed(looks, READING_STATES, len(members)))


def _wanted(wanted: Criteria, project: Project) -> tuple[Sequence[Member], Reader]:
    """Return the stacks that are wanted, and what reads their states."""
    from tenantry.state.backend import Backend
    from tenantry.state.reading import Reader

    with working(READING_FILES):
        return chosen_by(wanted, project).members, Reader.of(Backend(root_of(project)), project)


def _portal(made: StackOutputs) -> dict[str, Any]:
    """Return what there is to say of a stack, the outputs of the stack among it."""
    providers = {key: dict(each) for key, each in made.identity_providers.items()}
    return {**made.about, "alias": made.alias or None, "jwt_identity_providers": providers, **made.outputs}


TakenDown = Mapping[str, tuple[str, str]]


def _row(each: StackStatus, gone: TakenDown) -> tuple[str, ...]:
    member = each.member
    _, purged_on = gone.get(member.stack, ("", ""))
    none = f"none; purged on {purged_on}" if purged_on else "none"
    versions = ", ".join(f"{app} {version}" for app, version in sorted(each.versions.items()))
    result = f"{each.result}, {each.unfinished} unfinished" if each.unfinished else each.result
    return (
        member.stack,
        member.customer,
        member.plan,
        member.ring,
        versions,
        each.trouble or result or ("" if each.at else "never up"),
        " ".join((each.operation, each.at[:16].replace("T", " "))).strip() or "never",
        _ends_on(each),
        each.hostname or ("" if each.trouble else none),
    )


def _ends_on(each: StackStatus) -> str:
    """Return the last day by the file; where that is broken, by the state."""
    return each.ends_on if each.member.broken else str(each.member.ends_on or "")


def _json(each: StackStatus, gone: TakenDown) -> dict[str, Any]:
    member = each.member
    revive, purged_on = ("", "") if each.has_tenant else gone.get(member.stack, ("", ""))
    facts = {part.name: getattr(each, part.name) for part in fields(each) if part.name != "member"}
    return {
        "stack": member.stack,
        "customer": member.customer,
        "plan": member.plan or None,
        "ring": member.ring,
        "tags": dict(member.tags),
        "pinned": list(member.pinned),
        **facts,
        "ends_on": _ends_on(each) or None,
        "revive": revive or None,
        "purged_on": purged_on or None,
        "problems": [str(problem) for problem in member.broken.problems] if member.broken else [],
    }
