"""A Dask cluster whose workers need no engine, and a project with stacks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tenantry.demo.environment import private_environment
from tenantry.fleet.cluster.executor import ClusterRun
from tenantry.fleet.job import Job
from tenantry.fleet.members import Member
from tests.e2e.cluster import Processes
from tests.fleet.cluster import jobs


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment of the run and of its workers."""
    return private_environment(tmp_path_factory.mktemp("private"))


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Iterator[Processes]:
    """Start a scheduler and two workers with one thread each."""
    with Processes(tmp_path_factory.mktemp("cluster") / "dask") as processes:
        for _ in range(2):
            processes.work(environment)
        processes.wait()
        yield processes


@dataclass
class Site:
    """A project, the folder it shares with its jobs, and the announcements of its run."""

    root: Path
    shared: Path
    address: str
    announced: list[str] = field(default_factory=list)

    def job(self, stack: str, **options: object) -> Job:
        """Return a job for a stack. Write its stack file if it does not exist."""
        file = self.root / f"Pulumi.{stack}.yaml"
        if not file.exists():
            file.write_text(f"# {self.shared}\nconfig: {{}}\n")
        member = Member(stack, file, digest="d1")
        return Job("up", member, "tenantry", self.root, self.shared / "logs" / stack, **options)  # type: ignore[arg-type]

    @contextmanager
    def run(self, lock_holder: Callable[[Job], str] = lambda _: "") -> Iterator[ClusterRun]:
        """Open a run on the cluster."""
        opened: AbstractContextManager[ClusterRun] = ClusterRun.opened(
            self.address,
            self.root,
            credentials=False,
            lock_holder=lock_holder,
            announce=self.announced.append,
        )
        with opened as remote:
            yield remote

    def started_stacks(self) -> list[str]:
        """Return the stacks whose jobs have started, once per start."""
        file = self.shared / jobs.STARTED_FILE
        return file.read_text().split() if file.exists() else []


@pytest.fixture
def site(
    tmp_path: Path, dask: Processes, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Site:
    """Return a project, and set the environment of the run."""
    for name in os.environ.keys() - environment.keys():
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    root, shared = tmp_path / "project", tmp_path / "shared"
    root.mkdir()
    shared.mkdir()
    (root / "Pulumi.yaml").write_text("name: tenantry\nruntime: python\n")
    return Site(root, shared, dask.address)
