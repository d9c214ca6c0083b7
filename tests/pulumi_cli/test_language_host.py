"""Tests of the language host as a process. tests/e2e uses it to run programs."""

from __future__ import annotations

import platform
import signal
import subprocess
import sys
from pathlib import Path

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from tenantry.pulumi_cli import language_host

HOST = [sys.executable, "-P", language_host.__file__, "127.0.0.1:1"]


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_the_host_serves_and_ends_without_output(stop: signal.Signals) -> None:
    with subprocess.Popen(HOST, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as host:
        assert host.stdout
        port = int(host.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            language = language_pb2_grpc.LanguageRuntimeStub(channel)
            assert language.GetPluginInfo(Empty(), timeout=10) == plugin_pb2.PluginInfo()
            response = language.About(language_pb2.AboutRequest(), timeout=10)
            assert (response.executable, response.version) == (sys.executable, platform.python_version())
            packages = language.GetRequiredPackages(language_pb2.GetRequiredPackagesRequest(), timeout=10)
            assert not packages.packages
            progress = language.InstallDependencies(language_pb2.InstallDependenciesRequest(), timeout=10)
            assert list(progress) == []
            with pytest.raises(grpc.RpcError) as error_info:
                language.Pack(language_pb2.PackRequest(), timeout=10)
            assert error_info.value.code() is grpc.StatusCode.UNIMPLEMENTED
        host.send_signal(stop)
        assert host.communicate(timeout=10) == ("", "")
        assert host.returncode == 0


def test_the_host_ends_when_its_engine_is_killed(tmp_path: Path) -> None:
    """A shell replaces the engine. It starts the host and is killed."""
    output = tmp_path / "output"
    with output.open("w") as file:
        shell = subprocess.Popen(
            ["sh", "-c", '"$@" & wait', "sh", *HOST], stdout=subprocess.PIPE, stderr=file
        )
    with shell:
        assert shell.stdout
        assert int(shell.stdout.readline()) > 0
        shell.kill()
        assert shell.stdout.read() == b"", "the host must end and close its output"
    assert output.read_text() == ""


@pytest.mark.parametrize("value", ["", "a", "é" * 63, "é" * 64, "x" * 20_000], ids=len)
def test_a_text_is_encoded_as_in_protobuf(value: str) -> None:
    """A path may be long, and a length above 127 needs several bytes."""
    response = language_pb2.AboutResponse(executable=value)
    assert language_pb2.AboutResponse.FromString(language_host.text(1, value)) == response


def test_the_response_that_ends_a_run_is_encoded_as_in_protobuf() -> None:
    assert language_pb2.RunResponse.FromString(language_host.BAIL) == language_pb2.RunResponse(bail=True)


def test_the_sdk_is_imported_only_for_a_program() -> None:
    """Each run of Pulumi starts a host that runs no program."""
    program = f"import runpy, sys; runpy.run_path({language_host.__file__!r}); print(*sys.modules)"
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    imported = {name.partition(".")[0] for name in process.stdout.split()}
    assert "grpc" in imported
    assert not {"pulumi", "google", "tenantry"} & imported
