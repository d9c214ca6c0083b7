"""Notifications of a run over real connections. A misbehaving target hardly delays the run."""

from __future__ import annotations

import hashlib
import hmac
import socket
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tenantry.fleet.following import Followers
from tenantry.fleet.notify import Notifier, Target, notifier
from tenantry.fleet.notify.delivery import MAX_WAITING_EVENTS, Delivery, Limits
from tenantry.fleet.notify.events import KINDS, Kind, Run, begun
from tenantry.fleet.outcome import Change, Outcome, Report
from tenantry.fleet.pool import NoWatcher, Pool
from tests.fleet.notify.receiver import SECRET_PATH, Receiver, receiving
from tests.fleet.samples import fail_bad_stacks, job

RUN = Run("tenantry", "up")
PATIENT = Limits(connection=60, request=60, pause=0.01, event=60, end=60)
SHORT = Limits(connection=0.2, request=0.2, pause=0.01, event=0.4, end=0.6)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def follow(
    receiver: Receiver,
    limits: Limits = PATIENT,
    form: str = "webhook",
    kinds: tuple[Kind, ...] = KINDS,
) -> Notifier:
    target = Target.parse(f"{form}:{receiver.url}{SECRET_PATH}")
    return Notifier([target], RUN, 3, limits=limits, kinds=kinds)


def run(follower: Notifier, *stacks: str, stopped: str = "", drift: bool = False) -> list[str]:
    """Run these stacks and return the lines that the followers print at the end."""
    watcher = Followers(NoWatcher(), [follower])
    outcomes = list(Pool(watcher=watcher, work=fail_bad_stacks).run([job(stack) for stack in stacks]))
    if drift:
        outcomes = [replace(outcome, drift=(Change("update", "Group", "x"),)) for outcome in outcomes]
    return watcher.finish(Report("up", tuple(outcomes), stopped=stopped, seconds=3))


def test_a_run_sends_events_from_start_to_end(receiver: Receiver) -> None:
    assert run(follow(receiver), "acme", "bad", "globex", stopped="1 failed", drift=True) == []
    assert receiver.events == ["begun", "failed", "drifted", "stopped", "ended"]
    assert {event["run"] for event in receiver.received} == {RUN.id}
    assert [event["stack"] for event in receiver.received[1]["stacks"]] == ["bad"]
    assert receiver.received[0]["total"] == 3
    assert set(receiver.paths) == {SECRET_PATH}
    for event, headers in zip(receiver.received, receiver.headers, strict=True):
        assert (headers["tenantry-event"], headers["tenantry-delivery"]) == (event["event"], event["id"])
        assert headers["content-type"] == "application/json"
        assert not {"authorization", "cookie", "tenantry-signature"} & headers.keys()


def test_only_the_requested_events_are_sent(receiver: Receiver) -> None:
    assert run(follow(receiver, kinds=("failed", "ended")), "acme", "bad") == []
    assert receiver.events == ["failed", "ended"]


def test_many_failures_share_events_and_each_is_sent_once(receiver: Receiver) -> None:
    stacks = [f"bad{n}" for n in range(20)]
    follower = follow(receiver, kinds=("failed",))
    never_started = Outcome("decided", "up", "failed")
    watcher = Followers(NoWatcher(), [follower])
    outcomes = list(Pool(watcher=watcher, work=fail_bad_stacks).run([job(stack) for stack in stacks]))
    assert watcher.finish(Report("up", (*outcomes, never_started))) == []
    reported = [stack["stack"] for event in receiver.received for stack in event["stacks"]]
    assert sorted(reported) == sorted([*stacks, "decided"])
    assert receiver.events == ["failed", "failed"], "the first failure at once, the others together"


