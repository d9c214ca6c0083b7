"""Trials that have ended or end soon, unreadable trials, and the grace period of their tenants."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from tenantry.fleet.inventory import StackStatus
from tenantry.fleet.trials import (
    Trial,
    ending_trials,
    grace_environment,
    trials_with_tenants,
    unreadable_trials,
)
from tenantry.providers.values.days import LastDay
from tenantry.providers.values.limits import GRACE_VARIABLE
from tenantry.settings.errors import Problem, SettingsError
from tests.fleet.samples import member

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
BROKEN = SettingsError("stack bad", [Problem("stacks/Pulumi.bad.yaml", 3, "customer.plan", "no such plan")])


def test_ended_and_ending_trials_are_listed() -> None:
    """A trial includes its last day. Trials without a tenant are left out."""
    days = {"gone": 1, "over": 14, "today": 15, "soon": 29, "later": 30}
    members = [member(name, ends_on=LastDay(date(2026, 6, day))) for name, day in days.items()]
    candidates = ending_trials([*members, member("paying")], NOW, 14)
    assert [trial.stack for trial in candidates] == ["gone", "over", "today", "soon"]
    trials = trials_with_tenants(
        [StackStatus(trial, hostname="h" * (trial.stack != "gone")) for trial in candidates], NOW
    )
    assert [(trial.member.stack, trial.has_ended, trial.text) for trial in trials] == [
        ("over", True, "ended on 2026-06-14 (UTC), 1 day ago"),
        ("today", False, "ends today, 2026-06-15 (UTC)"),
        ("soon", False, "ends on 2026-06-29 (UTC), in 14 days"),
    ]


def test_unreadable_trials_have_a_reason() -> None:
    """Paying customers and stacks without a tenant are left out, even if their files are broken."""
    broken = member("bad", broken=BROKEN)
    unreadable = unreadable_trials(
        [
            StackStatus(member("torn"), trouble="the passphrase is wrong"),
            StackStatus(broken, hostname="h", kind="trial"),
            StackStatus(member("paying", broken=BROKEN), hostname="h", kind="production"),
            StackStatus(member("never", broken=BROKEN)),
            StackStatus(member("fine"), hostname="h", kind="trial"),
        ]
    )
    assert unreadable == {
        "torn": "the passphrase is wrong",
        "bad": "stacks/Pulumi.bad.yaml:3: customer.plan: no such plan",
    }


def test_the_grace_period_of_the_file_applies_unless_the_variable_is_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trial = Trial(member("acme", grace_days=21), StackStatus(member("acme")), -1)
    monkeypatch.delenv(GRACE_VARIABLE, raising=False)
    assert grace_environment(trial) == {GRACE_VARIABLE: "21"}
    monkeypatch.setenv(GRACE_VARIABLE, "90")
    assert grace_environment(trial) == {}
