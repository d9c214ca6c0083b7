"""The question before an `up` or `destroy`, below the report of its previews."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import typer

from tenantry.cli.output import echo
from tenantry.cli.reporting import show
from tenantry.cli.running import INTERRUPTED, agrees, run_with_progress, stacks_text
from tenantry.providers.values.words import counted

if TYPE_CHECKING:
    from tenantry.fleet.cluster.executor import ClusterRun
    from tenantry.fleet.consent import WaveDecision
    from tenantry.fleet.members import Member
    from tenantry.fleet.outcome import Outcome, Report
    from tenantry.fleet.run import RunOrder


@dataclass(frozen=True)
class WaveQuestion:
    """The question to the user before each wave of a run.

    `jobs` is how many stacks are previewed at once, and `remote` is the cluster that previews them.
    """

    order: RunOrder
    jobs: int | None
    remote: ClusterRun | None = None

    def __call__(self, members: Sequence[Member], failures_left: int | None) -> WaveDecision:
        """Preview the stacks, print the report, and ask.

        If the files, code or state of a stack change before the user answers, the stack is previewed again
        and the user is asked again. The answer no ends the run.
        """
        from tenantry.fleet.consent import WaveDecision, fingerprints
        from tenantry.fleet.members import members as read_again

        remaining = {member.stack: member for member in members}
        outcomes: list[Outcome] = []
        shown_fingerprints: dict[str, str] = {}
        while remaining:
            remaining = {
                member.stack: member
                for member in read_again({name: remaining[name].file for name in remaining})
            }
            current_fingerprints = fingerprints(self.order.root, remaining.values())
            due = [
                remaining[name]
                for name in remaining
                if shown_fingerprints.get(name) != current_fingerprints[name]
            ]
            if not due:
                break
            if shown_fingerprints:
                echo(f"Changed since the preview: {stacks_text([member.stack for member in due])}.", err=True)
            report = self._preview(due)
            if report.stopped:
                return WaveDecision(list(remaining.values()), outcomes, report.stopped)
            for outcome in report.outcomes:
                if outcome.status != "ok" or not _has_work(report):
                    outcomes.append(replace(outcome, operation=self.order.operation, changes=(), drift=()))
                    del remaining[outcome.stack]
            if failures_left is not None and sum(outcome.failed for outcome in outcomes) > failures_left:
                break
            if stacks := [member.stack for member in due if member.stack in remaining]:
                show(report, "", err=True)
                if stop := _refusal(self._question(stacks, len(due) - len(stacks))):
                    return WaveDecision(list(remaining.values()), outcomes, stop)
                shown_fingerprints |= {stack: current_fingerprints[stack] for stack in stacks}
        return WaveDecision(list(remaining.values()), outcomes)

    def _preview(self, due: Sequence[Member]) -> Report:
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
        return run_with_progress(preview, self.jobs, remote=self.remote)

    def _question(self, stacks: Sequence[str], others: int) -> str:
        rest = f", and skip {counted(others, 'other')}"
        return f"{self.order.operation} {stacks_text(stacks)}{rest if others else ''}?"


def _refusal(question: str) -> str:
    """Ask a question. Return why the run ends, or an empty string if the answer is yes."""
    from tenantry.fleet.consent import DECLINED

    try:
        return "" if agrees(question) else DECLINED
    except typer.Abort:
        return f"{INTERRUPTED} at a question"


def _has_work(report: Report) -> bool:
    """Tell whether there is anything to do in any stack. A remark can also mean work."""
    return any(outcome.changes or outcome.drift or outcome.remarks for outcome in report.outcomes)
