"""A run over many stacks: the stacks that it runs, skips and resumes, and its report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from tenantry.fleet.consent import DECLINED, WaveDecision
from tenantry.fleet.job import Job
from tenantry.fleet.journal import Journal
from tenantry.fleet.members import Member
from tenantry.fleet.outcome import DONE_EARLIER, Outcome, Report
from tenantry.fleet.pool import Pool
from tenantry.fleet.run import RunOrder, RunRefused, run_order
from tenantry.fleet.selection import Selection
from tenantry.fleet.waves import Wave
from tenantry.providers.values.days import LastDay
from tests.fleet.conftest import Repository
from tests.fleet.samples import fail_bad_stacks, job, member, succeed

MEMBERS = (
    member("acme"),
    member("bad"),
    member("over", ends_on=LastDay(date(2026, 1, 1))),
    member("pinned", pinned=("Sales 1.0.0 (plan: 2.0.0)",)),
)


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENANTRY_STATE", str(tmp_path / "state" / "intents"))


@pytest.fixture
def order(repository: Repository) -> Any:
    """Return a function that creates an order for the four members."""

    def create_order(**options: Any) -> RunOrder:
        waves = [Wave("all", MEMBERS)]
        options = {"now": datetime(2026, 2, 1, tzinfo=UTC), "operation": "up", **options}
        return RunOrder(
            project=repository.project,
            root=repository.root,
            selection=Selection(MEMBERS),
            waves=waves,
            **options,
        )

    return create_order


def statuses(report: Report) -> dict[str, str]:
    return {outcome.stack: outcome.status for outcome in report.outcomes}


def test_skipped_stacks_are_known_before_consent(order: Any) -> None:
    skipping = order(skip_expired=True, skip_pinned=True)
    assert (skipping.due, list(skipping.skip_reasons)) == (["acme", "bad"], ["over", "pinned"])
    report = run_order(skipping, Pool(work=succeed))
    assert statuses(report) == {"acme": "ok", "bad": "ok", "over": "skipped", "pinned": "skipped"}
    assert (len(order().due), order().skip_reasons) == (4, {})


def test_a_run_that_is_resumed_twice_runs_each_finished_stack_once(order: Any) -> None:
    run_order(order(), Pool(work=fail_bad_stacks))
    for _ in range(2):
        resumed = order(resume=True)
        assert resumed.skip_reasons == dict.fromkeys(("acme", "over", "pinned"), DONE_EARLIER)
        report = run_order(resumed, Pool(work=fail_bad_stacks))
        assert statuses(report)["bad"] == "failed"
        done = {outcome.stack for outcome in report.outcomes if outcome.done_before}
        assert done == {"acme", "over", "pinned"}
    run_order(order(operation="destroy"), Pool(work=succeed))
    assert order(resume=True).skip_reasons == {}, "a stack that was destroyed later is created again"


def test_each_stack_has_its_own_environment(order: Any) -> None:
    environments: dict[str, dict[str, str]] = {}

    def work(job: Job) -> Outcome:
        environments[job.member.stack] = dict(job.environment)
        return job.outcome()

    run_order(order(environments={"acme": {"DAYS": "21"}}), Pool(work=work))
    assert environments == {"acme": {"DAYS": "21"}, "bad": {}, "over": {}, "pinned": {}}


def test_a_gate_stops_the_next_wave_also_when_resumed(order: Any) -> None:
    acme, bad, over, pinned = MEMBERS
    waves = [Wave("pilot", (acme, bad)), Wave("broad", (over, pinned))]
    checked: list[list[str]] = []

    def refuse(members: Sequence[Member]) -> str:
        checked.append([member.stack for member in members])
        return "the smoke test failed for acme"

    for resume in (False, True):
        one_order = replace(order(resume=resume), waves=waves)
        report = run_order(one_order, Pool(work=fail_bad_stacks), gate=refuse)
        assert statuses(report)["pinned"] == "not run"
        assert report.stopped == "the smoke test failed for acme"
    assert checked == [["acme"], ["acme"]], "failed stacks are not checked, finished stacks are checked again"
    report = run_order(replace(order(resume=True), waves=waves), Pool(work=succeed), gate=lambda _: "")
    assert set(statuses(report).values()) == {"ok", "skipped"}
    assert report.stopped == ""


def test_a_declined_run_leaves_no_journal(order: Any) -> None:
    """The previous run can still be resumed. Declining a later wave stops it and all waves after it."""
    run_order(order(), Pool(work=fail_bad_stacks))
    last = Journal.last("tenantry", "up")
    with pytest.raises(RunRefused):
        run_order(
            order(), Pool(work=succeed), consent=lambda members, _: WaveDecision(members, stop=DECLINED)
        )
    assert Journal.last("tenantry", "up") == last

    waves = [Wave("pilot", MEMBERS[:1]), Wave("early", MEMBERS[1:2]), Wave("broad", MEMBERS[2:])]
    previewed: list[str] = []

    def decline_second_wave(members: Sequence[Member], _: int | None) -> WaveDecision:
        previewed.extend(member.stack for member in members)
        return WaveDecision(members, stop=DECLINED if "bad" in previewed else "")

    report = run_order(replace(order(), waves=waves), Pool(work=succeed), consent=decline_second_wave)
    assert previewed == ["acme", "bad"]
    assert statuses(report) == {"acme": "ok", "bad": "not run", "over": "not run", "pinned": "not run"}


def test_previews_that_fail_count_as_failures(order: Any) -> None:
    failed = [job(member.stack).outcome(status="failed") for member in MEMBERS[1:2]]
    allowed_failures: list[int | None] = []

    def consent(members: Sequence[Member], failures_left: int | None) -> WaveDecision:
        allowed_failures.append(failures_left)
        return WaveDecision([member for member in members if member.stack != "bad"], failed)

    report = run_order(order(), Pool(work=succeed, max_failures=0), consent=consent)
    assert (allowed_failures, report.stopped) == ([0], "1 failed, none may fail")
    assert statuses(report) == {"acme": "not run", "bad": "failed", "over": "not run", "pinned": "not run"}


def test_a_report_has_the_times_of_each_wave(order: Any) -> None:
    acme, bad, over, pinned = MEMBERS
    waves = [Wave("pilot", (acme, over)), Wave("early", (bad,)), Wave("broad", (pinned,))]
    one_order = replace(order(skip_expired=True, arguments=("--refresh",)), waves=waves)
    report = run_order(one_order, Pool(work=fail_bad_stacks, max_failures=0))
    assert [(wave.name, wave.stacks, wave.failed) for wave in report.waves] == [
        ("pilot", 1, 0),
        ("early", 1, 1),
    ]
    first, second = report.waves
    assert 0 <= first.began <= first.began + first.seconds <= second.began + 0.1
    assert report.looked
    assert not run_order(order(), Pool(work=succeed)).looked
