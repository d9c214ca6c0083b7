"""A run over many stacks in a terminal: the question before it, the display, and the handling of Ctrl-C."""

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

MAX_SHOWN_NAMES = 20
NOTHING_DONE = "Nothing was done."
INTERRUPTED = "interrupted"
"""The first word of the stop reason if the user stopped the run."""


def select_stacks(criteria: Criteria, project: Project) -> Selection:
    """Return the selected stacks. The command ends with an error if one does not exist."""
    from tenantry.fleet.selection import UnknownSelection, select

    try:
        return select(project, root_of(project), criteria)
    except UnknownSelection as error:
        fail(f"{error}", code=2)


def confirm(question: str, *, yes: bool = False) -> None:
    """Ask before anything is changed. Without a terminal, --yes is required.

    As with `pulumi`, the variable PULUMI_SKIP_CONFIRMATIONS has the same effect as --yes.
    """
    try:
        if must_ask(question, yes=yes) and not agrees(question):
            fail(NOTHING_DONE)
    except typer.Abort:
        raise typer.Exit(130) from None


def must_ask(question: str, *, yes: bool) -> bool:
    """Tell whether to ask the user. The command ends with an error if there is no terminal to ask on."""
    if yes or os.environ.get("PULUMI_SKIP_CONFIRMATIONS", "").lower() in ("1", "true"):
        return False
    if not sys.stdin.isatty():
        fail(f"{question} There is no terminal for the confirmation. Add --yes.", code=2)
    return True


def agrees(question: str) -> bool:
    """Ask a yes/no question. Raises typer.Abort for Ctrl-C, even during a run."""
    previous_handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return ask(question)
    finally:
        signal.signal(signal.SIGINT, previous_handler)


def stacks_text(stacks: Sequence[str]) -> str:
    """Return the number of stacks and their names, for a question."""
    shown = ", ".join(stacks[:MAX_SHOWN_NAMES]) + (", …" if len(stacks) > MAX_SHOWN_NAMES else "")
    return counted(len(stacks), "stack") + (f" ({shown})" if stacks else "")


def due(order: RunOrder) -> list[str]:
    """Return the stacks that will run. The command ends with an error if the journal cannot be read."""
    try:
        return order.due
    except OSError as error:
        _cannot_start(error)


def followers(order: RunOrder, notify: Notices, command: str = "") -> list[Follower]:
    """Return the notifiers of a run, and its trace if tracing is on.

    `command` is the name of the run, if it differs from its operation.
    """
    from tenantry.fleet.tracing import tracers

    run_facts = order.project.name, command or order.operation, len(due(order))
    return [*notify.notifiers(*run_facts), *tracers(*run_facts)]


def run_with_progress(
    order: RunOrder,
    jobs: int | None,
    max_failures: int | None = None,
    consent: Consent | None = None,
    gate: Gate | None = None,
    followers: Sequence[Follower] = (),
    remote: ClusterRun | None = None,
) -> Report:
    """Run the stacks and show the progress. Ctrl-C stops the run in an orderly way.

    `consent` is called before each wave, and `gate` after it. `followers` receive the events. `remote` is the
    cluster that runs the stacks. The command ends if the user refuses before anything was done.
    """
    from tenantry.fleet.pool import default_jobs
    from tenantry.fleet.run import RunRefused

    try:
        at_once = jobs or (remote.cluster.threads if remote else default_jobs())
        return _run_with_display(order, at_once, max_failures, consent, gate, followers, remote)
    except OSError as error:
        _cannot_start(error)
    except RunRefused as refused:
        fail(NOTHING_DONE, code=130 if str(refused).startswith(INTERRUPTED) else 1)


def _run_with_display(
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

        def ask_paused(members: Sequence[Member], failures_left: int | None) -> WaveDecision:
            assert consent is not None  # noqa: S101 (for the type checker)
            with live.paused():
                decision = consent(members, failures_left)
            live.total -= len(decision.outcomes)
            return decision

        def check_paused(members: Sequence[Member]) -> str:
            assert gate is not None  # noqa: S101 (for the type checker)
            with live.paused():
                return gate(members)

        with _signals(pool, live.say_later):
            report = run_order(
                order,
                pool,
                announce=live.say,
                consent=ask_paused if consent else None,
                gate=check_paused if gate else None,
            )
            for line in watcher.finish(report):
                live.say(line)
            return report


def _cannot_start(error: OSError) -> NoReturn:
    fail(f"The run could not start: {error.filename or 'its journal'}: {error.strerror}")


@contextmanager
def _signals(pool: Pool, say: Callable[[str], None]) -> Iterator[None]:
    """Stop on the first Ctrl-C, and interrupt running stacks on the second. SIGTERM does both.

    `say` must not print immediately.
    """
    stopping, interrupts = False, 0

    def on_signal(number: int, _frame: Any) -> None:
        nonlocal stopping, interrupts
        pool.stop = pool.stop or f"{INTERRUPTED} by {signal.Signals(number).name}"
        if number == signal.SIGINT and not stopping:
            stopping = True
            say("Stopping after the running stacks. Press Ctrl-C again to interrupt them.")
            return
        stopping, interrupts = True, interrupts + 1
        count = pool.interrupt()
        if interrupts == 1:
            say(f"Interrupting {count}: each ends after its current step. Press Ctrl-C again to abort now.")
        else:
            say("Aborting now. The next run looks for unfinished work.")

    previous_handlers = {
        number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in previous_handlers.items():
            signal.signal(number, handler)
