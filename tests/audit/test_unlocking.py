"""Tests of the locks that may be cleared, and of the next steps after that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tenantry.audit.locks import Lock
from tenantry.audit.unlocking import Judge, describe_pending_operations, stale_after
from tests.audit.states import app, creating, proof, state, tenant

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def lock(host: str = "here", minutes: float | None = 10) -> Lock:
    """Return a lock of this age. The age is unknown if `minutes` is None."""
    return Lock("ada", host, 42, None if minutes is None else NOW - timedelta(minutes=minutes))


def judge(*, alive: bool = False, older_than: float | None = None) -> Judge:
    """Return the judge on the machine "here". The process of a lock runs if `alive` is true."""
    age = None if older_than is None else timedelta(minutes=older_than)
    return Judge("here", NOW, lambda pid: alive and pid == 42, age)


@pytest.mark.parametrize("older_than", [None, 0])
@pytest.mark.parametrize("age", [1.0, 1_000_000.0, None])
def test_a_running_process_keeps_its_lock_at_any_age(age: float | None, older_than: float | None) -> None:
    verdict = judge(alive=True, older_than=older_than).verdict(lock(minutes=age))
    assert not verdict.may_be_cleared
    assert "process 42 runs on this machine" in str(verdict)
    assert str(verdict).startswith("ada@here (pid 42)")


def test_a_running_process_is_reported_with_its_start_time() -> None:
    assert "since 2026-03-01T11:50:00+00:00" in str(judge(alive=True).verdict(lock()))


@pytest.mark.parametrize(
    ("age", "older_than", "clear"),
    [(0, None, True), (None, None, True), (10, 5, True), (10, 15, False), (None, 15, False)],
)
def test_the_lock_of_an_ended_process_is_cleared(
    age: float | None, older_than: float | None, clear: bool
) -> None:
    """The age of the lock matters only if the user sets a limit."""
    assert judge(older_than=older_than).verdict(lock(minutes=age)).may_be_cleared is clear


@pytest.mark.parametrize(
    ("age", "older_than", "clear"),
    [
        (70, None, False),
        (80, None, True),
        (70, 60, True),
        (70, 70, False),
        (-5, 0, False),  # the clock of the other machine is ahead
        (None, 0, False),
        (None, None, False),
    ],
)
@pytest.mark.parametrize("alive", [True, False])
def test_the_lock_of_another_machine_is_cleared_by_its_age(
    age: float | None, older_than: float | None, clear: bool, alive: bool
) -> None:
    """A process with this id on this machine is another process."""
    verdict = judge(alive=alive, older_than=older_than).verdict(lock("there", age))
    assert verdict.may_be_cleared is clear
    assert "another machine" in verdict.text


def test_a_truncated_lock_is_cleared_by_its_age() -> None:
    assert not judge().verdict(lock("", 70)).may_be_cleared
    assert judge().verdict(lock("", 80)).may_be_cleared


def test_the_age_limit_follows_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TENANTRY_CREATION_SECONDS", "TENANTRY_LAG_SECONDS"):
        monkeypatch.delenv(name, raising=False)
    default = stale_after()
    assert timedelta(minutes=75) < default < timedelta(minutes=76)
    monkeypatch.setenv("TENANTRY_CREATION_SECONDS", "900")
    monkeypatch.setenv("TENANTRY_LAG_SECONDS", "60")
    assert stale_after() - default == timedelta(seconds=600 + 30)


def aftermath_text(*resources: dict[str, Any], pending: list[dict[str, Any]]) -> str:
    """Return the printed lines about a state."""
    return "\n".join(describe_pending_operations("globex", state(*resources, pending=pending)))


def test_an_interrupted_creation_without_a_proof_needs_a_check() -> None:
    """Without a proof, Tenantry cannot find out whether Qlik created the tenant."""
    text = aftermath_text(pending=[creating(tenant("x1"))])
    assert "interrupted while creating Tenant tenant." in text
    assert "no proof" in text
    assert "`tenantry orphans`" in text
    assert text.endswith("Next: pulumi up --stack globex")


@pytest.mark.parametrize("existing", [[proof()], [tenant("x1")]])
def test_with_a_proof_or_the_tenant_the_next_run_continues(existing: list[dict[str, Any]]) -> None:
    text = aftermath_text(*existing, pending=[creating(tenant("x1"))])
    assert "orphans" not in text
    assert text.endswith("Next: pulumi up --stack globex")


def test_the_next_run_continues_an_interrupted_creation_of_another_object() -> None:
    assert aftermath_text(pending=[creating(app())]) == (
        "A run was interrupted while creating App Sales.\nNext: pulumi up --stack globex"
    )


def test_without_pending_operations_nothing_is_printed() -> None:
    assert aftermath_text(tenant("x1"), pending=[]) == ""
    assert describe_pending_operations("globex", {"version": 3, "deployment": None}) == []
