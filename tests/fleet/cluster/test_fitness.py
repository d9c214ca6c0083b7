"""The requirements for a worker. They contain no secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenantry.fleet.cluster import fitness
from tenantry.fleet.cluster.errors import ClusterUnusable
from tenantry.fleet.cluster.fitness import (
    WorkerRequirements,
    backend_of,
    backend_problem,
    machine_problem,
    without_secrets,
)

REQUIREMENTS = WorkerRequirements(
    sha256="0" * 64,
    root=".",
    backend="s3://our-state?region=eu",
    probe="",
    credentials=True,
    passphrase=True,
    endpoint="",
)
FIT = {"QLIK_CLIENT_ID_EU": "id", "QLIK_CLIENT_SECRET_EU": "secret", "PULUMI_CONFIG_PASSPHRASE": ""}


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Set and return the environment of a fit worker. It finds `pulumi`."""
    environment = dict(FIT)
    monkeypatch.setattr("os.environ", environment)
    monkeypatch.setattr(fitness, "find_pulumi", lambda: "/bin/pulumi")
    return environment


def test_a_worker_that_meets_all_requirements_is_fit(environ: dict[str, str]) -> None:
    assert machine_problem(REQUIREMENTS) == ""


@pytest.mark.parametrize(
    ("variable", "reason"),
    [
        ("QLIK_CLIENT_ID_EU", "it has no Qlik credentials (QLIK_CLIENT_ID and QLIK_CLIENT_SECRET)"),
        ("PULUMI_CONFIG_PASSPHRASE", "it has no passphrase (PULUMI_CONFIG_PASSPHRASE or "),
    ],
)
def test_a_missing_requirement_is_named(environ: dict[str, str], variable: str, reason: str) -> None:
    del environ[variable]
    assert machine_problem(REQUIREMENTS).startswith(reason)


@pytest.mark.parametrize(
    "credentials",
    [
        {"QLIK_CLIENT_ID": "id"},
        {"QLIK_CREDENTIALS_COMMAND": "vault read"},
    ],
)
def test_a_worker_may_have_other_credentials(environ: dict[str, str], credentials: dict[str, str]) -> None:
    del environ["QLIK_CLIENT_ID_EU"]
    environ |= credentials
    assert machine_problem(REQUIREMENTS) == ""


def test_another_endpoint_is_refused(environ: dict[str, str]) -> None:
    environ["QLIK_CLOUD_ENDPOINT"] = "http://127.0.0.1:8765"
    assert machine_problem(REQUIREMENTS) == "its QLIK_CLOUD_ENDPOINT differs from the run's"


def test_a_missing_pulumi_is_named(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitness, "find_pulumi", lambda: None)
    assert machine_problem(REQUIREMENTS).startswith("`pulumi` is not on its PATH")


ADDRESSES = {
    "postgres://anna:s3cret@db.example/pulumi?sslmode=require": "postgres://db.example/pulumi?sslmode=require",
    "s3://our-state?region=eu": "s3://our-state?region=eu",
    "https://api.pulumi.com": "https://api.pulumi.com",
}


@pytest.mark.parametrize(("address", "shown"), ADDRESSES.items())
def test_an_address_is_compared_without_user_and_password(
    address: str, shown: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Two workers may have different users in one database."""
    assert without_secrets(address) == shown
    monkeypatch.setattr(fitness, "address_of", lambda _: address)
    with backend_of(tmp_path) as (backend, probe):
        assert (backend, probe) == (shown, "")
    requirements = WorkerRequirements("0", ".", backend, "", False, False, "")
    assert backend_problem(requirements, tmp_path) == ""
    monkeypatch.setattr(fitness, "address_of", lambda _: "s3://another?token=hidden")
    problem = backend_problem(requirements, tmp_path)
    assert problem == f"its backend is s3://another?token=***, the run's backend is {shown}"


def test_a_backend_folder_is_the_same_only_if_it_contains_the_same_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One path may lead to different disks on different machines."""
    run_folder, other_folder = tmp_path / "ours", tmp_path / "theirs"
    for folder in (run_folder, other_folder):
        folder.mkdir()
    monkeypatch.setattr(fitness, "address_of", lambda _: f"file://{run_folder}")
    with backend_of(tmp_path) as (backend, probe):
        requirements = WorkerRequirements("0", ".", backend, probe, False, False, "")
        assert backend_problem(requirements, tmp_path) == ""
        monkeypatch.setattr(fitness, "address_of", lambda _: f"file://{other_folder}")
        assert f"its backend file://{other_folder} is not the run's folder" in backend_problem(
            requirements, tmp_path
        )
    assert list(run_folder.iterdir()) == [], "the file is deleted"


@pytest.mark.parametrize("address", ["file://state", "file://./state"])
def test_a_backend_folder_in_the_project_is_refused(
    address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(fitness, "address_of", lambda _: address)
    with (
        pytest.raises(ClusterUnusable, match="use an absolute path on a disk that all workers share"),
        backend_of(tmp_path),
    ):
        pass


def test_a_backend_folder_that_cannot_be_written_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(fitness, "address_of", lambda _: f"file://{tmp_path / 'missing'}")
    with pytest.raises(ClusterUnusable, match="missing: No such file"), backend_of(tmp_path):
        pass
