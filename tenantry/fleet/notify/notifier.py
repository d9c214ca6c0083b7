"""The follower of a run that notifies targets."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from tenantry.fleet.notify import events
from tenantry.fleet.notify.delivery import Delivery, Limits
from tenantry.fleet.notify.events import KINDS, Event, Kind, Run
from tenantry.fleet.notify.targets import Target

if TYPE_CHECKING:
    from tenantry.fleet.job import Job
    from tenantry.fleet.outcome import Outcome, Report

SECRET_VARIABLE = "TENANTRY_NOTIFY_SECRET"  # noqa: S105 (the name of a variable)
"""The environment variable with the secret that signs the requests to a webhook."""

SECONDS_BETWEEN_FAILURES = 30.0
"""The time between two events about failures. Failures in between share one event."""


class Notifier:
    """A follower that notifies targets about a run over `stacks` stacks.

    `kinds` has the kinds of events to send.
    """

    product = "Notifications"

    def __init__(
        self,
        targets: Sequence[Target],
        run: Run,
        stacks: int,
        kinds: Collection[Kind] = KINDS,
        limits: Limits | None = None,
    ) -> None:
        self.run, self._stacks, self._kinds = run, stacks, kinds
        self._limits = limits or Limits()
        secret = os.environ.get(SECRET_VARIABLE, "")
        self._deliveries = [Delivery(target, secret, self._limits) for target in targets]
        self._has_begun = False
        self._notified: set[str] = set()
        self._failed: list[Outcome] = []
        self._next_failures_at = 0.0

    def send(self, event: Event) -> None:
        """Send an event to all targets."""
        if event.kind in self._kinds:
            for delivery in self._deliveries:
                delivery.put(event)

    def begun(self, job: Job) -> None:
        """Handle the start of a job. The first one begins the run."""
        if not self._has_begun:
            self._has_begun = True
            self.send(events.begun(self.run, self._stacks))

    def ended(self, job: Job, outcome: Outcome) -> None:
        """Handle the end of a job."""
        if outcome.failed:
            self._failed.append(outcome)
            self.tick()

    def tick(self) -> None:
        """Report new failures, unless the last such event is too recent."""
        if self._failed and time.monotonic() >= self._next_failures_at:
            self._send_failures()

    def finish(self, report: Report) -> list[str]:
        """Report the end of the run, and return a line for each target that missed events."""
        reported = self._notified | {outcome.stack for outcome in self._failed}
        self._failed += [outcome for outcome in report.failed if outcome.stack not in reported]
        if self._failed:
            self._send_failures()
        if outcomes := [outcome for outcome in report.outcomes if outcome.drift]:
            self.send(events.drifted(self.run, outcomes))
        if report.stopped:
            self.send(events.stopped(self.run, report))
        self.send(events.ended(self.run, report))
        return self.close()

    def close(self) -> list[str]:
        """Wait briefly for the running requests, and return a line for each target that missed events."""
        for delivery in self._deliveries:
            delivery.end()
        until = time.monotonic() + self._limits.end
        return [line for delivery in self._deliveries if (line := delivery.undelivered(until))]

    def _send_failures(self) -> None:
        self.send(events.failed(self.run, self._failed))
        self._notified |= {outcome.stack for outcome in self._failed}
        self._failed = []
        self._next_failures_at = time.monotonic() + SECONDS_BETWEEN_FAILURES
