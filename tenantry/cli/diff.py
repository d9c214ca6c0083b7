"""`tenantry diff` and `tenantry select`: the changes since a commit, without state or credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tenantry.cli.commands import add_command
from tenantry.cli.output import echo, fail, print_json
from tenantry.cli.progress import READING_FILES, working
from tenantry.cli.projects import current_project, root_of
from tenantry.cli.reporting import finish
from tenantry.cli.running import select_stacks
from tenantry.cli.shared import Output, reports, selection, with_options

if TYPE_CHECKING:
    from tenantry.fleet.selection import Criteria

STACKS_PER_SHARD = 20
MAX_JOBS = 256
"""The largest number of jobs that GitHub runs for one matrix."""


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    add_command(app, diff, example="diff --changed-since origin/main --markdown")
    add_command(app, select, example="select --changed-since origin/main --json")


@with_options(criteria=selection, output=reports)
def diff(
    criteria: Criteria,
    output: Output,
    since: Annotated[
        str,
        typer.Option(
            metavar="GITREF", help="The commit to compare with. Default: the one given with --changed-since."
        ),
    ] = "",
) -> None:
    """Show what changed in the settings of customers.

    Compares the merged settings of plans and stack files with an earlier commit. Reads only files and git, so
    it also works for a pull request from a fork, which has no access to state or passphrase. The exit code is
    1 if the settings of a stack have errors.
    """
    from tenantry.fleet.changes import UnknownRef
    from tenantry.fleet.difference import compare

    ref = since or criteria.changed_since
    if not ref:
        fail("--since or --changed-since is required: the commit to compare with.", code=2)
    project = current_project()
    try:
        with working("Comparing settings"):
            report = compare(select_stacks(criteria, project), root_of(project), ref)
    except UnknownRef as error:
        fail(f"--since {ref}: {error}", code=2)
    finish(report, output)


@with_options(criteria=selection)
def select(
    criteria: Criteria,
    as_json: Annotated[bool, typer.Option("--json", help="Print stacks and shards as JSON.")] = False,
    stacks_per_shard: Annotated[
        int,
        typer.Option(
            "--stacks-per-shard", min=1, metavar="N", help="The largest average number of stacks per shard."
        ),
    ] = STACKS_PER_SHARD,
) -> None:
    """Print the stacks that your options select.

    Prints one stack per line. These are the stacks that a run with the same options uses. With --json, also
    prints the shards, such as `["1/3", "2/3", "3/3"]`, for a matrix of CI jobs.
    """
    with working(READING_FILES):
        selected = select_stacks(criteria, current_project())
    if not as_json:
        for member in selected.members:
            echo(member.stack)
        return
    print_json(
        {
            "stacks": [member.stack for member in selected.members],
            **_shards(len(selected.members), stacks_per_shard),
        }
        | {
            "removed": list(selected.removed),
            "code_changed": bool(selected.changes and selected.changes.code),
        }
    )


def _shards(stacks: int, stacks_per_shard: int) -> dict[str, Any]:
    """Return the shards for this number of stacks, or an empty list if there are no stacks."""
    count = min(-(-stacks // stacks_per_shard), MAX_JOBS)
    return {"shards": [f"{number}/{count}" for number in range(1, count + 1)]}
