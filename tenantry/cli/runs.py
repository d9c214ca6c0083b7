"""`tenantry preview`, `up`, `refresh` and `destroy`: what `pulumi` does to one stack, done to many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.cli.asking import Asking
from tenantry.cli.clusters import Scheduler, cluster_for
from tenantry.cli.output import echo, echo_text, fail
from tenantry.cli.projects import root_of, running_project
from tenantry.cli.reporting import finish
from tenantry.cli.running import chosen_by, confirm, due, followers, must_ask, named, run_shown
from tenantry.cli.shared import Notices, Output, notices, reports, selection, takes
from tenantry.cli.smoke import KEY, SmokeTest
from tenantry.providers.values.words import counted

if TYPE_CHECKING:
    from tenantry.fleet.members import Member
    from tenantry.fleet.outcome import Operation
    from tenantry.fleet.run import Gate
    from tenantry.fleet.selection import Criteria, Selection
    from tenantry.fleet.waves import Wave

Jobs = Annotated[
    int | None,
    typer.Option("--jobs", "-j", min=1, help="How many stacks at a time. Default: two a processor."),
]
MostFailures = Annotated[
    int | None,
    typer.Option(
        "--max-failures",
        min=0,
        help="Stop when more than so many have failed. With --waves: 0, else no limit.",
    ),
]
Resume = Annotated[
    bool,
    typer.Option("--resume", help="Leave out what went well in the last run, unless it has changed since."),
]
Refresh = Annotated[
    bool, typer.Option("--refresh", help="Look at Qlik first for what was changed outside of here.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Engine = Annotated[
    bool, typer.Option("--engine", help="Run `pulumi` for every stack, also where nothing has changed.")
]
Seconds = Annotated[
    float, typer.Option("--timeout", min=1, metavar="SECONDS", help="The longest that one stack may take.")
]
AN_HOUR = 3600.0
AFTER_A_YES: Mapping[str, Sequence[str]] = {"up": ("--skip-preview",), "destroy": ()}
"""What is added to a command whose preview was seen."""


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (preview, up, refresh, destroy):
        app.command()(command)


@takes(wanted=selection, output=reports, notify=notices)
def preview(
    wanted: Criteria,
    output: Output,
    notify: Notices,
    look: Refresh = False,
    expect_no_changes: Annotated[
        bool, typer.Option("--expect-no-changes", help="Exit code 7 if there is any change, or drift.")
    ] = False,
    expect_no_drift: Annotated[
        bool, typer.Option("--expect-no-drift", help="With --refresh: exit code 7 if there is any drift.")
    ] = False,
    engine: Engine = False,
    jobs: Jobs = None,
    scheduler: Scheduler = "",
    seconds: Seconds = AN_HOUR,
) -> None:
    """Show what `up` would change for whom; one report over all customers, grouped by identical change.

    Sends no request to Qlik and needs no credentials, unless --refresh asks for it. A customer who has no
    stack yet is previewed, too. The exit code is 1 if a stack failed.
    """
    if expect_no_drift and not look:
        fail("--expect-no-drift: only Qlik tells. Give --refresh as well.", code=2)
    arguments = ("--refresh",) if look else ()
    expect = "changes" if expect_no_changes else "drift" if expect_no_drift else ""
    _run(
        "preview",
        wanted,
        output,
        notify,
        jobs,
        seconds,
        arguments,
        expect_no=expect,
        engine=engine,
        scheduler=scheduler,
    )


@takes(wanted=selection, output=reports, notify=notices)
def up(
    wanted: Criteria,
    output: Output,
    notify: Notices,
    waves: Annotated[
        str,
        typer.Option(
            metavar="HOW",
            help="One after the other, as long as all goes well: `rings`, or percentages `10%,50%,100%`.",
            show_default=False,
        ),
    ] = "",
    wave: Annotated[
        str, typer.Option(metavar="NAME", help="Of --waves only this one.", show_default=False)
    ] = "",
    include_pinned: Annotated[
        bool,
        typer.Option(
            "--include-pinned", help="With --waves: also customers who hold a version of their own."
        ),
    ] = False,
    max_failures: MostFailures = None,
    resume: Resume = False,
    look: Refresh = False,
    skip_preview: Annotated[
        bool,
        typer.Option("--skip-preview", help="Do not look first whether all of it can be done; much faster."),
    ] = False,
    smoke: Annotated[
        bool,
        typer.Option(
            "--smoke",
            help="Run `tenantry smoke` over each wave after it; the next begins only if all is well.",
        ),
    ] = False,
    key: Annotated[Path | None, KEY] = None,
    engine: Engine = False,
    jobs: Jobs = None,
    scheduler: Scheduler = "",
    seconds: Seconds = AN_HOUR,
    yes: Yes = False,
) -> None:
    """Make every customer what the files say, in waves if asked to; trials that have ended are left out.

    Each stack is previewed first, as by `pulumi up`: one whose preview fails is left as it is. Without --yes
    the report of the previews is shown, and a question below it, wave by wave. Exit code 1 if a stack failed
    or the answer was no, 3 if the run was stopped because of a failure, 130 if it was interrupted.
    """
    if wave and not waves:
        fail("--wave: of which waves? Give --waves as well.", code=2)
    if smoke and key is None:
        fail("--smoke: with which key is a user logged in? Give --key as well.", code=2)
    most = 0 if waves and max_failures is None else max_failures
    arguments = [option for option, on in (("--refresh", look), ("--skip-preview", skip_preview)) if on]
    _run(
        "up",
        wanted,
        output,
        notify,
        jobs,
        seconds,
        arguments,
        waves=waves,
        wave=wave,
        max_failures=most,
        resume=resume,
        skip_pinned=bool(waves) and not include_pinned,
        yes=yes,
        smoke_key=key if smoke else None,
        engine=engine,
        scheduler=scheduler,
    )


@takes(wanted=selection, output=reports, notify=notices)
def refresh(
    wanted: Criteria,
    output: Output,
    notify: Notices,
    expect_no_changes: Annotated[
        bool, typer.Option("--expect-no-changes", help="Exit code 7 if anything was found.")
    ] = False,
    jobs: Jobs = None,
    scheduler: Scheduler = "",
    seconds: Seconds = AN_HOUR,
    yes: Yes = False,
) -> None:
    """Take what is at Qlik into the state of every stack; what differs from it is reported.

    Nothing is changed at Qlik. `tenantry preview --refresh` shows the same and changes no state either.
    """
    _run(
        "refresh",
        wanted,
        output,
        notify,
        jobs,
        seconds,
        (),
        expect_no="drift" if expect_no_changes else "",
        yes=yes,
        scheduler=scheduler,
    )


@takes(wanted=selection, output=reports, notify=notices)
def destroy(
    wanted: Criteria,
    output: Output,
    notify: Notices,
    max_failures: MostFailures = None,
    jobs: Jobs = None,
    scheduler: Scheduler = "",
    seconds: Seconds = AN_HOUR,
    yes: Yes = False,
) -> None:
    """Deactivate the tenants of customers, each with its days of grace; says how each can be brought back.

    Without --yes it first shows what would go. Production customers are protected: they fail here, until
    their files say `protect: false` and `up` ran.
    """
    _run(
        "destroy",
        wanted,
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
    wanted: Criteria,
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
    chosen = chosen_by(wanted, project)
    order = RunOrder(
        operation,
        project,
        root_of(project),
        chosen,
        _split(chosen, waves, wave),
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
            question = f"{operation} {named(stacks)}?"
            if must_ask(question, yes=yes):
                if operation == "refresh" or "--skip-preview" in arguments:
                    confirm(question)
                else:
                    consent = Asking(order, jobs, remote)
                    order = replace(order, arguments=(*arguments, *AFTER_A_YES[operation]))
        gate = _gate(SmokeTest(order.root, smoke_key)) if smoke_key else None
        follow = followers(order, notify)
        report = run_shown(order, jobs, max_failures, consent, gate, follow, remote)
    finish(report, output, expect_no=expect_no)


def _gate(test: SmokeTest) -> Gate:
    """Return what looks at a wave with the eyes of its users; all that it says is progress of the run."""

    def gate(members: Sequence[Member]) -> str:
        echo(f"Smoke test of {counted(len(members), 'stack')}", err=True)
        seen = test.of(members, result=lambda text: echo_text(text, err=True))
        wrong = [each.stack for each in seen if each.problems]
        return f"the smoke test failed for {', '.join(wrong)}" if wrong else ""

    return gate


def _split(chosen: Selection, waves: str, wave: str) -> list[Wave]:
    from tenantry.fleet.selection import UnknownSelection
    from tenantry.fleet.waves import Wave, find_wave, split_into_waves

    if not waves:
        return [Wave("all", chosen.members)]
    try:
        parts = split_into_waves(chosen.members, waves)
        return find_wave(parts, wave) if wave else parts
    except UnknownSelection as error:
        fail(str(error), code=2)
