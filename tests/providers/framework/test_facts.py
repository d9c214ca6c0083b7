"""Facts: what one process writes, another one reads, whatever is in them and around them."""

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
    "a] [tenantry:nothing-made proof=x]",
    '"] [tenantry:nothing-made proof="x"]',
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


def example(kind: type[Fact], value: str) -> Fact:
    return kind(**{each.name: value for each in fields(kind)})


def test_every_fact_has_a_name() -> None:
    assert set(FACT_TYPES.values()) == set(get_args(Fact))
    assert len(set(FACT_TYPES.values())) == len(FACT_TYPES)


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("value", HOSTILE, ids=ascii)
@pytest.mark.parametrize("kind", FACT_TYPES.values())
def test_what_is_written_is_read(kind: type[Fact], value: str, around: str) -> None:
    fact = example(kind, value)
    written = line(fact)
    assert len(written.splitlines()) == 1
    assert "<{%" not in written
    found, rest = read(around.format(written))
    assert found == [fact]
    assert written not in rest
    assert "tenantry:" not in rest


def test_a_person_can_read_it() -> None:
    fact = facts.TenantDeactivated("x.eu.qlikcloud.com", "T1", "2026-12-01")
    written = (
        '[tenantry:tenant-deactivated hostname="x.eu.qlikcloud.com" tenant_id="T1" purge_on="2026-12-01"]'
    )
    assert line(fact) == written
    assert "Übersicht" in line(facts.Progress("Übersicht"))


def test_several_facts_and_the_text_between_them() -> None:
    one, two = facts.NothingCreated("p"), facts.Progress("q")
    assert read(f"a\n{line(one)}\nb\n{line(two)}\nc") == ([one, two], "a\nb\nc")


WHOLE = line(facts.TenantDeactivated("h", "t", "d"))
DAMAGED = [
    *(WHOLE[:length] for length in range(len(WHOLE))),
    *(WHOLE[start:] for start in range(1, len(WHOLE))),
    f"said: {WHOLE}",
    f"{WHOLE}.",
    f"{WHOLE} {WHOLE}",
    f'the app "{WHOLE}" is gone',
    WHOLE.replace('"h"', '"h'),
    WHOLE.replace('"h"', "h"),
    WHOLE.replace('"h"', r'"\x"'),
    WHOLE.replace('"h"', '"\t"'),
    WHOLE.replace(' tenant_id="t"', ""),
    WHOLE.replace(' tenant_id="t"', ' tenant_id="t" tenant_id="t"'),
    WHOLE.replace("]", ' more="x"]'),
    WHOLE.replace("deactivated", "celebrated"),
    WHOLE.replace("hostname", "host"),
]


@pytest.mark.parametrize("text", DAMAGED)
def test_what_is_damaged_is_text(text: str) -> None:
    assert read(text) == ([], text)


def log_of(tmp_path: Path, severity: str, message: str) -> events.Log:
    file = tmp_path / "events.json"
    said = {"message": message, "severity": severity, "urn": ""}
    file.write_text(json.dumps({"diagnosticEvent": said}) + "\n")
    return events.read(file)


def test_fleet_reads_every_kind_of_fact(tmp_path: Path) -> None:
    """As remark and as error; its line is shown to nobody, the rest of the message is."""
    for kind in FACT_TYPES.values():
        fact = example(kind, "x")
        log = log_of(tmp_path, "info#out", f"so it is\n{line(fact)}\n")
        assert (log.facts, log.remarks) == ([fact], ["so it is"])
        log = log_of(tmp_path, "error", f"so it is\n{line(fact)}\n")
        assert [(each.text, each.facts) for each in log.errors] == [("so it is", (fact,))]


def test_a_line_that_is_of_use_only_for_a_while_is_told_as_progress(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """By its type: its words are free."""
    said: list[str] = []
    monkeypatch.setattr(engine, "say", said.append)
    adapter._notify(Waiting("just a moment"))
    adapter._notify("it is done")
    log = log_of(tmp_path, "info#out", "\n".join(said))
    assert (log.facts, log.remarks) == ([facts.Progress("just a moment")], ["it is done"])


def test_an_error_tells_which_answer_of_qlik_it_came_from(tmp_path: Path) -> None:
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


WAITED_FOR = {
    "another try": (Reply(503, {}), Reply(200, {})),
    "Qlik's limits": (Reply(429, {}), Reply(200, {})),
}


@pytest.mark.parametrize("replies", WAITED_FOR.values(), ids=WAITED_FOR)
def test_what_a_request_waits_for_is_progress(replies: tuple[Reply, ...]) -> None:
    told: list[str] = []
    rest = iter(replies)
    network = MockTransport(lambda _: next(rest))
    with Cloud(ENVIRONMENT, clock=FakeClock(), adapter=network, notify=told.append) as cloud:
        cloud.tenant("acme.eu.qlikcloud.com").get("/x")
    assert [type(each) for each in told] == [Waiting]


def test_what_a_verb_waits_for_is_progress() -> None:
    told: list[str] = []
    with Cloud(ENVIRONMENT, clock=FakeClock(), notify=told.append) as cloud:
        assert wait(cloud, lambda: None, "the app", 40) is None
    assert {type(each) for each in told} == {Waiting}
