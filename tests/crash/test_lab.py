"""The lab: faults and kills at one request, the run after them, and saved labs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.lab import Lab
from tests.crash.wire import KillPoint, Request, without_tokens
from tests.e2e.customers import GLOBEX, TRIAL, Customer, with_changes

SPACE = Request("POST", "/api/v1/spaces", 1)
SMALL: Customer = {
    "name": "Globex",
    "lifecycle": TRIAL,
    "groups": {"Analysts": {}},
    "spaces": {"Sales": {"type": "managed", "access": {"Analysts": ["consumer"]}}},
}


def test_a_lost_response_creates_no_second_space(lab: Lab) -> None:
    """The client repeats the request and takes over the space. The next run has nothing to do."""
    lab.configure(SMALL)
    run = lab.up(fault=SPACE.fault(drop_after=True)).expect_ok()
    assert [call["status"] for call in run.log if call["path"] == SPACE.path] == [0, 409]
    assert any("taken over" in line for line in run.lines)
    next_run = lab.up().expect_ok()
    assert (next_run.steps, next_run.requests) == ([], [])
    assert [space["id"] for space in lab.world.every("space")] == [lab.state["Space Sales"].id]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_the_next_run_finishes_a_run_killed_at_a_request(lab: Lab, after: bool) -> None:
    """The state has the pending operation. The next run creates the space or finds it."""
    lab.configure(SMALL)
    killed = lab.up(kill=KillPoint(SPACE, after=after))
    assert killed.killed
    assert SPACE in killed.requests if after else SPACE not in killed.requests
    assert [operation for operation, urn in lab.state.pending if urn.endswith("Space::Sales")] == ["creating"]
    assert "Space Sales" not in lab.state.names
    finished = lab.up().expect_ok()
    assert "create Space Sales" in finished.steps
    assert "create Tenant tenant" not in finished.steps
    assert [space["id"] for space in lab.world.every("space")] == [lab.state["Space Sales"].id]
    assert lab.up().expect_ok().steps == []


def test_a_fault_affects_only_one_request_of_one_run(lab: Lab) -> None:
    lab.configure(SMALL)
    failed = lab.up(fault=SPACE.fault(status=403, body={"errors": [{"code": "X-1", "title": "Not you"}]}))
    assert not failed.ok
    assert any("Not you" in error for error in failed.errors)
    assert lab.qlik.control.faults == []
    assert lab.up().expect_ok().steps.count("create Space Sales") == 1


def test_everything_can_be_saved_and_restored(lab: Lab) -> None:
    """This includes Qlik, the state and the notes, and works many times."""
    lab.configure(SMALL)
    lab.up().expect_ok()
    saved, at_qlik, state = lab.save(), lab.qlik.control.dump(), lab.state.as_json()
    for _ in range(2):
        lab.advance(days=3)
        lab.destroy().expect_ok()
        assert lab.state.names == []
        assert list(lab.tenant_statuses.values()) == ["disabled"]
        lab.restore(saved)
        assert lab.qlik.control.dump() == at_qlik
        assert lab.state.as_json() == state
    assert lab.up().expect_ok().requests == []
    assert lab.refresh().expect_ok().steps == []


def test_a_wait_advances_both_clocks(scratch: Path) -> None:
    """A wait of half an hour for an app takes no real time."""
    with Lab(scratch, publish_ready_ms=1_800_000) as lab:
        lab.env["TENANTRY_READY_SECONDS"] = "3600"
        lab.env["TENANTRY_DEADLINE"] = "7200"
        lab.configure(GLOBEX)
        before = lab.now()
        run = lab.up().expect_ok()
        assert lab.now() - before >= 1800
        assert any("waiting for" in line for line in run.lines)


def test_time_between_two_runs_also_advances_the_client(lab: Lab) -> None:
    """Otherwise, a new client would treat an old token as fresh."""
    lab.configure(SMALL)
    lab.up().expect_ok()
    lab.advance(days=30)
    request = next(
        call for call in lab.refresh().expect_ok().log if call["path"].startswith("/api/v1/spaces")
    )
    assert request["time"] > lab.state["TenantProof proof"].outputs["proof"]["made_at"]
    assert lab.up().expect_ok().steps == []


def test_each_run_has_its_own_process(lab: Lab) -> None:
    """A run leaves nothing in memory for the next run, so each run requests its own token."""
    lab.configure(SMALL)
    lab.up().expect_ok()
    for _ in range(2):
        tokens = [
            request for request in lab.refresh().expect_ok().requests if request.path.endswith("/token")
        ]
        assert len(tokens) == 1


def test_requests_have_the_same_names_in_each_run(lab: Lab) -> None:
    """The names do not depend on ids and hostnames."""
    lab.configure(GLOBEX)
    saved = lab.save()
    runs = []
    for _ in range(2):
        lab.restore(saved)
        runs.append(without_tokens(lab.up().expect_ok().requests))
    assert sorted(map(str, runs[0])) == sorted(map(str, runs[1]))
    assert Request("POST", "/api/v1/spaces/*/assignments", 1) in runs[0]


def test_the_state_is_readable_while_it_is_written(lab: Lab) -> None:
    """The file has two groups with one name. The error names the first, which the run finds in the state."""
    lab.configure(with_changes(SMALL, ("groups/Analysts", {"name": "Same"})))
    lab.up().expect_ok()
    lab.configure(
        with_changes(SMALL, ("groups/Analysts", {"name": "Same"}), ("groups/Again", {"name": "Same"}))
    )
    run = lab.up()
    assert not run.ok
    assert any("Analysts" in error for error in run.errors), run.errors
