"""A run over many stacks in a terminal: what is asked before, what Ctrl-C does, what is seen meanwhile."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from tenantry.cli.output import ask, fail
from tenantry.cli.projects import root_of
from tenantry.providers.values.words import counted

if TYPE_CHECKING:
    from tenantry.cli.shared import Notices
    from tenantry.fleet.cluster.executor import ClusterRun
    from tenantry.fleet.consent import Consent, WaveDecision
    from tenantry.fleet.following import Follower
    from tenantry.fleet.members import Member
    from tenantry.fleet.outcome import Report
    from tenantry.fleet.pool import Pool
    from tenantry.fleet.run import Gate, RunOrder
    from tenantry.fleet.selection import Criteria, Selection
    from tenantry.settings.project import Project

SHOWN = 20
NOTHING_DONE = "Nothing was done."
INTERRUPTED = "interrupted"
"""How the reason begins for which a run was stopped by the user."""


def chosen_by(wanted: Criteria, project: Project) -> Selection:
    """Return the stacks that are wanted; the command ends where something that is named does not exist."""
    from tenantry.fleet.selection import UnknownSelection, select

    try:
        return select(project, root_of(project), wanted)
    except UnknownSelection as error:
        fail(f"{error}", code=2)


def confirm(question: str, *, yes: bool = False) -> None:
    """Ask before anything is changed; where nobody can be asked, --yes must have been given.

    PULUMI_SKIP_CONFIRMATIONS is the same, as for `pulumi` itself.
    """
    try:
        if must_ask(question, yes=yes) and not agrees(question):
            fail(NOTHING_DONE)
    except typer.Abort:
        raise typer.Exit(130) from None


def must_ask(question: str, *, yes: bool) -> bool:
    """Whether a question has no answer yet; the command ends where there is nobody who can be asked."""
    if yes or os.environ.get("PULUMI_SKIP_CONFIRMATIONS", "").lower() in ("1", "true"):
        return False
    if not sys.stdin.isatty():
        fail(f"{question} There is nobody to ask: add --yes.", code=2)
    return True


def agrees(question: str) -> bool:
    """Ask a question and return the answer; raises typer.Abort for a Ctrl-C, also in the middle of a run."""
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return ask(question)
    finally:
        signal.signal(signal.SIGINT, former)


def named(stacks: Sequence[str]) -> str:
    """Return how many stacks there are and which, as a question shows them."""
    shown = ", ".join(stacks[:SHOWN]) + (", …" if len(stacks) > SHOWN else "")
    return counted(len(stacks), "stack") + (f" ({shown})" if stacks else "")


def due(order: RunOrder) -> list[str]:
    """Return the stacks that have a turn; the command ends where that cannot be told."""
    try:
        return order.due
    except OSError as error:
        _cannot_begin(error)


def followers(order: RunOrder, notify: Notices, command: str = "") -> list[Follower]:
    """Return who follows a run besides the terminal: those who are to be told, and a trace where that is on.

    `command` is what the run is called, if that is not its operation.
    """
    from tenantry.fleet.tracing import tracers

    about = order.project.name, command or order.operation, len(due(order))
    return [*notify.notifiers(*about), *tracers(*about)]


def run_shown(
    order: RunOrder,
    jobs: int | None,
    max_failures: int | None = None,
    consent: Consent | None = None,
    gate: Gate | None = None,
    followers: Sequence[Follower] = (),
    remote: ClusterRun | None = None,
) -> Report:
    """Do the work while showing how it goes on; Ctrl-C stops it in an orderly way, and there is a report.

    `consent` is asked before each wave, `gate` after it; `followers` are told how it goes on. The command
    ends where the former is refused before anything was done. `remote`: the cluster that does it.
    """
    from tenantry.fleet.pool import default_jobs
    from tenantry.fleet.run import RunRefused

    try:
        at_once = jobs or (remote.cluster.threads if remote else default_jobs())
        return _shown(order, at_once, max_failures, consent, gate, followers, remote)
    except OSError as error:
        _cannot_begin(error)
    except RunRefused as refused:
        fail(NOTHING_DONE, code=130 if str(refused).startswith(INTERRUPTED) else 1)


def _shown(
    order: RunOrder,
    at_once: int,
    max_failures: int | None,
    consent: Consent | None,
    gate: Gate | None,
    followers: Sequence[Follower],
    remote: ClusterRun | None,
) -> Report:
    from tenantry.cli.live import Live
    from tenantry.fleet.following import Followers
    from tenantry.fleet.pool import Pool
    from tenantry.fleet.run import run_order

    with Live(len(due(order)), at_once) as live:
        watcher = Followers(live, followers)
        pool = Pool(at_once, max_failures, watcher)
        if remote:
            remote.attach(pool, live.say_later, watched=live.screen is not None)

        def asked(members: Sequence[Member], failures_left: int | None) -> WaveDecision:
            assert consent is not None  # noqa: S101 (for the type checker)
            with live.paused():
                agreed = consent(members, failures_left)
            live.total -= len(agreed.outcomes)
            return agreed

        def looked_at(members: Sequence[Member]) -> str:
            assert gate is not None  # noqa: S101 (for the type checker)
            with live.paused():
                return gate(members)

        with _signals(pool, live.say_later):
            report = run_order(
                order,
                pool,
                announce=live.say,
                consent=asked if consent else None,
                gate=looked_at if gate else None,
            )
            for line in watcher.finish(report):
                live.say(line)
            return report


def _cannot_begin(error: OSError) -> NoReturn:
    fail(f"The run could not begin: {error.filename or 'its journal'}: {error.strerror}")


@contextmanager
def _signals(pool: Pool, say: Callable[[str], None]) -> Iterator[None]:
    """Stop on the first Ctrl-C, interrupt what runs on the second; SIGTERM does both at once.

    `say` must not print at once.
    """
    asked, interrupts = False, 0

    def on_signal(number: int, _frame: Any) -> None:
        nonlocal asked, interrupts
        pool.stop = pool.stop or f"{INTERRUPTED} by {signal.Signals(number).name}"
        if number == signal.SIGINT and not asked:
            asked = True
            say("Stopping: the stacks that run come to their end. Ctrl-C again interrupts them.")
            return
        asked, interrupts = True, interrupts + 1
        count = pool.interrupt()
        if interrupts == 1:
            say(f"Interrupting {count}: each ends after the step that it is at. Once more drops everything.")
        else:
            say("Dropping everything. What was begun is looked for by the next run.")

    former = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
