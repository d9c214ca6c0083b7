"""Language hosts that are reused from one stack to the next."""

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

TIMEOUT_SECONDS = 60.0
STACK = ("--stack", "one", "--non-interactive", "--color", "never")
PULUMI_YAML = "name: test\nruntime: python\n"
EXPORTS = """
import os, sys, pulumi, helper
helper.count += 1
pulumi.export("seen", [helper.count, os.environ["RUN_VARIABLE"], os.getcwd(), pulumi.get_stack()])
open("children", "a").write(f"{os.getpid()} ")
pulumi.log.debug("debug message")
print("standard output", flush=True)
print("standard error", file=sys.stderr)
"""
WAITS = """
import os, time
open("child", "w").write(str(os.getpid()))
os.rename("child", "children")
time.sleep(600)
"""


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """Close all hosts before and after each test."""
    hosts.close()
    yield
    hosts.close()
    forks.close()


class Project:
    """A project without resources, with the stack `one` in its own backend."""

    def __init__(self, folder: Path, program: str) -> None:
        self.folder = folder / "project"
        self.folder.mkdir()
        self.env = {**private_environment(folder), "RUN_VARIABLE": "own"}
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
            output = process.communicate(timeout=TIMEOUT_SECONDS)[0]
        assert process.returncode == code, output
        return output

    @property
    def children(self) -> list[int]:
        """The processes in which the program ran."""
        file = self.folder / "children"
        return list(map(int, file.read_text().split())) if file.exists() else []

    def host(self) -> Any:
        """Return a host for a run of the project."""
        return hosts.host(self.folder, self.env, TIMEOUT_SECONDS)


def test_each_run_of_a_program_has_its_own_process(tmp_path: Path) -> None:
    project = Project(tmp_path, EXPORTS)
    with project.host() as attached:
        assert attached.keys() == {ATTACH}
        output = project.run("up", "--yes", env=attached)
        assert "standard output" in output
        assert "standard error" in output
    with project.host() as reattached:
        assert reattached == attached
        project.run("preview", env=reattached)
    assert len(set(project.children)) == 3, "preview, up, preview"
    assert not set(project.children) & {os.getpid(), forks.server().process.pid}
    exported = f'[1,"own","{project.folder}","one"]'
    assert exported in project.run("stack", "output").replace(" ", "")


def loaded_modules() -> set[str]:
    return set(sys.modules)


def test_a_run_imports_only_modules_of_the_project(tmp_path: Path) -> None:
    """The host has already imported all other modules, which saves time in each run."""
    program = "import os, sys, helper\nopen('modules', 'w').write(' '.join(sys.modules))\n"
    project = Project(tmp_path, program)
    with project.host() as attached:
        project.run("preview", env=attached)
    before = forks.server().call(loaded_modules, folder=tmp_path, environment={}, seconds=TIMEOUT_SECONDS)
    assert {*(project.folder / "modules").read_text().split()} - before == {"helper"}


def test_a_host_drops_debug_messages_unless_a_variable_requests_them(tmp_path: Path) -> None:
    project = Project(tmp_path, EXPORTS)
    assert "debug message" in project.run("preview", "--debug"), "a run without a shared host prints them"
    with project.host() as attached:
        assert "debug message" not in project.run("preview", "--debug", env=attached)
    project.env["PULUMI_OPTION_DEBUG"] = "true"
    with project.host() as attached:
        assert "debug message" in project.run("preview", env=attached)


def test_two_runs_at_a_time_have_two_hosts(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text(PULUMI_YAML)
    with (
        hosts.host(tmp_path, {}, TIMEOUT_SECONDS) as first,
        hosts.host(tmp_path, {}, TIMEOUT_SECONDS) as second,
    ):
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
        child.wait(TIMEOUT_SECONDS)


def test_a_program_ends_with_the_process_that_keeps_the_host(tmp_path: Path) -> None:
    project = Project(tmp_path, WAITS)
    keeper = (
        "import os, subprocess, sys\nfrom pathlib import Path\n"
        "from tenantry.fleet.warm import hosts\n"
        f"with hosts.host(Path({str(project.folder)!r}), os.environ, {TIMEOUT_SECONDS}) as attached:\n"
        f"    subprocess.run({[str(PULUMI), 'preview', *STACK]!r}, env={{**os.environ, **attached}})\n"
    )
    with subprocess.Popen([sys.executable, "-c", keeper], cwd=project.folder, env=project.env) as process:
        wait_for(lambda: project.children)
        started = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs(started, timeout=TIMEOUT_SECONDS)
    assert alive == []


def wait_for(condition: Any) -> None:
    """Wait until a function returns a true value."""
    from tests.e2e.fleet import wait_until

    wait_until(condition, "a program that runs", TIMEOUT_SECONDS)


def test_no_host_starts_if_a_variable_disables_it(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text(PULUMI_YAML)
    for name in (COLD_VARIABLE, "PULUMI_PYTHON_CMD", ATTACH):
        with hosts.host(tmp_path, {name: "1"}, TIMEOUT_SECONDS) as environment:
            assert environment == {}


@pytest.mark.parametrize(
    ("project_keys", "folder"),
    [
        ("packages: {own: ./own}\n", "own"),
        ("plugins: {providers: [{name: own, path: own}]}\n", "own"),
        ("", "tenantry"),
    ],
)
def test_no_host_starts_if_the_project_has_plugins_or_shadows_a_package(
    tmp_path: Path, project_keys: str, folder: str
) -> None:
    plain, special = tmp_path / "plain", tmp_path / "special"
    for root, text in ((plain, PULUMI_YAML), (special, PULUMI_YAML + project_keys)):
        root.mkdir()
        (root / "Pulumi.yaml").write_text(text)
    (special / folder).mkdir()
    (special / folder / "__init__.py").touch()
    with hosts.host(plain, {}, TIMEOUT_SECONDS) as environment:
        assert environment.keys() == {ATTACH}
    with hosts.host(special, {}, TIMEOUT_SECONDS) as environment:
        assert environment == {}


def test_no_host_starts_if_the_fork_server_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Pulumi.yaml").write_text(PULUMI_YAML)
    monkeypatch.setattr(fork_server, "COMMAND", "raise SystemExit(1)")
    forks.close()
    with hosts.host(tmp_path, {}, TIMEOUT_SECONDS) as environment:
        assert environment == {}


def test_a_dead_fork_server_is_started_again(tmp_path: Path) -> None:
    project = Project(tmp_path, EXPORTS)
    with project.host() as attached:
        fork_process = forks.server().process
        fork_process.kill()
        fork_process.wait()
        project.run("preview", env=attached)
    assert len(project.children) == 1


def test_a_request_between_two_runs_is_refused(tmp_path: Path) -> None:
    project = Project(tmp_path, EXPORTS)
    with project.host() as attached:
        pass
    assert "no run is expected now" in project.run("preview", env=attached, code=1)
    assert project.children == []
