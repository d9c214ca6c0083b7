"""Tests of `--notify` for runs: bad input, secrets, and sent notifications."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tenantry.cli.app import app
from tenantry.emulator import Emulator
from tenantry.fleet.notify import delivery, notifier
from tenantry.providers.values.words import counted
from tests.cli.conftest import Folder
from tests.cli.text_project import TextProject
from tests.fleet.notify.receiver import SECRET_PATH, Receiver, receiving

COMMANDS = ("preview", "up", "refresh", "destroy", "expire")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def project(tmp_path: Path, qlik: Emulator, monkeypatch: pytest.MonkeyPatch) -> TextProject:
    """Return a project whose `pulumi` fails in every run."""
    return TextProject(tmp_path, qlik, ["plain"], monkeypatch)


def run(*words: str) -> Result:
    """Run `tenantry`."""
    return CliRunner().invoke(app, list(words), catch_exceptions=False)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--notify", "env:NO_SUCH"), "--notify: env:NO_SUCH: the environment variable NO_SUCH is not set."),
        (("--notify", "http://ops.example/s3cr3t"), "must begin with https://"),
        (("--notify", "mail:s3cr3t"), "it must be an address that begins with https://"),
        (("--notify", "https://ops.example/", "--notify-about", "begun,fialed"), 'the closest is "failed"'),
        (("--notify-about", "begun"), "--notify-about needs --notify."),
    ],
)
def test_an_invalid_target_is_an_error_of_one_line(
    folder: Folder, command: str, options: tuple[str, ...], words: str
) -> None:
    folder.write("stacks/Pulumi.acme.yaml", "config: {}\n")
    result = folder.run(command, "acme", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr
    assert result.stderr.count("\n") == 1
    assert "s3cr3t" not in result.stderr


def test_a_run_is_notified_without_printing_the_address(
    project: TextProject, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TARGET", f"{receiver.url}{SECRET_PATH}")
    monkeypatch.setenv(notifier.SECRET_VARIABLE, "s1gn-s3cr3t")
    arguments = project.pulumi / "arguments"
    script = project.pulumi / "pulumi"
    script.write_text(script.read_text().replace("here=", f'echo "$@" >> {arguments}\nhere=', 1))
    result = run("up", "globex", "--yes", "--notify", "env:TARGET", "--reports", "reports")
    assert receiver.events == ["begun", "failed", "ended"]
    assert [event["operation"] for event in receiver.received] == ["up"] * 3
    assert receiver.received[1]["stacks"][0]["stack"] == "globex"
    assert "Notifications" not in result.output
    receiver.statuses = [404] * 9
    failing = run("up", "globex", "--yes", "--notify", "env:TARGET")
    assert failing.exit_code == result.exit_code == 1
    assert failing.stderr.count("Notifications to webhook at 127.0.0.1: 3 events of 3 not delivered") == 1
    files = [file for file in project.folder.parent.rglob("*") if file.is_file()]
    assert arguments in files
    for secret in ("s3cr3t-token", "s1gn-s3cr3t"):
        assert secret not in result.output + failing.output
        assert not [file for file in files if secret.encode() in file.read_bytes()]


def test_a_target_that_never_responds_changes_neither_result_nor_report(
    project: TextProject, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    short_limits = delivery.Limits(request=0.2, event=0.3, end=0.3)
    monkeypatch.setattr(notifier, "Limits", lambda: short_limits)
    receiver.hangs = True
    result = run("preview", "--all", "--json", "--notify", f"{receiver.url}/x")
    plain = run("preview", "--all", "--json")
    assert result.exit_code == plain.exit_code
    outcomes, plain_outcomes = (json.loads(run.stdout)["outcomes"] for run in (result, plain))
    assert [outcome["status"] for outcome in outcomes] == [outcome["status"] for outcome in plain_outcomes]
    assert "not delivered: no response in time" in result.stderr


def test_expire_sends_notifications_of_ending_trials(project: TextProject, receiver: Receiver) -> None:
    run("expire", "--dry-run", "--notify", receiver.url)
    (message,) = receiver.received
    assert (message["event"], message["operation"]) == ("trials", "expire")
    assert message["text"].startswith(f"{counted(message['total'], 'trial')} ended, or will within 14 days")
    assert "ended on 2020-01-01 (UTC)" in message["stacks"][0]["text"]


def test_a_run_is_traced_if_the_environment_enables_it(
    project: TextProject, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = run("up", "globex", "--yes")
    assert receiver.paths == []
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=s3cr3t")
    result = run("up", "globex", "--yes")
    assert (result.exit_code, result.stdout.count("\n")) == (plain.exit_code, plain.stdout.count("\n"))
    assert receiver.paths == ["/v1/traces"]
    for name in (b"tenantry.run", b"tenantry.wave", b"tenantry.stack", b"globex"):
        assert name in receiver.bodies[0]
    assert "s3cr3t" not in result.output
    receiver.statuses = [400]
    assert "Traces: 3 spans not delivered." in run("up", "globex", "--yes").stderr
