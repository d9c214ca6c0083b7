"""A run over many stacks: who has a turn, what is done again, what is said of it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from tenantry.fleet.job import Job
from tenantry.fleet.outcome import DONE, Outcome, Report
from tenantry.fleet.pool import Pool
from tenantry.fleet.run import Order, run_order
from tenantry.fleet.selection import Selection
from tenantry.fleet.waves import Wave
from tenantry.providers.values.days import LastDay
from tests.fleet.conftest import Repository
from tests.fleet.samples import do_well, fail_where_asked, member

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
    """Make an order for the four."""

    def made(**more: Any) -> Order:
        waves = [Wave("all", MEMBERS)]
        more = {"now": datetime(2026, 2, 1, tzinfo=UTC), "operation": "up", **more}
        return Order(
            project=repository.project,
            root=repository.root,
            selection=Selection(MEMBERS),
            waves=waves,
            **more,
        )

    return made


def statuses(report: Report) -> dict[str, str]:
    return {each.stack: each.status for each in report.outcomes}


def test_who_is_left_out_is_known_before_anybody_is_asked(order: Any) -> None:
    one = order(hold_expired=True, hold_pinned=True)
    assert (one.due, list(one.left_out)) == (["acme", "bad"], ["over", "pinned"])
    report = run_order(one, Pool(work=do_well))
    assert statuses(report) == {"acme": "ok", "bad": "ok", "over": "skipped", "pinned": "skipped"}
    assert (len(order().due), order().left_out) == (4, {})


def test_a_run_that_is_resumed_twice_does_nothing_twice(order: Any) -> None:
    run_order(order(), Pool(work=fail_where_asked))
    for _ in range(2):
        resumed = order(resume=True)
        assert resumed.left_out == dict.fromkeys(("acme", "over", "pinned"), DONE)
        report = run_order(resumed, Pool(work=fail_where_asked))
        assert statuses(report)["bad"] == "failed"
        done = {each.stack for each in report.outcomes if each.done_before}
        assert done == {"acme", "over", "pinned"}
    run_order(order(operation="destroy"), Pool(work=do_well))
    assert order(resume=True).left_out == {}, "what was taken down meanwhile is made again"


def test_each_stack_has_an_environment_of_its_own(order: Any) -> None:
    seen: dict[str, dict[str, str]] = {}

    def work(job: Job) -> Outcome:
        seen[job.member.stack] = dict(job.environment)
        return job.outcome()

    run_order(order(environments={"acme": {"DAYS": "21"}}), Pool(work=work))
    assert seen == {"acme": {"DAYS": "21"}, "bad": {}, "over": {}, "pinned": {}}
