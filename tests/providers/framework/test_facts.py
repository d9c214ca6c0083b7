"""Facts survive the way from a provider to a program, whatever they contain and whatever surrounds them."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest

from tenantry.fleet import events, troubles
from tenantry.providers.framework import adapter, engine, facts
from tenantry.providers.framework.errors import Unfinished
from tenantry.providers.framework.facts import FACT_TYPES, Fact, line, read
from tenantry.providers.framework.waiting import wait
from tenantry.providers.qlik import ApiError, Cloud
from tenantry.providers.qlik.errors import Problem
from tenantry.providers.qlik.messages import Request, Waiting
from tenantry.providers.qlik.testing import ENVIRONMENT, FakeClock, MockTransport, Reply

HOSTILE = (
    "",
    "x.eu.qlikcloud.com",
    'say "no" \\" \\',
    "two\nlines\r\n\tand [more]",
    "a] [tenantry:nothing-created proof=x]",
    '"] [tenantry:nothing-created proof="x"]',
    "<{%reset%}>red<{%fg 1%}> %s %d %!",
    "Müller 東京 🙂 \u2028\u2029\x85\x0b\x0c\x1c\x00\x1b[0m",
    "\ud800 half a pair",
    "error: warning: * ",
    "\\u005d",
)
AROUND = (
    "{}",
    "{}\n",
    "  {}  \r\n",
    "<{{%reset%}}>{}<{{%reset%}}>\n",
    "<{{%fg 1%}}>error: <{{%reset%}}>{}",
    "1 error occurred:\n\t* {}\n",
    "A sentence before it:\n  revive: x\n{}\nand one after it",
)


def example(fact_type: type[Fact], value: str) -> Fact:
    """Return a fact that has the value in each of its fields."""
    return fact_type(**{field.name: value for field in fields(fact_type)})


def test_every_fact_has_a_name() -> None:
    assert set(FACT_TYPES.values()) == set(get_args(Fact))
    assert len(set(FACT_TYPES.values())) == len(FACT_TYPES)


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("value", HOSTILE, ids=ascii)
@pytest.mark.parametrize("fact_type", FACT_TYPES.values())
def test_reading_a_written_fact_returns_the_same_fact(fact_type: type[Fact], value: str, around: str) -> None:
    fact = example(fact_type, value)
    written = line(fact)
    assert len(written.splitlines()) == 1
    assert "<{%" not in written
    found, rest = read(around.format(written))
    assert found == [fact]
    assert written not in rest
    assert "tenantry:" not in rest


def test_a_fact_is_readable_text() -> None:
    fact = facts.TenantDeactivated("x.eu.qlikcloud.com", "T1", "2026-12-01")
    written = (
        '[tenantry:tenant-deactivated hostname="x.eu.qlikcloud.com" tenant_id="T1" purge_on="2026-12-01"]'
    )
    assert line(fact) == written
    assert "Übersicht" in line(facts.Progress("Übersicht"))


def test_several_facts_are_separated_from_the_text_between_them() -> None:
    one, two = facts.NothingCreated("p"), facts.Progress("q")
    assert read(f"a\n{line(one)}\nb\n{line(two)}\nc") == ([one, two], "a\nb\nc")


COMPLETE = line(facts.TenantDeactivated("h", "t", "d"))
DAMAGED = [
    *(COMPLETE[:length] for length in range(len(COMPLETE))),
    *(COMPLETE[start:] for start in range(1, len(COMPLETE))),
    f"said: {COMPLETE}",
    f"{COMPLETE}.",
    f"{COMPLETE} {COMPLETE}",
    f'the app "{COMPLETE}" is gone',
    COMPLETE.replace('"h"', '"h'),
    COMPLETE.replace('"h"', "h"),
    COMPLETE.replace('"h"', r'"\x"'),
    COMPLETE.replace('"h"', '"\t"'),
    COMPLETE.replace(' tenant_id="t"', ""),
    COMPLETE.replace(' tenant_id="t"', ' tenant_id="t" tenant_id="t"'),
    COMPLETE.replace("]", ' more="x"]'),
    COMPLETE.replace("deactivated", "celebrated"),
    COMPLETE.replace("hostname", "host"),
]


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_fact_is_plain_text(text: str) -> None:
    assert read(text) == ([], text)


def log_of(tmp_path: Path, severity: str, message: str) -> events.Log:
    """Return an event log that has one message."""
    file = tmp_path / "events.json"
    event = {"message": message, "severity": severity, "urn": ""}
    file.write_text(json.dumps({"diagnosticEvent": event}) + "\n")
    return events.read(file)


def test_fleet_reads_every_type_of_fact(tmp_path: Path) -> None:
    """It reads them in remarks and in errors, and shows the message without the line of the fact."""
    for fact_type in FACT_TYPES.values():
        fact = example(fact_type, "x")
        log = log_of(tmp_path, "info#out", f"a message\n{line(fact)}\n")
        assert (log.facts, log.remarks) == ([fact], ["a message"])
        log = log_of(tmp_path, "error", f"a message\n{line(fact)}\n")
        assert [(error.text, error.facts) for error in log.errors] == [("a message", (fact,))]


def test_a_waiting_message_is_logged_as_progress(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The type of the message decides, not its wording."""
    messages: list[str] = []
    monkeypatch.setattr(engine, "say", messages.append)
    adapter._notify(Waiting("just a moment"))
    adapter._notify("it is done")
    log = log_of(tmp_path, "info#out", "\n".join(messages))
    assert (log.facts, log.remarks) == ([facts.Progress("just a moment")], ["it is done"])


def test_an_error_has_the_code_and_trace_id_of_qliks_response(tmp_path: Path) -> None:
    refusal = ApiError(Request("GET", "h", "/p"), 403, [Problem("TENANTS-22", "no")], trace_id="4f-1")
    unfinished = Unfinished("id", {}, refusal)
    unfinished.__cause__ = refusal
    for error in (refusal, unfinished):
        (trouble,) = troubles.from_log(log_of(tmp_path, "error", adapter._message(error, "do this")))
        assert (trouble.code, trouble.trace_id) == ("TENANTS-22", "4f-1")
        assert "tenantry:" not in trouble.details
        assert trouble.advice.endswith("do this")
    (trouble,) = troubles.from_log(
        log_of(tmp_path, "error", adapter._message(ApiError(Request("GET", "h", "/"), 500)))
    )
    assert (trouble.code, trouble.trace_id) == ("500", "")
    assert adapter._message(ValueError("no")) == "no"


REASONS_TO_WAIT = {
    "a retry": (Reply(503, {}), Reply(200, {})),
    "Qlik's limits": (Reply(429, {}), Reply(200, {})),
}


@pytest.mark.parametrize("replies", REASONS_TO_WAIT.values(), ids=REASONS_TO_WAIT)
def test_a_request_that_waits_sends_a_waiting_message(replies: tuple[Reply, ...]) -> None:
    messages: list[str] = []
    replies_left = iter(replies)
    network = MockTransport(lambda _: next(replies_left))
    with Cloud(ENVIRONMENT, clock=FakeClock(), adapter=network, notify=messages.append) as cloud:
        cloud.tenant("acme.eu.qlikcloud.com").get("/x")
    assert [type(message) for message in messages] == [Waiting]


def test_a_crud_method_that_waits_sends_waiting_messages() -> None:
    messages: list[str] = []
    with Cloud(ENVIRONMENT, clock=FakeClock(), notify=messages.append) as cloud:
        assert wait(cloud, lambda: None, "the app", 40) is None
    assert {type(message) for message in messages} == {Waiting}
