"""`tenantry orphans`: tenants and apps that no stack manages, and other mismatches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tenantry.cli.commands import add_command
from tenantry.cli.output import echo, fail, heading, print_json
from tenantry.cli.progress import working
from tenantry.cli.projects import current_project, root_of
from tenantry.cli.reporting import CHANGED, FAILED
from tenantry.cli.running import confirm
from tenantry.cli.runs import Jobs, Yes
from tenantry.text import on_one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tenantry.audit.audit import Audit
    from tenantry.audit.findings import Finding, Unread
    from tenantry.audit.leftovers import LeftOver
    from tenantry.providers.qlik import Cloud
    from tenantry.state.backend import PulumiFailed

NEEDS_ORGANISATION = (
    "Only an organisation client can list all tenants. Set QLIK_ORG_CLIENT_ID and QLIK_ORG_CLIENT_SECRET, or "
    "make QLIK_CREDENTIALS_COMMAND print `organisation`."
)


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    add_command(app, orphans, example="orphans --region eu")


def orphans(
    region: Annotated[
        str, typer.Option(metavar="REGION", help="Check only this region.", show_default=False)
    ] = "",
    fix: Annotated[
        bool,
        typer.Option(
            "--fix", help="Delete left-over apps. Asks first, and checks each app again before it deletes it."
        ),
    ] = False,
    yes: Yes = False,
    jobs: Jobs = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Find tenants and apps that no stack manages.

    Compares all tenants of the organisation with the states of all stacks of the backend. Reports tenants
    that no stack holds, that several stacks hold, or that are gone. Also reports deactivated tenants with
    their purge date, duplicate tenant names, licences that end within 30 days, stacks whose run ended before
    they had a tenant, and apps that an interrupted import left behind. Needs an organisation client. Sends
    only reads. --fix deletes apps, but never a tenant or a state.

    The exit code is 0 if there is nothing to do, 7 if there is, and 1 if something could not be read. A
    deactivated tenant that no stack holds is listed but does not count, because Qlik will purge it.
    """
    from tenantry.providers.qlik import Cloud, QlikError

    with Cloud.from_environment() as cloud:
        cloud.notify = _print_line
        try:
            if not cloud.has_organisation:
                fail(NEEDS_ORGANISATION)
            audit = _audit(cloud, region.lower(), jobs)
        except QlikError as error:
            fail("", error)
        if not as_json:
            _print(audit)
        deleted, failed = _fix(audit, yes=yes) if fix else ([], [])
    if as_json:
        print_json(_json(audit, deleted, failed))
    if audit.unread or failed:
        raise typer.Exit(FAILED)
    if sum(not finding.notice for finding in audit.findings) > len(deleted):
        raise typer.Exit(CHANGED)


def _audit(cloud: Cloud, region: str, jobs: int | None) -> Audit:
    from tenantry.audit.audit import UnknownRegion, run_audit
    from tenantry.fleet.pool import default_jobs
    from tenantry.fleet.troubles import from_command
    from tenantry.state.backend import Backend, PulumiFailed

    def explain(stack: str, failure: PulumiFailed) -> str:
        return from_command(stack, failure.output, failure.code).line

    project = current_project()
    try:
        with working("Comparing tenants with states"):
            return run_audit(
                cloud,
                project,
                Backend(root_of(project)),
                region=region,
                at_once=jobs or default_jobs(),
                explain=explain,
                say=_print_line,
            )
    except PulumiFailed as error:
        fail("", error)
    except UnknownRegion as error:
        fail(str(error), code=2)


def _fix(audit: Audit, *, yes: bool) -> tuple[Sequence[LeftOver], Sequence[Unread]]:
    """Delete the left-over apps. Return the deleted apps, and the failures."""
    from tenantry.audit.leftovers import delete_all
    from tenantry.providers.values.words import counted

    apps = [app for app in audit.left_over if not app.reason_to_keep]
    if not apps:
        _print_line("There is nothing for --fix to delete.")
        return [], []
    for app in apps:
        _print_line(f"- {app.id}: {app.finding.text}")
    confirm(f"Delete {counted(len(apps), 'left-over app')}?", yes=yes)
    deleted, failed = delete_all(audit.search, apps, _print_line)
    for failure in failed:
        _print_line(f"{failure.subject}: {failure.reason}")
    return deleted, failed


def _print(audit: Audit) -> None:
    from tenantry.audit.findings import KINDS
    from tenantry.providers.values.words import counted

    for kind in KINDS:
        findings = [finding for finding in audit.findings if finding.kind is kind]
        if not findings:
            continue
        certain = all(finding.certain for finding in findings)
        heading(f"{kind.heading}{'' if certain else ', as far as readable'}: {len(findings)}")
        echo(f"  {kind.advice}")
        for finding in findings:
            echo(f"  - {on_one_line(f'{finding.about}: {finding.text}')}")
            for line in finding.ways:
                echo(f"      {on_one_line(line)}")
    for unread in audit.unread:
        _print_line(f"Could not read {unread.subject}: {unread.reason}")
    numbers = f"{counted(audit.tenants, 'tenant')}, {counted(audit.stacks, 'stack')}"
    unknown = f", {len(audit.unread)} unknown" if audit.unread else ""
    echo(f"{numbers}: {counted(len(audit.findings), 'finding')}{unknown}")


def _json(audit: Audit, deleted: Sequence[LeftOver], failed: Sequence[Unread]) -> dict[str, Any]:
    return {
        "tenants": audit.tenants,
        "stacks": audit.stacks,
        "findings": [_row(finding) for finding in audit.findings],
        "unread": [{"what": unread.subject, "why": unread.reason} for unread in (*audit.unread, *failed)],
        "deleted": [app.id for app in deleted],
    }


def _row(finding: Finding) -> dict[str, Any]:
    row: dict[str, Any] = {"kind": finding.kind.name, "about": finding.about, "text": finding.text}
    row |= {"certain": finding.certain, "notice": finding.notice}
    return {**row, "ways": list(finding.ways), **finding.facts}


def _print_line(line: str) -> None:
    """Print a line on standard error, separate from the report."""
    echo(on_one_line(line), err=True)
