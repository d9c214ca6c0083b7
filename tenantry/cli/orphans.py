"""`tenantry orphans`: tenants and apps that no stack knows of, and what else does not fit together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tenantry.cli.output import echo, fail, heading, print_json
from tenantry.cli.progress import working
from tenantry.cli.projects import current_project, root_of
from tenantry.cli.reporting import CHANGED, FAILED
from tenantry.cli.running import confirm
from tenantry.cli.runs import Jobs, Yes
from tenantry.text import on_one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tenantry.audit.findings import Finding, Unread
    from tenantry.audit.leftovers import LeftOver
    from tenantry.audit.look import Audit
    from tenantry.providers.qlik import Cloud
    from tenantry.state.backend import PulumiFailed

NEEDS_ORGANISATION = (
    "Only the organisation's API lists all tenants: set QLIK_ORG_CLIENT_ID and QLIK_ORG_CLIENT_SECRET, or "
    "have QLIK_CREDENTIALS_COMMAND print `organisation`."
)


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(orphans)


def orphans(
    region: Annotated[
        str, typer.Option(metavar="REGION", help="Only what is in this region.", show_default=False)
    ] = "",
    fix: Annotated[
        bool, typer.Option("--fix", help="Delete left-over apps, each looked at once more; asks first.")
    ] = False,
    yes: Yes = False,
    jobs: Jobs = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Compare all tenants of the organisation with the states of all stacks of the backend.

    Names tenants that no stack holds, or several do, or that are gone; deactivated ones with the day of their
    purge; names that two tenants have; licences that end within 30 days; stacks that were cut off before they
    had their tenant; and staged apps that an interrupted import left. Needs the organisation's client. Sends
    reads only, but for what --fix deletes: apps, and nothing else; a tenant or a state is never touched.

    Exit code 0 if there is nothing to do, 7 if there is, 1 if something could not be read, whatever else was
    found. A deactivated tenant that no stack holds any more is only told: it waits for its purge.
    """
    from tenantry.providers.qlik import Cloud, QlikError

    with Cloud.from_environment() as cloud:
        cloud.notify = _say
        try:
            if not cloud.has_organisation:
                fail(NEEDS_ORGANISATION)
            found = _look(cloud, region.lower(), jobs)
        except QlikError as error:
            fail("", error)
        if not as_json:
            _print(found)
        gone, failed = _fix(found, yes=yes) if fix else ([], [])
    if as_json:
        print_json(_json(found, gone, failed))
    if found.unread or failed:
        raise typer.Exit(FAILED)
    if sum(not each.notice for each in found.findings) > len(gone):
        raise typer.Exit(CHANGED)


def _look(cloud: Cloud, region: str, jobs: int | None) -> Audit:
    from tenantry.audit.look import UnknownRegion, look
    from tenantry.fleet.pool import default_jobs
    from tenantry.fleet.troubles import from_command
    from tenantry.state.backend import Backend, PulumiFailed

    def explain(stack: str, failure: PulumiFailed) -> str:
        return from_command(stack, failure.said, failure.code).line

    project = current_project()
    try:
        with working("Comparing tenants with states"):
            return look(
                cloud,
                project,
                Backend(root_of(project)),
                region=region,
                at_once=jobs or default_jobs(),
                explain=explain,
                say=_say,
            )
    except PulumiFailed as error:
        fail("", error)
    except UnknownRegion as error:
        fail(str(error), code=2)


def _fix(found: Audit, *, yes: bool) -> tuple[Sequence[LeftOver], Sequence[Unread]]:
    """Delete what may be deleted; return what is gone, and what could not be deleted."""
    from tenantry.audit.leftovers import delete_all
    from tenantry.providers.values.words import counted

    apps = [each for each in found.left_over if not each.kept]
    if not apps:
        _say("There is nothing that --fix could delete.")
        return [], []
    for app in apps:
        _say(f"- {app.id}: {app.finding.text}")
    confirm(f"Delete {counted(len(apps), 'left-over app')}?", yes=yes)
    gone, failed = delete_all(found.search, apps, _say)
    for each in failed:
        _say(f"{each.what}: {each.why}")
    return gone, failed


def _print(found: Audit) -> None:
    from tenantry.audit.findings import KINDS
    from tenantry.providers.values.words import counted

    for kind in KINDS:
        same = [each for each in found.findings if each.kind is kind]
        if not same:
            continue
        sure = all(each.certain for each in same)
        heading(f"{kind.heading}{'' if sure else ', for all that could be read'}: {len(same)}")
        echo(f"  {kind.advice}")
        for each in same:
            echo(f"  - {on_one_line(f'{each.about}: {each.text}')}")
            for way in each.ways:
                echo(f"      {on_one_line(way)}")
    for unread in found.unread:
        _say(f"Unknown is {unread.what}: {unread.why}")
    about = f"{counted(found.tenants, 'tenant')}, {counted(found.stacks, 'stack')}"
    unknown = f", {len(found.unread)} unknown" if found.unread else ""
    echo(f"{about}: {counted(len(found.findings), 'finding')}{unknown}")


def _json(found: Audit, gone: Sequence[LeftOver], failed: Sequence[Unread]) -> dict[str, Any]:
    return {
        "tenants": found.tenants,
        "stacks": found.stacks,
        "findings": [_row(each) for each in found.findings],
        "unread": [{"what": each.what, "why": each.why} for each in (*found.unread, *failed)],
        "deleted": [each.id for each in gone],
    }


def _row(finding: Finding) -> dict[str, Any]:
    shared: dict[str, Any] = {"kind": finding.kind.name, "about": finding.about, "text": finding.text}
    shared |= {"certain": finding.certain, "notice": finding.notice}
    return {**shared, "ways": list(finding.ways), **finding.facts}


def _say(line: str) -> None:
    """Print a line beside the report."""
    echo(on_one_line(line), err=True)
