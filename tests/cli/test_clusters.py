"""Tests of `--scheduler` without a usable cluster: the error is one line, and no job runs."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tenantry.fleet.cluster import connection
from tenantry.pulumi_internals.backend_files import add_stack
from tests.cli.conftest import Folder

WITHOUT_DASK = """
import sys
sys.modules["distributed"] = None
from tenantry.cli import main
sys.argv = ["tenantry", "preview", "acme", "--scheduler", "tcp://127.0.0.1:1"]
main()
"""


@pytest.fixture
def project(folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """Return a project with one stack and a folder as its backend."""
    folder.write("stacks/Pulumi.acme.yaml", "config: {}\n")
    (tmp_path / "state").mkdir()
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path / 'state'}")
    monkeypatch.setattr(connection, "CONNECT_TIMEOUT_SECONDS", 0.5)
    monkeypatch.setattr(connection, "RESPONSE_TIMEOUT_SECONDS", 2.0)
    return folder


@pytest.mark.parametrize(
    "address",
    [
        "nowhere",
        "10.0.0.5",
        "http://10.0.0.5:8786",
        "tcp://user:secret@10.0.0.5:8786",
        "tcp://:8786",
        "inproc://a:1",
    ],
)
def test_invalid_addresses_are_refused(project: Folder, address: str) -> None:
    result = project.run("preview", "acme", "--scheduler", address)
    assert result.exit_code == 2
    assert (
        result.stderr == "--scheduler must be the address of a Dask scheduler, such as tcp://10.0.0.5:8786.\n"
    )


def test_a_missing_scheduler_is_an_error(project: Folder) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{unused.getsockname()[1]}"
        result = project.run("up", "acme", "--yes", "--scheduler", address)
    assert result.exit_code == 1
    assert result.stderr == f"--scheduler {address}: the scheduler cannot be reached. Nothing was done.\n"


def test_a_server_that_is_not_a_scheduler_is_an_error(project: Folder) -> None:
    """The server accepts the connection, but sends nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        result = project.run("up", "acme", "--yes", "--scheduler", address)
    assert result.exit_code == 1
    assert result.stderr == f"--scheduler {address}: the scheduler cannot be reached. Nothing was done.\n"


def test_unconfigured_tls_is_an_error(project: Folder) -> None:
    result = project.run("up", "acme", "--yes", "--scheduler", "tls://127.0.0.1:8786")
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("--scheduler tls://127.0.0.1:8786: ")
    assert "tls" in line.casefold()


def test_a_missing_extra_is_an_error(project: Folder) -> None:
    result = subprocess.run(
        [sys.executable, "-c", WITHOUT_DASK], cwd=project.path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("This command needs distributed, which is not installed. ")
    assert "dask" in line


def test_without_a_scheduler_dask_is_not_imported(project: Folder) -> None:
    code = "import sys, tenantry.cli.runs, tenantry.fleet.run; print('distributed' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "False\n"


def test_the_status_of_a_folder_backend_needs_no_cluster(project: Folder, tmp_path: Path) -> None:
    add_stack(tmp_path / "state", "tenantry", "acme")
    result = project.run("status", "acme", "--json", "--scheduler", "127.0.0.1:1")
    assert result.exit_code == 0
    assert result.stderr == "The backend is a folder, so its files are read here, not on the cluster.\n"
