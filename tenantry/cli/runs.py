"""`tenantry preview`, `up`, `refresh` and `destroy`: the operations of `pulumi`, over many stacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.cli.clusters import Scheduler, cluster_for
from tenantry.cli.commands import add_command
from tenantry.cli.output import echo, echo_text, fail
from tenantry.cli.projects import root_of, running_project
from tenantry.cli.reporting import finish
from tenantry.cli.running import (
    confirm,
    due,
    followers,
    must_ask,
    run_with_progress,
    select_stacks,
    stacks_text,
)
from tenantry.cli.shared import Notices, Output, notices, reports, selection, with_options
from tenantry.cli.smoke import KEY, SmokeTest
from tenantry.cli.wave_question import WaveQuestion
from tenantry.providers.values.words import counted

if TYPE_CHECKING:
    from tenantry.fleet.members import Member
    from tenantry.fleet.outcome import Operation
    from tenantry.fleet.run import Gate
    from tenantry.fleet.selection import Criteria, Selection
    from tenantry.fleet.waves import Wave

Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs", "-j", min=1, metavar="N", help="How many stacks to run at once. Default: two per processor."
    ),
]
MostFailures = Annotated[
    int | None,
    typer.Option(
        "--max-failures",
        min=0,
        metavar="N",
        help="Stop when more than N stacks have failed. Default: 0 with --waves, otherwise no limit.",
    ),
]
Resume = Annotated[
    bool,
    typer.Option(
        "--resume", help="Skip the stacks that succeeded in the last run, unless they have changed since."
    ),
]
Refresh = Annotated[
    bool, typer.Option("--refresh", help="First read the changes that were made outside Pulumi.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
Engine = Annotated[
    bool, typer.Option("--engine", help="Run `pulumi` for every stack, even if nothing has changed.")
]
Seconds = Annotated[
    float, typer.Option("--timeout", min=1, metavar="SECONDS", help="Longest time for one stack.")
]
DEFAULT_TIMEOUT_SECONDS = 3600.0
CONFIRMED_OPTIONS: Mapping[str, Sequence[str]] = {"up": ("--skip-preview",), "destroy": ()}
"""The options of an operation after the user has confirmed its preview."""


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    add_command(app, preview, example="preview --all")
    add_command(app, up, example="up --ring pilot")
    add_command(app, refresh, example="refresh --all")
    add_command(app, destroy, example="destroy acme")


@with_options(criteria=selection, output=reports, notify=notices)
def preview(
    criteria: Criteria,
    output: Output,
    notify: Notices,
    refresh_first: Refresh = False,
    expect_no_changes: Annotated[
        bool, typer.Option("--expect-no-changes", help="Exit with code 7 if there are changes or drift.")
    ] = False,
    expect_no_drift: Annotated[
        bool, typer.Option("--expect-no-drift", help="With --refresh: exit with code 7 if there is drift.")
    ] = False,
    engine: Engine = False,
    jobs: Jobs = None,
    scheduler: Scheduler = "",
    seconds: Seconds = DEFAULT_TIMEOUT_SECONDS,
) -> None:
    """Show what `tenantry up` would change for each customer.

    Prints one report over all customers, grouped by identical changes. Sends no request to Qlik and needs no
    credentials, except with --refresh. Includes customers who have no stack yet. The exit code is 1 if a
    stack failed.
    """
    if expect_no_drift and not refresh_first:
        fail("--expect-no-drift needs --refresh.", code=2)
    arguments = ("--refresh",) if refresh_first else ()
    expect = "changes" if expect_no_changes else "drift" if expect_no_drift else ""
    _run(
        "preview",
        criteria,
        output,
        notify,
        jobs,
        seconds,
        arguments,
        expect_no=expect,
        engine=engine,
        scheduler=scheduler,
    )


@with_options(criteria=selection, output=reports, notify=notices)
def up(
    criteria: Criteria,
    output: Output,
    notify: Notices,
    waves: Annotated[
        str,
        typer.Option(
            metavar="HOW",
            help="Run in waves and stop on failure: `rings`, or percentages such as `10%,50%,100%`.",
            show_default=False,
        ),
    ] = "",
    wave: Annotated[
        str, typer.Option(metavar="NAME", help="With --waves: run only this wave.", show_default=False)
    ] = "",
    include_pinned: Annotated[
        bool,
        typer.Option("--include-pinned", help="With --waves: include customers who are pinned to a version."),
    ] = False,
    max_failures: MostFailures = None,
    resume: Resume = False,
    refresh_first: Refresh = False,
    skip_preview: Annotated[
        bool,
        typer.Option("--skip-preview", help="Do not preview each stack first. Much faster."),
    ] = False,
    smoke: Annotated[
        bool,
        typer.Option(
            "--smoke",
            help="Run `tenantry smoke` after each wave. The next wave starts only if it succeeds.",
        ),
    ] = False,
    key: Annotated[Path | None, KEY] = None,
    engine: Engine = False,
    jobs: Jobs = None,
    scheduler: Scheduler = "",
    seconds: Seconds = DEFAULT_TIMEOUT_SECONDS,
    yes: Yes = False,
) -> None:
    """Create and update the tenants of customers.

    Previews each stack first, like `pulumi up`, and does not change a stack whose preview fails. Without
    --yes, shows the report of the previews and asks, wave by wave. Skips trials that have ended. The exit
    code is 1 if a stack failed or you answered no, 3 if the run stopped because of a failure, and 130 if it
    was interrupted.
    """
    if wave and not waves:
        fail("--wave needs --waves.", code=2)
    if smoke and key is None:
        fail("--smoke needs --key.", code=2)
    failure_limit = 0 if waves and max_failures is None else max_failures
    arguments = [
        option
        for option, is_set in (("--refresh", refresh_first), ("--skip-preview", skip_preview))
        if is_set
    ]
    _run(
        "up",
        criteria,
        output,
        notify,
        jobs,
        seconds,
        arguments,
        waves=waves,
        wave=wave,
        max_failures=failure_limit,
        resume=resume,
        skip_pinned=bool(waves) and not include_pinned,
        yes=yes,
        smoke_key=key if smoke else None,
        engine=engine,
        scheduler=scheduler,
    )


@with_options(criteria=selection, output=reports, notify=notices)
def refresh(
    criteria: Criteria,
    output: Output,
    notify: Notices,
    expect_no_changes: Annotated[
        bool, typer.Option("--expect-no-changes", help="Exit with code 7 if anything differs.")
    ] = False,
    jobs: Jobs = None,
    scheduler: Scheduler = "",
    seconds: Seconds = DEFAULT_TIMEOUT_SECONDS,
    yes: Yes = False,
) -> None:
    """Update the state of each stack from Qlik.

    Reports the differences and changes nothing at Qlik. `tenantry preview --refresh` shows the same
    differences without a change to the state.
    """
    _run(
        "refresh",
        criteria,
        output,
        notify,
        jobs,
        seconds,
        (),
        expect_no="drift" if expect_no_changes else "",
        yes=yes,
        scheduler=scheduler,
    )


@with_options(criteria=selection, output=reports, notify=notices)
def destroy(
    criteria: Criteria,
    output: Output,
    notify: Notices,
    max_failures: MostFailures = None,
    jobs: Jobs = None,
    scheduler: Scheduler = "",
    seconds: Seconds = DEFAULT_TIMEOUT_SECONDS,
    yes: Yes = False,
) -> None:
    """Deactivate the tenants of customers.

    The grace period comes from the stack file. The report says how to bring each tenant back. Without --yes,
    the command first shows what it will delete. Production customers are protected. To destroy one: 1. set
    `protect: false` in its file, 2. run `tenantry up`, 3. run `tenantry destroy`.
    """
    _run(
        "destroy",
        criteria,
        output,
        notify,
        jobs,
        seconds,
        (),
        max_failures=max_failures,
        yes=yes,
        scheduler=scheduler,
    )


def _run(
    operation: Operation,
    criteria: Criteria,
    output: Output,
    notify: Notices,
    jobs: int | None,
    seconds: float,
    arguments: Sequence[str],
    *,
    waves: str = "",
    wave: str = "",
    max_failures: int | None = None,
    resume: bool = False,
    skip_pinned: bool = False,
    expect_no: str = "",
    yes: bool = False,
    smoke_key: Path | None = None,
    engine: bool = False,
    scheduler: str = "",
) -> None:
    from tenantry.fleet.run import RunOrder

    project = running_project()
    selected = select_stacks(criteria, project)
    order = RunOrder(
        operation,
        project,
        root_of(project),
        selected,
        _split(selected, waves, wave),
        arguments,
        resume=resume,
        skip_pinned=skip_pinned,
        skip_expired=operation in ("preview", "up"),
        seconds=seconds,
        engine=engine,
    )
    stacks = due(order)
    requests = operation != "preview" or "--refresh" in arguments
    with cluster_for(scheduler if stacks else "", order.root, credentials=requests) as remote:
        consent = None
        if operation != "preview" and stacks:
            question = f"{operation} {stacks_text(stacks)}?"
            if must_ask(question, yes=yes):
                if operation == "refresh" or "--skip-preview" in arguments:
                    confirm(question)
                else:
                    consent = WaveQuestion(order, jobs, remote)
                    order = replace(order, arguments=(*arguments, *CONFIRMED_OPTIONS[operation]))
        gate = _gate(SmokeTest(order.root, smoke_key)) if smoke_key else None
        follow = followers(order, notify)
        report = run_with_progress(order, jobs, max_failures, consent, gate, follow, remote)
    finish(report, output, expect_no=expect_no)


def _gate(test: SmokeTest) -> Gate:
    """Return a gate that runs the smoke test over a wave and prints the results to standard error."""

    def gate(members: Sequence[Member]) -> str:
        echo(f"Smoke test of {counted(len(members), 'stack')}", err=True)
        results = test.run(members, print_result=lambda text: echo_text(text, err=True))
        failed = [result.stack for result in results if result.problems]
        return f"the smoke test failed for {', '.join(failed)}" if failed else ""

    return gate


def _split(selected: Selection, waves: str, wave: str) -> list[Wave]:
    from tenantry.fleet.selection import UnknownSelection
    from tenantry.fleet.waves import Wave, find_wave, split_into_waves

    if not waves:
        return [Wave("all", selected.members)]
    try:
        parts = split_into_waves(selected.members, waves)
        return find_wave(parts, wave) if wave else parts
    except UnknownSelection as error:
        fail(str(error), code=2)
