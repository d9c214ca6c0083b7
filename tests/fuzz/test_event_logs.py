"""Tenantry reads any event log to its end, or to the point where it is cut off.

A fixed set of examples runs with all tests. `make fuzz ARGS=20000` runs 20000 random ones.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tenantry.fleet import events
from tenantry.fleet.events import StepsInFlight
from tenantry.fleet.outcome import Change
from tenantry.providers.framework import facts
from tenantry.providers.values import tokens
from tenantry.pulumi_internals import event_log
from tests import hostile
from tests.fuzz.examples import EXAMPLES, fuzzing

DEFAULT_EXAMPLES = 300
MAX_SECONDS = 2
OPERATIONS = (
    "create", "update", "delete", "replace", "same", "refresh", "read", "import",
    *event_log.HALVES, *event_log.WITHOUT_CHANGE,
)  # fmt: skip
URNS = (
    "urn:pulumi:acme::tenantry::qlik:index:QlikCustomerTenant$pulumi-python:dynamic/qlik:Space::Sales",
    "urn:pulumi:acme::tenantry::pulumi:pulumi:Stack::tenantry-acme",
    f"urn:pulumi:acme::tenantry::{tokens.of('Tenant')}::tenant",
    "urn", "", "::::::", "a::b::c$::d",
)  # fmt: skip
PATHS = ("name", "roles[0]", '["a.b"].c', "[", "", "revive.hostname")
MESSAGES = (
    facts.line(facts.NothingCreated("p")), facts.line(facts.Progress("x"))[:-2],
    "[tenantry:nothing-created proof=5]",
    '[tenantry:nothing-created proof="\\ud800"]',
    f"{event_log.PENDING}\n  * urn:x::y, interrupted while creating\n  * urn:",
    "error: " * 50, *hostile.ALL,
)  # fmt: skip

texts = st.one_of(st.sampled_from((*URNS, *MESSAGES)), st.text(max_size=8))
odd_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(texts, inner, max_size=2)),
    max_leaves=4,
)


def usually(usual: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Generate the usual value, and occasionally any other value."""
    return st.integers(0, 31).flatmap(lambda number: usual if number else odd_values)


def objects(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Generate an object with these members. Occasionally, required ones are missing."""
    complete = st.fixed_dictionaries(required, optional=optional)
    damaged = st.fixed_dictionaries({}, optional=required | optional)
    return st.integers(0, 15).flatmap(lambda number: usually(complete) if number else damaged)


inputs = usually(
    st.dictionaries(st.sampled_from(("name", "roles", "revive", "__provider")), odd_values, max_size=3)
)
states = usually(st.fixed_dictionaries({}, optional={"inputs": inputs, "protect": usually(st.booleans())}))
steps = objects(
    {"op": usually(st.sampled_from(OPERATIONS)), "urn": usually(st.sampled_from(URNS))},
    {
        "keys": usually(st.lists(usually(st.sampled_from(PATHS)), max_size=2)),
        "diffs": usually(st.lists(usually(st.sampled_from(PATHS)), max_size=2)),
        "detailedDiff": usually(st.dictionaries(st.sampled_from(PATHS), odd_values, max_size=2)),
        "old": states,
        "new": states,
    },
)
diagnostics = objects(
    {
        "severity": usually(st.sampled_from(("error", "warning", "info", "info#err", "debug"))),
        "message": usually(texts),
    },
    {"urn": usually(st.sampled_from(URNS)), "ephemeral": usually(st.booleans())},
)
log_events = usually(
    st.one_of(
        st.builds(
            lambda key, value: {key: value},
            st.sampled_from(event_log.STEP_EVENTS),
            objects({"metadata": steps}, {"planning": usually(st.booleans())}),
        ),
        st.builds(lambda value: {event_log.MESSAGE: value}, diagnostics),
        st.builds(lambda value: {event_log.SUMMARY: value}, odd_values),
    )
)
ODD_LINES = (
    b"",
    b"{",
    b"null",
    b"5",
    b"[]",
    b"\xff",
    b"[" * 100_000,
    b'{"resOutputsEvent": {"meta',
    b'{"a":' * 50_000,
)


@st.composite
def logs(draw: st.DrawFn) -> bytes:
    """Draw a log, occasionally with an invalid line or a truncated end."""
    lines = [
        json.dumps(line, separators=(",", ":")).encode()
        for line in draw(st.lists(log_events, min_size=8, max_size=16))
    ]
    if draw(st.integers(0, 3)) == 0:
        lines.insert(
            draw(st.integers(0, len(lines))), draw(st.one_of(st.sampled_from(ODD_LINES), st.binary()))
        )
    raw = b"\n".join(lines)
    return raw[: draw(st.integers(0, len(raw)))] if draw(st.integers(0, 7)) == 0 else raw


def test_any_log_can_be_read(tmp_path: Path) -> None:
    file = tmp_path / "events.json"

    @fuzzing(DEFAULT_EXAMPLES)
    @given(raw=logs())
    def read(raw: bytes) -> None:
        file.write_bytes(raw)
        started = time.thread_time()
        log = events.read(file)
        assert all(isinstance(change, Change) for change in (*log.changes, *log.drift))
        assert all(isinstance(error.text, str) for error in log.errors)
        assert all(isinstance(remark, str) for remark in (*log.remarks, *log.cut_off))
        steps_in_flight = StepsInFlight("updating")
        steps_in_flight.take(raw.decode("utf-8", "replace").splitlines())
        assert isinstance(steps_in_flight.text, str)
        assert not EXAMPLES or time.thread_time() - started < MAX_SECONDS

    read()


def test_many_logs_contain_events(tmp_path: Path) -> None:
    """Otherwise, the fuzzer would only test input that the reader skips."""
    file = tmp_path / "events.json"
    finds_something: list[bool] = []

    @fuzzing(DEFAULT_EXAMPLES)
    @given(raw=logs())
    def read(raw: bytes) -> None:
        file.write_bytes(raw)
        log = events.read(file)
        finds_something.append(bool(log.changes or log.drift or log.errors or log.remarks or log.same))

    read()
    assert sum(finds_something) > len(finds_something) / 4
