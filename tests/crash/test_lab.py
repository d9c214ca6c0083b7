"""Runs with a fault at one request, and the run after it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.lab import Lab
from tests.crash.wire import Kill, Request, without_tokens
from tests.e2e.customers import GLOBEX, TRIAL, Customer, changed

SPACE = Request("POST", "/api/v1/spaces", 1)
SMALL: Customer = {
    "name": "Globex",
    "lifecycle": TRIAL,
    "groups": {"Analysts": {}},
    "spaces": {"Sales": {"type": "managed", "access": {"Analysts": ["consumer"]}}},
}


def test_a_lost_response_creates_no_second_space(lab: Lab) -> None:
    """Qlik created the space, and the client repeated the request and took it over. The next run is idle."""
    lab.write(SMALL)
    run = lab.up(fault=SPACE.fault(drop_after=True)).expect_ok()
    assert [call["status"] for call in run.log if call["path"] == SPACE.path] == [0, 409]
    assert any("taken over" in line for line in run.lines)
    again = lab.up().expect_ok()
    assert (again.steps, again.requests) == ([], [])
    assert [space["id"] for space in lab.world.every("space")] == [lab.state["Space Sales"].id]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_the_process_is_killed_at_a_request(lab: Lab, after: bool) -> None:
    """The state has the pending operation. The next run creates the space or finds it."""
    lab.write(SMALL)
    killed = lab.up(kill=Kill(SPACE, after=after))
    assert killed.killed
    assert SPACE in killed.requests if after else SPACE not in killed.requests
    assert [doing for doing, urn in lab.state.pending if urn.endswith("Space::Sales")] == ["creating"]
    assert "Space Sales" not in lab.state.names
    finished = lab.up().expect_ok()
    assert "create Space Sales" in finished.steps
    assert "create Tenant tenant" not in finished.steps
    assert [space["id"] for space in lab.world.every("space")] == [lab.state["Space Sales"].id]
    assert lab.up().expect_ok().steps == []


def test_a_fault_strikes_one_run_and_one_request(lab: Lab) -> None:
    """The next run has no fault."""
    lab.write(SMALL)
    failed = lab.up(fault=SPACE.fault(status=403, body={"errors": [{"code": "X-1", "title": "Not you"}]}))
    assert not failed.ok
    assert any("Not you" in error for error in failed.errors)
    assert lab.qlik.control.faults == []
    assert lab.up().expect_ok().steps.count("create Space Sales") == 1


def test_everything_is_kept_and_put_back(lab: Lab) -> None:
    """You can restore Qlik, the state and the notes many times."""
    lab.write(SMALL)
    lab.up().expect_ok()
    kept, there, state = lab.keep(), lab.qlik.control.dump(), lab.state.as_json()
    for _ in range(2):
        lab.advance(days=3)
        lab.destroy().expect_ok()
        assert lab.state.names == []
        assert list(lab.tenants.values()) == ["disabled"]
        lab.put_back(kept)
        assert lab.qlik.control.dump() == there
        assert lab.state.as_json() == state
    assert lab.up().expect_ok().requests == []
    assert lab.refresh().expect_ok().steps == []


def test_a_wait_advances_both_clocks(scratch: Path) -> None:
    """A wait of half an hour for an app takes no real time, and advances both clocks."""
    with Lab(scratch, publish_ready_ms=1_800_000) as lab:
        lab.env["TENANTRY_READY_SECONDS"] = "3600"
        lab.env["TENANTRY_DEADLINE"] = "7200"
        lab.write(GLOBEX)
        before = lab.now()
        run = lab.up().expect_ok()
        assert lab.now() - before >= 1800
        assert any("waiting for" in line for line in run.lines)


def test_time_between_two_runs_also_advances_the_client(lab: Lab) -> None:
    """Otherwise, a new client treats an old token as fresh."""
    lab.write(SMALL)
    lab.up().expect_ok()
    lab.advance(days=30)
    made = next(call for call in lab.refresh().expect_ok().log if call["path"].startswith("/api/v1/spaces"))
    assert made["time"] > lab.state["TenantProof proof"].outputs["proof"]["made_at"]
    assert lab.up().expect_ok().steps == []


def test_each_run_is_a_process_of_its_own(lab: Lab) -> None:
    """A run leaves nothing in memory for the next run: each run gets its own tokens."""
    lab.write(SMALL)
    lab.up().expect_ok()
    for _ in range(2):
        tokens = [
            request for request in lab.refresh().expect_ok().requests if request.path.endswith("/token")
        ]
        assert len(tokens) == 1


def test_requests_have_the_same_names_in_each_run(lab: Lab) -> None:
    """The names do not depend on ids and hostnames."""
    lab.write(GLOBEX)
    kept = lab.keep()
    runs = []
    for _ in range(2):
        lab.put_back(kept)
        runs.append(without_tokens(lab.up().expect_ok().requests))
    assert sorted(map(str, runs[0])) == sorted(map(str, runs[1]))
    assert Request("POST", "/api/v1/spaces/*/assignments", 1) in runs[0]


def test_the_state_is_readable_while_it_is_written(lab: Lab) -> None:
    """A file has two groups with the same name: the error for the second names the owner of the first."""
    lab.write(changed(SMALL, ("groups/Analysts", {"name": "Same"})))
    lab.up().expect_ok()
    lab.write(changed(SMALL, ("groups/Analysts", {"name": "Same"}), ("groups/Again", {"name": "Same"})))
    run = lab.up()
    assert not run.ok
    assert any("Analysts" in error for error in run.errors), run.errors
