"""The time limit of `pulumi` commands, and hidden parts of their output."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tenantry.state import backend
from tenantry.state.backend import Backend, PulumiFailed, redacted


def test_no_command_runs_forever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is two minutes, or the value from the caller."""
    timeouts: list[float] = []

    def run(command: list[str], *, timeout: float, **_: Any) -> None:
        timeouts.append(timeout)
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(backend, "find_pulumi", lambda: "pulumi")
    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(PulumiFailed, match="pulumi stack output: it did not end within 120 s"):
        Backend(tmp_path).outputs("acme")
    with pytest.raises(PulumiFailed, match="pulumi stack export: it did not end within 7 s"):
        Backend(tmp_path, seconds=7).state("acme")
    assert timeouts == [120, 7]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("at postgres://u:p@ss/w?rd@db/x: no", "at postgres://***@db/x: no"),
        (
            "postgres://u@db/x?sslmode=disable&sslpassword=p",
            "postgres://***@db/x?sslmode=disable&sslpassword=***",
        ),
        ("s3://state?region=eu-west-1&x-token=a=b", "s3://state?region=eu-west-1&x-token=***"),
        (r'{"a":"s3://b?region=eu\u0026token=t"}', r'{"a":"s3://b?region=***"}'),
        ("s3://b?region=eu;token=t", "s3://b?region=***"),
        ("s3://b?endpoint=http://127.0.0.1:9&awssdk=v2", "s3://b?endpoint=http://127.0.0.1:9&awssdk=v2"),
        ("https://app.pulumi.com/acme and file://~", "https://app.pulumi.com/acme and file://~"),
        ("a@b.example ?password=x", "a@b.example ?password=x"),
    ],
)
def test_addresses_are_shown_without_their_secrets(text: str, shown: str) -> None:
    assert redacted(text) == shown
    assert redacted(shown) == shown
