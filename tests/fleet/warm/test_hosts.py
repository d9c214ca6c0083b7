"""Language hosts that are kept from one stack to the next."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from tenantry.demo.environment import private_environment
from tenantry.fleet.warm import fork_server, forks, hosts
from tenantry.fleet.warm.providers import COLD_VARIABLE
from tenantry.pulumi_internals.language_hosts import ATTACH
from tests.e2e.harness import PULUMI

SECONDS = 60.0
STACK = ("--stack", "one", "--non-interactive", "--color", "never")
PULUMI_YAML = "name: test\nruntime: python\n"
SPOILS = """
import os, sys, pulumi, helper
helper.count += 1
pulumi.export("seen", [helper.count, os.environ["OF_THE_RUN"], os.getcwd(), pulumi.get_stack()])
open("children", "a").write(f"{os.getpid()} ")
pulumi.log.debug("whispered")
print("aloud", flush=True)
print("and below", file=sys.stderr)
"""
WAITS = """
import os, time
open("child", "w").write(str(os.getpid()))
os.rename("child", "children")
time.sleep(600)
"""


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    hosts.close()
    yield
    hosts.close()
    forks.close()


class Project:
    """A project without resources, with the stack `one` in its own backend."""

    def __init__(self, folder: Path, program: str) -> None:
        self.folder = folder / "project"
        self.folder.mkdir()
        self.env = {**private_environment(folder), "OF_THE_RUN": "mine"}
        (self.folder / "Pulumi.yaml").write_text(PULUMI_YAML)
        (self.folder / "__main__.py").write_text(program)
        (self.folder / "helper.py").write_text("count = 0\n")
        self.run("stack", "init")

    def start(self, *command: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Start `pulumi`."""
        return subprocess.Popen(
            [PULUMI, *command, *STACK],
            cwd=self.folder,
            env={**self.env, **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *command: str, env: Mapping[str, str] | None = None, code: int = 0) -> str:
        """Run `pulumi` and return its output."""
        with self.start(*command, env=env) as process:
            output = process.communicate(timeout=SECONDS)[0]
        assert process.returncode == code, output
        return output

    @property
    def children(self) -> list[int]:
        """The processes in which the program ran."""
        file = self.folder / "children"
        return list(map(int, file.read_text().split())) if file.exists() else []

    def host(self) -> Any:
        """Return a host for a run of the project."""
        return hosts.host(self.folder, self.env, SECONDS)


def test_each_run_of_a_program_has_its_own_process(tmp_path: Path) -> None:
    project = Project(tmp_path, SPOILS)
    with project.host() as attached:
        assert attached.keys() == {ATTACH}
        output = project.run("up", "--yes", env=attached)
        assert "aloud" in output
        assert "and below" in output
    with project.host() as again:
        assert again == attached
        project.run("preview", env=again)
    assert len(set(project.children)) == 3, "preview, up, preview"
    assert not set(project.children) & {os.getpid(), forks.server().process.pid}
    seen = f'[1,"mine","{project.folder}","one"]'
    assert seen in project.run("stack", "output").replace(" ", "")


def loaded() -> set[str]:
    return set(sys.modules)


def test_a_run_imports_only_modules_of_the_project(tmp_path: Path) -> None:
    """Everything else is imported already. Otherwise each run would pay for it."""
    listed = "import os, sys, helper\nopen('modules', 'w').write(' '.join(sys.modules))\n"
    project = Project(tmp_path, listed)
    with project.host() as attached:
        project.run("preview", env=attached)
    before = forks.server().call(loaded, folder=tmp_path, environment={}, seconds=SECONDS)
    assert {*(project.folder / "modules").read_text().split()} - before == {"helper"}


def test_debug_messages_are_dropped_unless_requested(tmp_path: Path) -> None:
    project = Project(tmp_path, SPOILS)
    assert "whispered" in project.run("preview", "--debug"), "the plain way"
    with project.host() as attached:
        assert "whispered" not in project.run("preview", "--debug", env=attached)
    project.env["PULUMI_OPTION_DEBUG"] = "true"
    with project.host() as attached:
        assert "whispered" in project.run("preview", env=attached)


def test_two_runs_at_a_time_have_two_hosts(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text(PULUMI_YAML)
    with hosts.host(tmp_path, {}, SECONDS) as first, hosts.host(tmp_path, {}, SECONDS) as second:
        assert first.keys() == second.keys() == {ATTACH}
        assert first != second


def test_a_program_ends_with_its_engine(tmp_path: Path) -> None:
    project = Project(tmp_path, WAITS)
    with project.host() as attached, project.start("preview", env=attached) as process:
        wait_for(lambda: project.children)
        (child,) = map(psutil.Process, project.children)
        engine = psutil.Process(process.pid)
        for running in [*engine.children(recursive=True), engine]:
            running.send_signal(signal.SIGKILL)
        child.wait(SECONDS)


def test_a_program_ends_with_the_process_that_keeps_the_host(tmp_path: Path) -> None:
    project = Project(tmp_path, WAITS)
    keeper = (
        "import os, subprocess, sys\nfrom pathlib import Path\n"
        "from tenantry.fleet.warm import hosts\n"
        f"with hosts.host(Path({str(project.folder)!r}), os.environ, {SECONDS}) as attached:\n"
        f"    subprocess.run({[str(PULUMI), 'preview', *STACK]!r}, env={{**os.environ, **attached}})\n"
    )
    with subprocess.Popen([sys.executable, "-c", keeper], cwd=project.folder, env=project.env) as process:
        wait_for(lambda: project.children)
        started = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGKILL)
    _, left = psutil.wait_procs(started, timeout=SECONDS)
    assert left == []


def wait_for(true: Any) -> None:
    """Wait until a function returns something true."""
    from tests.e2e.fleet import wait_until

    wait_until(true, "a program that runs", SECONDS)


def test_no_host_if_it_is_switched_off(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text(PULUMI_YAML)
    for name in (COLD_VARIABLE, "PULUMI_PYTHON_CMD", ATTACH):
        with hosts.host(tmp_path, {name: "1"}, SECONDS) as environment:
            assert environment == {}


@pytest.mark.parametrize(
    ("more", "folder"),
    [
        ("packages: {own: ./own}\n", "own"),
        ("plugins: {providers: [{name: own, path: own}]}\n", "own"),
        ("", "tenantry"),
    ],
)
def test_no_host_if_the_project_has_plugins_or_shadows_a_package(
    tmp_path: Path, more: str, folder: str
) -> None:
    plain, special = tmp_path / "plain", tmp_path / "special"
    for root, text in ((plain, PULUMI_YAML), (special, PULUMI_YAML + more)):
        root.mkdir()
        (root / "Pulumi.yaml").write_text(text)
    (special / folder).mkdir()
    (special / folder / "__init__.py").touch()
    with hosts.host(plain, {}, SECONDS) as environment:
        assert environment.keys() == {ATTACH}
    with hosts.host(special, {}, SECONDS) as environment:
        assert environment == {}


def test_no_host_if_nothing_can_be_forked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Pulumi.yaml").write_text(PULUMI_YAML)
    monkeypatch.setattr(fork_server, "COMMAND", "raise SystemExit(1)")
    forks.close()
    with hosts.host(tmp_path, {}, SECONDS) as environment:
        assert environment == {}


def test_a_dead_fork_server_is_started_again(tmp_path: Path) -> None:
    project = Project(tmp_path, SPOILS)
    with project.host() as attached:
        dead = forks.server().process
        dead.kill()
        dead.wait()
        project.run("preview", env=attached)
    assert len(project.children) == 1


def test_a_request_between_two_runs_is_refused(tmp_path: Path) -> None:
    project = Project(tmp_path, SPOILS)
    with project.host() as attached:
        pass
    assert "no run is expected now" in project.run("preview", env=attached, code=1)
    assert project.children == []
