"""Tests of actionlint: it is built once, and finds mistakes in workflows."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tenantry.pulumi_cli import golang, installation
from tools import actionlint

GOOD = """\
on: {pull_request: {}}
jobs:
  preview:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: make check
        env: {BASE: "${{ github.event.pull_request.base.sha }}"}
"""


@pytest.fixture(scope="module")
def command() -> Path:
    """Return the actionlint command from the cache of this machine."""
    return actionlint.ensure(installation.cache())


def violations(command: Path, workflow: Path) -> list[str]:
    """Return the messages of actionlint about a workflow.

    The scripts in it are not checked, because that needs other tools.
    """
    options = ["-shellcheck=", "-pyflakes=", "-oneline", "-no-color"]
    process = subprocess.run([command, *options, workflow], capture_output=True, text=True, check=False)
    assert process.returncode == bool(process.stdout), process
    return process.stdout.splitlines()


def test_a_good_workflow_is_accepted(command: Path, tmp_path: Path) -> None:
    workflow = tmp_path / "good.yaml"
    workflow.write_text(GOOD)
    assert violations(command, workflow) == []


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("runs-on:", "run-on:", 'unexpected key "run-on"'),
        ("pull_request:", "pull_requests:", 'unknown Webhook event "pull_requests"'),
        ("checkout@v4", "checkout", "ref is missing"),
        ("ubuntu-latest", "ubuntu-never", 'label "ubuntu-never" is unknown'),
        ("github.event", "githubb.event", 'undefined variable "githubb"'),
    ],
)
def test_a_mistake_is_found(command: Path, tmp_path: Path, right: str, wrong: str, message: str) -> None:
    assert right in GOOD
    workflow = tmp_path / "bad.yaml"
    workflow.write_text(GOOD.replace(right, wrong))
    assert any(message in line for line in violations(command, workflow))


def test_actionlint_is_built_once(command: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golang, "command", pytest.fail)
    assert actionlint.ensure(installation.cache()) == command
