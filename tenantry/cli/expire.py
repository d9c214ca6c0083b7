"""`tenantry expire`: deactivation of trials that have ended, and a list of trials that end soon."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tenantry.cli.commands import add_command
from tenantry.cli.export_content import JoinSpaces, export_all
from tenantry.cli.output import echo, echo_text, fail, markdown_table, print_json, print_table
from tenantry.cli.progress import READING_FILES, READING_STATES, followed, working
from tenantry.cli.projects import root_of, running_project
from tenantry.cli.reporting import FAILED, finish
from tenantry.cli.running import confirm, followers, run_with_progress, select_stacks, stacks_text
from tenantry.cli.runs import DEFAULT_TIMEOUT_SECONDS, Jobs, Seconds, Yes
from tenantry.cli.shared import Notices, Output, any_selection, notices, reports, with_options
from tenantry.text import for_markdown

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from tenantry.fleet.selection import Criteria
    from tenantry.fleet.trials import Trial
    from tenantry.settings.project import Project

REMINDER_DAYS = 14
UNKNOWN = "These stacks could not be read, so they are not taken down:"
COLUMNS = ("stack", "customer", "trial", "days of grace", "tenant")


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    add_command(app, expire, example="expire --dry-run")


@with_options(criteria=any_selection, output=reports, notify=notices)
def expire(
    criteria: Criteria,
    output: Output,
    notify: Notices,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only list the trials that have ended or end soon.")
    ] = False,
    within: Annotated[
        int,
        typer.Option(min=0, metavar="DAYS", help="Also list the trials that end within this number of days."),
    ] = REMINDER_DAYS,
    jobs: Jobs = None,
    seconds: Seconds = DEFAULT_TIMEOUT_SECONDS,
    yes: Yes = False,
    export: Annotated[
        Path | None,
        typer.Option(
            "--export",
            metavar="DIR",
            help="First save apps, users and groups in this folder, like `export-content`. A tenant whose "
            "content cannot be saved completely stays up.",
            show_default=False,
        ),
    ] = None,
    join_spaces: JoinSpaces = False,
) -> None:
    """Deactivate the tenants of trials that have ended.

    A trial ends at midnight after its last day, in the `time_zone` of its file (default: UTC). The grace
    period also comes from the file. Without stack names, the command checks all stacks. It deactivates each
    tenant like `destroy`. The report says when Qlik purges the tenant, and has the line that brings it back
    until then. To keep a trial, set a later `ends_on` or `kind: production` in its file. With --dry-run,
    --reports writes trials.json and trials.md.
    """
    from tenantry.fleet.inventory import stack_statuses
    from tenantry.fleet.pool import default_jobs
    from tenantry.fleet.trials import ending_trials, trials_with_tenants, unreadable_trials
    from tenantry.state.backend import Backend
    from tenantry.state.reading import Reader

    if join_spaces and not export:
        fail("--join-spaces needs --export.", code=2)
    project, now = running_project(), datetime.now(UTC)
    with working(READING_FILES):
        selected = select_stacks(criteria, project)
        reader = Reader.of(Backend(root_of(project)), project)
    broken = [member for member in selected.members if member.broken]
    members = [*ending_trials(selected.members, now, within), *broken]
    status_iterator = stack_statuses(reader, members, jobs or default_jobs())
    statuses = list(followed(status_iterator, READING_STATES, len(members)))
    trials = trials_with_tenants(statuses, now)
    ended = [trial for trial in trials if trial.has_ended]
    unreadable, unsaved = unreadable_trials(statuses), False
    _notify(notify, project, trials, within)
    for stack, reason in sorted(unreadable.items()):
        echo(f"{stack}: {reason}", err=True)
    if dry_run or not output.form:
        _list(trials, unreadable, output)
    if dry_run and output.folder:
        _write(trials, unreadable, output.folder)
    if not dry_run:
        confirm(f"Take down {stacks_text([trial.member.stack for trial in ended])}?", yes=yes or not ended)
        if export:
            saved = export_all([trial.stack_status for trial in ended], export, join=join_spaces, err=True)
            ended, unsaved = _split_by_saved(ended, saved)
        if ended or output.form or output.folder:
            _take_down(project, ended, output, notify, jobs, seconds)
    if unreadable or unsaved:
        raise typer.Exit(FAILED)


def _split_by_saved(ended: Sequence[Trial], saved: Collection[str]) -> tuple[list[Trial], bool]:
    """Return the trials whose content is saved, and whether there are other trials.

    Prints the names of the others.
    """
    unsaved = [trial.member.stack for trial in ended if trial.member.stack not in saved]
    if unsaved:
        echo(
            f"Not taken down, because not all of their content could be saved: {', '.join(unsaved)}", err=True
        )
    return [trial for trial in ended if trial.member.stack in saved], bool(unsaved)


def _take_down(
    project: Project,
    ended: Sequence[Trial],
    output: Output,
    notify: Notices,
    jobs: int | None,
    seconds: float,
) -> None:
    """Destroy the stacks of trials, each with the grace period of its file."""
    from tenantry.fleet.run import RunOrder
    from tenantry.fleet.selection import Selection
    from tenantry.fleet.trials import grace_environment
    from tenantry.fleet.waves import Wave

    members = tuple(trial.member for trial in ended)
    order = RunOrder(
        "destroy",
        project,
        root_of(project),
        Selection(members),
        [Wave("all", members)],
        environments={trial.member.stack: grace_environment(trial) for trial in ended},
        seconds=seconds,
    )
    finish(run_with_progress(order, jobs, followers=followers(order, notify, "expire")), output)


def _notify(notify: Notices, project: Project, trials: Sequence[Trial], within: int) -> None:
    """Send notifications of the trials that have ended or end soon."""
    from tenantry.fleet.notify import events

    for notifier in notify.notifiers(project.name, "expire", len(trials)) if trials else ():
        notifier.send(
            events.trials(notifier.run, {trial.member.stack: trial.text for trial in trials}, within)
        )
        for line in notifier.close():
            echo(line, err=True)


def _list(trials: Sequence[Trial], unreadable: Mapping[str, str], output: Output) -> None:
    if output.form == "json":
        print_json(_trials_json(trials, unreadable))
    elif output.form == "markdown":
        echo_text(_markdown(trials, unreadable))
    elif trials:
        print_table(COLUMNS, [_row(trial) for trial in trials], dim=[not trial.has_ended for trial in trials])
    else:
        echo("No trial with a tenant has ended or ends soon.")


def _write(trials: Sequence[Trial], unreadable: Mapping[str, str], folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "trials.json").write_text(json.dumps(_trials_json(trials, unreadable)) + "\n", "utf-8")
        (folder / "trials.md").write_text(_markdown(trials, unreadable) + "\n", "utf-8")
    except OSError as error:
        fail(f"The list cannot be written into {folder}: {error.strerror}")


def _markdown(trials: Sequence[Trial], unreadable: Mapping[str, str]) -> str:
    table = markdown_table(COLUMNS, [_row(trial) for trial in trials])
    unknown = [
        f"- {for_markdown(stack)}: {for_markdown(reason)}" for stack, reason in sorted(unreadable.items())
    ]
    return "\n".join([table, *(["", UNKNOWN, "", *unknown] if unknown else [])])


def _trials_json(trials: Sequence[Trial], unreadable: Mapping[str, str]) -> dict[str, Any]:
    return {"trials": [_json(trial) for trial in trials], "unknown": dict(sorted(unreadable.items()))}


def _row(trial: Trial) -> tuple[str, ...]:
    member = trial.member
    return (
        member.stack,
        member.customer,
        trial.text,
        str(member.grace_days),
        trial.stack_status.hostname,
    )


def _json(trial: Trial) -> dict[str, Any]:
    member = trial.member
    return {
        "stack": member.stack,
        "customer": member.customer,
        "plan": member.plan or None,
        "ends_on": str(member.ends_on.day) if member.ends_on else "",
        "time_zone": member.ends_on.zone if member.ends_on else "",
        "days": trial.days,
        "over": trial.has_ended,
        "grace_days": member.grace_days,
        "hostname": trial.stack_status.hostname,
    }
