"""The status of stacks as workers read it. It equals what this machine reads."""

from __future__ import annotations

from pathlib import Path

from tenantry.fleet.cluster import reading
from tenantry.fleet.inventory import stack_statuses
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
    local_statuses = list(stack_statuses(Reader.of(Backend(site.root), project), members, 1))
    with site.run() as remote:
        remote_statuses = list(reading.stack_statuses(remote, members, 2))
        assert remote_statuses == local_statuses
        assert [bool(stack_status.trouble) for stack_status in remote_statuses] == [False, True, False]
        remote.cluster.lost = "the scheduler was lost"
        statuses_after_loss = list(reading.stack_statuses(remote, members[:1], 2))
    assert [(stack_status.member, stack_status.trouble) for stack_status in statuses_after_loss] == [
        (members[0], "the scheduler was lost")
    ]
