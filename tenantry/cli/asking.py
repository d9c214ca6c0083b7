"""A question below the report of what a yes would do: each stack is previewed for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import typer

from tenantry.cli.output import echo
from tenantry.cli.reporting import show
from tenantry.cli.running import INTERRUPTED, agrees, named, run_shown
from tenantry.providers.values.words import counted

if TYPE_CHECKING:
    from tenantry.fleet.cluster.executor import ClusterRun
    from tenantry.fleet.consent import WaveDecision
    from tenantry.fleet.members import Member
    from tenantry.fleet.outcome import Outcome, Report
    from tenantry.fleet.run import RunOrder


@dataclass(frozen=True)
class Asking:
    """Asks for the stacks of an order, a wave at a time. `jobs`: how many are previewed at once.

    `remote`: the cluster that previews them.
    """

    order: RunOrder
    jobs: int | None
    remote: ClusterRun | None = None

    def __call__(self, members: Sequence[Member], failures_left: int | None) -> WaveDecision:
        """Preview the stacks, show what there is to do, and ask.

        One that is not as it was previewed by the time of the answer, in its files, code or state, is
        previewed and asked for again. Only a yes is waited for: a no ends the run.
        """
        from tenantry.fleet.consent import WaveDecision, fingerprints
        from tenantry.fleet.members import members as read_again

        left = {each.stack: each for each in members}
        told: list[Outcome] = []
        seen: dict[str, str] = {}
        while left:
            left = {each.stack: each for each in read_again({name: left[name].file for name in left})}
            now = fingerprints(self.order.root, left.values())
            due = [left[name] for name in left if seen.get(name) != now[name]]
            if not due:
                break
            if seen:
                echo(f"Changed since the preview: {named([each.stack for each in due])}.", err=True)
            report = self._previewed(due)
            if report.stopped:
                return WaveDecision(list(left.values()), told, report.stopped)
            for each in report.outcomes:
                if each.status != "ok" or not _anything(report):
                    told.append(replace(each, operation=self.order.operation, changes=(), drift=()))
                    del left[each.stack]
            if failures_left is not None and sum(each.failed for each in told) > failures_left:
                break
            if stacks := [each.stack for each in due if each.stack in left]:
                show(report, "", err=True)
                if stop := _refusal(self._question(stacks, len(due) - len(stacks))):
                    return WaveDecision(list(left.values()), told, stop)
                seen |= {stack: now[stack] for stack in stacks}
        return WaveDecision(list(left.values()), told)

    def _previewed(self, due: Sequence[Member]) -> Report:
        from tenantry.fleet.selection import Selection
        from tenantry.fleet.waves import Wave

        preview = replace(
            self.order,
            operation="preview",
            previewed=self.order.operation,
            selection=Selection(tuple(due)),
            waves=[Wave("all", tuple(due))],
            resume=False,
            skip_pinned=False,
            skip_expired=False,
        )
        return run_shown(preview, self.jobs, remote=self.remote)

    def _question(self, stacks: Sequence[str], others: int) -> str:
        rest = f", and leave {counted(others, 'other')} as {'it is' if others == 1 else 'they are'}"
        return f"{self.order.operation} {named(stacks)}{rest if others else ''}?"


def _refusal(question: str) -> str:
    """Ask, and return why the run ends here; nothing for a yes."""
    from tenantry.fleet.consent import DECLINED

    try:
        return "" if agrees(question) else DECLINED
    except typer.Abort:
        return f"{INTERRUPTED} at a question"


def _anything(report: Report) -> bool:
    """Whether there is anything to be done in any stack; what is said of one may be."""
    return any(each.changes or each.drift or each.remarks for each in report.outcomes)
