"""A cluster whose processes require certificates, configured with the settings of Dask only."""

from __future__ import annotations

from pathlib import Path

import dask
import pytest
import trustme

from tenantry.fleet.cluster import connection
from tenantry.fleet.cluster.errors import ClusterUnusable
from tenantry.fleet.pool import Pool
from tests.e2e.cluster import Processes
from tests.fleet.cluster import jobs
from tests.fleet.cluster.conftest import Site

TLS = "DASK_DISTRIBUTED__COMM__TLS__"


def test_a_run_over_tls_needs_a_certificate(
    site: Site, environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "own.pem"))
    settings = {f"{TLS}CA_FILE": str(tmp_path / "ca.pem")} | {
        f"{TLS}{role}__{part}": str(tmp_path / "own.pem")
        for role in ("SCHEDULER", "WORKER", "CLIENT")
        for part in ("CERT", "KEY")
    }
    settings["DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION"] = "true"
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with Processes(tmp_path / "tls", protocol="tls") as processes:
        processes.work(environment | settings)
        processes.wait()
        site.address = processes.address
        assert site.address.startswith("tls://")
        client_settings = {
            "distributed.comm.tls.ca-file": str(tmp_path / "ca.pem"),
            "distributed.comm.tls.client.cert": str(tmp_path / "own.pem"),
            "distributed.comm.tls.client.key": str(tmp_path / "own.pem"),
        }
        with dask.config.set(client_settings), site.run() as remote:
            pool = Pool(1, work=jobs.succeed)
            remote.attach(pool, print, watched=False)
            assert [outcome.status for outcome in pool.run([site.job("acme")])] == ["ok"]
        monkeypatch.setattr(connection, "CONNECT_TIMEOUT_SECONDS", 1.0)
        with pytest.raises(ClusterUnusable), site.run():
            pass
    assert site.started_stacks() == ["acme"]
