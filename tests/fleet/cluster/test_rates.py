"""The rate limit that the subprocesses of two workers share."""

from __future__ import annotations

import json
import socket
from itertools import pairwise
from pathlib import Path

from tenantry.fleet.pool import Pool
from tests.e2e.cluster import Processes
from tests.fleet.cluster import jobs
from tests.fleet.cluster.conftest import Site

NAMES = [f"stack-{number}" for number in range(4)]


def test_workers_share_one_budget_that_the_scheduler_keeps(
    site: Site, dask: Processes, environment: dict[str, str]
) -> None:
    """The budget allows one request per five minutes, so each turn is five minutes after the previous one."""
    with site.run() as remote:
        pool = Pool(2, work=jobs.request_turn)
        remote.attach(pool, print, watched=False)
        assert {outcome.status for outcome in pool.run([site.job(name) for name in NAMES])} == {"ok"}
    turns = [json.loads((site.shared / name).read_text()) for name in NAMES]
    seconds = sorted(turn["seconds"] for turn in turns)
    assert seconds[0] == 0
    assert all(later - earlier > 290 for earlier, later in pairwise(seconds))
    assert len({turn["at"] for turn in turns}) == 2, "both workers requested turns"
    assert (dask.folder / "state" / "rates" / f"{jobs.HOST} tier 2").exists()
    assert not (Path(environment["TENANTRY_STATE"]) / "rates").exists()

    address, port, token = turns[0]["at"].split(":")
    for request in ("{}", json.dumps({"token": "x" * len(token), "do": "turn"}), "no JSON", "x" * 5000):
        with socket.create_connection((address, int(port)), 5) as connection:
            connection.sendall(f"{request}\n".encode())
            assert connection.makefile("rb").readline() == b"", "there is no response without the token"