@pytest.mark.parametrize("form", ["slack", "teams"])
def test_slack_and_teams_get_their_own_form_without_tenantry_headers(
    receiver: Receiver, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(notifier.SECRET_VARIABLE, "top-secret")
    assert run(follow(receiver, form=form), "acme") == []
    assert {"slack": "blocks", "teams": "attachments"}[form] in receiver.received[0]
    assert not [name for headers in receiver.headers for name in headers if name.startswith("tenantry")]


def test_a_secret_signs_the_body_and_the_time(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(notifier.SECRET_VARIABLE, "top-secret")
    assert run(follow(receiver), "acme") == []
    for body, headers in zip(receiver.bodies, receiver.headers, strict=True):
        timestamp, digest = (part.partition("=")[2] for part in headers["tenantry-signature"].split(","))
        assert abs(int(timestamp) - time.time()) < 600
        expected = hmac.new(b"top-secret", timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        assert digest == expected
        assert b"top-secret" not in body


def test_a_failed_request_is_retried_once(receiver: Receiver) -> None:
    receiver.statuses = [500, 200, 429]
    assert run(follow(receiver), "acme") == []
    assert receiver.events == ["begun", "begun", "ended", "ended"]
    assert receiver.received[0]["id"] == receiver.received[1]["id"], (
        "the target recognises the retry by its id"
    )


@pytest.mark.parametrize("status", [500, 404, 302])
def test_undelivered_events_are_one_line_without_the_address(receiver: Receiver, status: int) -> None:
    receiver.statuses = [status] * 100
    (line,) = run(follow(receiver), "acme", "bad")
    prefix = "Notifications to webhook at 127.0.0.1"
    assert line == f"{prefix}: 3 events of 3 not delivered: it responded with {status}."


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    with receiving() as other_server:
        receiver.statuses, receiver.location = [307] * 100, f"{other_server.url}/"
        assert len(run(follow(receiver), "acme")) == 1
        assert other_server.bodies == []


@pytest.mark.parametrize("misbehaviour", ["hangs", "drips"])
def test_a_silent_target_does_not_delay_the_run(receiver: Receiver, misbehaviour: str) -> None:
    setattr(receiver, misbehaviour, True)
    follower = follow(receiver, SHORT)
    start = time.monotonic()
    (line,) = run(follower, "acme", "bad", "globex")
    assert time.monotonic() - start < 0.6 + 5, (
        "the end of a run waits no longer than its own limit, however many events are queued"
    )
    assert line.endswith("of 3 not delivered: no response in time.")


def test_a_dripping_response_ends_with_the_request_timeout(receiver: Receiver) -> None:
    """The delivery can then send the next event."""
    receiver.drips = True
    delivery = Delivery(Target.parse(receiver.url), limits=replace(PATIENT, request=0.3, event=0.5))
    delivery.put(begun(RUN, 1))
    delivery.end()
    assert delivery.undelivered(time.monotonic() + 60)
    assert delivery._thread
    assert not delivery._thread.is_alive()


def test_an_unreachable_target_and_a_bad_certificate_are_reported(receiver: Receiver) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        unreachable = Target.parse(f"http://127.0.0.1:{unused.getsockname()[1]}{SECRET_PATH}")
        (line,) = run(Notifier([unreachable], RUN, 1, limits=PATIENT), "acme")
    assert line.endswith("2 events of 2 not delivered: it cannot be reached.")
    with_tls = Target.parse(f"{receiver.url.replace('http:', 'https:')}{SECRET_PATH}")
    (line,) = run(Notifier([with_tls], RUN, 1, limits=PATIENT), "acme")
    assert line.endswith("2 events of 2 not delivered: its certificate was refused, or TLS failed.")
    assert "s3cr3t" not in line


def test_events_beyond_the_limit_are_dropped(receiver: Receiver) -> None:
    receiver.hangs = True
    delivery = Delivery(Target.parse(receiver.url), limits=SHORT)
    start = time.monotonic()
    for _ in range(MAX_WAITING_EVENTS * 20):
        delivery.put(begun(RUN, 1))
    delivery.end()
    assert time.monotonic() - start < 5, "a full queue does not block the run"
    number = f"{MAX_WAITING_EVENTS * 20:,} events of {MAX_WAITING_EVENTS * 20}"
    assert f"{number} not delivered" in delivery.undelivered(time.monotonic())


def test_a_follower_that_fails_is_dropped_and_the_run_continues() -> None:
    class Broken(NoWatcher):
        product = "Traces"
        calls = 0

        def begun(self, job: object) -> None:
            Broken.calls += 1
            raise ValueError("s3cr3t")

        def finish(self, report: Report) -> list[str]:
            raise AssertionError("a dropped follower was called")

    watcher = Followers(NoWatcher(), [Broken()])
    outcomes = list(Pool(watcher=watcher, work=fail_bad_stacks).run([job("acme"), job("globex")]))
    assert [outcome.status for outcome in outcomes] == ["ok", "ok"]
    assert watcher.finish(Report("up", ())) == ["Traces ended early: ValueError."]
    assert Broken.calls == 1
