"""How stacks stand, read by workers: the same as this machine reads."""

from __future__ import annotations

from pathlib import Path

from tenantry.fleet.cluster import reading
from tenantry.fleet.inventory import standings
from tenantry.pulumi_internals.backend_files import add_stack
from tenantry.settings.project import Project
from tenantry.state.backend import Backend
from tenantry.state.reading import Reader
from tests.fleet.cluster.conftest import Site


def test_workers_read_what_this_machine_reads(site: Site, environment: dict[str, str]) -> None:
    state = Path(environment["PULUMI_BACKEND_URL"].removeprefix("file://"))
    add_stack(state, "tenantry", "acme")
    (state / ".pulumi" / "stacks" / "tenantry" / "broken.json").write_text("{")
    members = [site.job(name).member for name in ("acme", "broken", "never-up")]
    project = Project.at(site.root)
    assert project
    here = list(standings(Reader.of(Backend(site.root), project), members, 1))
    with site.run() as remote:
        there = list(reading.standings(remote, members, 2))
        assert there == here
        assert [bool(standing.trouble) for standing in there] == [False, True, False]
        remote.cluster.lost = "the scheduler was lost"
        lost = list(reading.standings(remote, members[:1], 2))
    assert [(standing.member, standing.trouble) for standing in lost] == [
        (members[0], "the scheduler was lost")
    ]
