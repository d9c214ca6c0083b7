"""`tenantry diff` and `tenantry select`: what a change of files is about, without state or credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tenantry.cli.output import echo, fail, print_json
from tenantry.cli.progress import READING_FILES, working
from tenantry.cli.projects import current_project, root_of
from tenantry.cli.reporting import finish
from tenantry.cli.running import chosen_by
from tenantry.cli.shared import Output, reports, selection, takes

if TYPE_CHECKING:
    from tenantry.fleet.selection import Criteria

STACKS_A_JOB = 20
MOST_JOBS = 256
"""The most jobs that GitHub makes of one matrix."""


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(diff)
    app.command()(select)


@takes(wanted=selection, output=reports)
def diff(
    wanted: Criteria,
    output: Output,
    since: Annotated[
        str,
        typer.Option(metavar="GITREF", help="The commit to compare with. Default: that of --changed-since."),
    ] = "",
) -> None:
    """Show what the settings of customers are now that they were not, plans and stack files merged.

    Reads files and git alone: for a pull request from a fork, which may see neither state nor passphrase.
    The settings are checked as well; the exit code is 1 if those of a stack are not right.
    """
    from tenantry.fleet.changes import UnknownRef
    from tenantry.fleet.difference import compare

    ref = since or wanted.changed_since
    if not ref:
        fail("Compare with what? Give --since GITREF, or --changed-since.", code=2)
    project = current_project()
    try:
        with working("Comparing settings"):
            report = compare(chosen_by(wanted, project), root_of(project), ref)
    except UnknownRef as error:
        fail(f"--since {ref}: {error}", code=2)
    finish(report, output)


@takes(wanted=selection)
def select(
    wanted: Criteria,
    as_json: Annotated[bool, typer.Option("--json", help="Print stacks and shards as JSON.")] = False,
    stacks_a_job: Annotated[
        int,
        typer.Option(
            "--stacks-per-shard", min=1, help="How many stacks a shard has, on average at the most."
        ),
    ] = STACKS_A_JOB,
) -> None:
    """Print which stacks a run with the same options would be about, one a line.

    With --json also into how many shards to divide them, `["1/3", "2/3", "3/3"]`, for a matrix of CI jobs.
    """
    with working(READING_FILES):
        chosen = chosen_by(wanted, current_project())
    if not as_json:
        for member in chosen.members:
            echo(member.stack)
        return
    print_json(
        {"stacks": [each.stack for each in chosen.members], **_shards(len(chosen.members), stacks_a_job)}
        | {
            "removed": list(chosen.removed),
            "code_changed": bool(chosen.changes and chosen.changes.code),
        }
    )


def _shards(stacks: int, stacks_a_job: int) -> dict[str, Any]:
    """Return the shards for so many stacks; none for none."""
    count = min(-(-stacks // stacks_a_job), MOST_JOBS)
    return {"shards": [f"{number}/{count}" for number in range(1, count + 1)]}
