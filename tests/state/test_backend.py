"""How long a command of Pulumi may take."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tenantry.state import backend
from tenantry.state.backend import Backend, PulumiFailed


def test_no_command_goes_on_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two minutes, or what the caller says."""

    allowed: list[float] = []

    def run(command: list[str], *, timeout: float, **_: Any) -> None:
        allowed.append(timeout)
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(backend, "find_pulumi", lambda: "pulumi")
    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(PulumiFailed, match="pulumi stack output: no end after 120 s"):
        Backend(tmp_path).outputs("acme")
    with pytest.raises(PulumiFailed, match="pulumi stack export: no end after 7 s"):
        Backend(tmp_path, seconds=7).state("acme")
    assert allowed == [120, 7]
