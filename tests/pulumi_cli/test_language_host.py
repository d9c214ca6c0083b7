"""The language host as a process; tests/e2e runs programs with it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import language_pb2_grpc

from tenantry.pulumi_cli import language_host

HOST = [sys.executable, "-P", language_host.__file__, "127.0.0.1:1"]


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_and_ends_without_a_word(stop: signal.Signals) -> None:
    with subprocess.Popen(HOST, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as host:
        assert host.stdout
        port = int(host.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            info = language_pb2_grpc.LanguageRuntimeStub(channel).GetPluginInfo(Empty(), timeout=10)
        assert info.version.startswith("3.")
        host.send_signal(stop)
        assert host.communicate(timeout=10) == ("", "")
        assert host.returncode == 0


def test_it_ends_when_its_engine_was_killed(tmp_path: Path) -> None:
    """The shell stands for the engine: it starts the host and is gone."""
    output = tmp_path / "output"
    with output.open("w") as file:
        shell = subprocess.Popen(
            ["sh", "-c", '"$@" & wait', "sh", *HOST], stdout=subprocess.PIPE, stderr=file
        )
    with shell:
        assert shell.stdout
        assert int(shell.stdout.readline()) > 0
        shell.kill()
        assert shell.stdout.read() == b"", "the host held its output open"
    assert output.read_text() == ""
