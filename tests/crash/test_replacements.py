"""Unnecessary replacements of one resource type at a time: the run finds and keeps the existing object."""

from __future__ import annotations

from tests.crash.lab import Lab
from tests.e2e.customers import GLOBEX, REPLACEABLE


def test_an_unnecessary_replacement_keeps_the_object(lab: Lab) -> None:
    """Each object keeps its content, and the run writes nothing.

    The replacement is requested with `--replace` or by a taint.
    """
    lab.configure(GLOBEX)
    lab.up().expect_ok()
    at_qlik, in_state = lab.qlik.control.dump()[lab.world.hostname], lab.state.as_json()
    for name in REPLACEABLE:
        for tainted in (False, True):
            if tainted:
                lab.engine.taint(name)
            run = lab.up(replace=[] if tainted else [name]).expect_ok()
            assert {f"create {name}", f"delete {name}"} <= set(run.steps)
            changing = [call for call in run.log if call["method"] != "GET" and call["status"] < 400]
            assert [call["path"] for call in changing if call["path"] != "/oauth/token"] == [], name
            assert lab.qlik.control.dump()[lab.world.hostname] == at_qlik, name
            assert lab.state.as_json() == in_state, name
    assert lab.up().expect_ok().steps == []
