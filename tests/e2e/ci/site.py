"""The environment of a platform team: a repository on a forge, a backend, Qlik Cloud, and machines."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import yaml

from tenantry.emulator import Emulator
from tenantry.starting.repository import Choices, write
from tests.e2e.customers import REGION, SOURCE_TENANT
from tests.e2e.harness import ROOT
from tests.fleet.forge_server import Server
from tests.world import World

BIN = ROOT / ".venv" / "bin"
IDENTITY = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
PLANNERS = {"Planners": {"provider_type": "custom", "description": "Who plans"}}
PASSPHRASE = "correct horse"

Doc = dict[str, Any]


@dataclass
class Step:
    """A finished script, with its environment, exit code and output."""

    name: str
    env: Mapping[str, str]
    code: int
    output: str


@dataclass
class Job:
    """A finished job. `result` is one of GitHub's words, and `summary` is Markdown."""

    name: str
    result: str = "success"
    steps: list[Step] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    summary: str = ""

    @property
    def output(self) -> str:
        """The whole output."""
        return "".join(step.output for step in self.steps)


class Site:
    """A bare repository with a project, and a working copy for changes and pushes."""

    def __init__(self, folder: Path, qlik: Emulator, forge: Server) -> None:
        self.folder, self.qlik, self.forge = folder, qlik, forge
        self.bare, self.work = folder / "origin.git", folder / "work"
        self.state = folder / "state"
        for directory in (self.work, self.state):
            directory.mkdir()
        for ci in ("github", "gitlab"):
            write(self.work, Choices("tenantry", REGION, SOURCE_TENANT, "tenantry", ci))
        for plan in (self.work / "stacks" / "plans").iterdir():
            plan.unlink()
        self.git("init", "--quiet", "--initial-branch", "main")
        self._run("git", "init", "--quiet", "--bare", "--initial-branch", "main", str(self.bare))
        self.git("remote", "add", "origin", f"file://{self.bare}")

    def write(self, stack: str, **customer: Any) -> None:
        """Write a stack file."""
        config = {"qlik:region": REGION, "qlik:source_tenant": SOURCE_TENANT, "tenantry:customer": customer}
        self._dump(f"Pulumi.{stack}.yaml", {"config": config})

    def write_plan(self, name: str, **plan: Any) -> None:
        """Write a plan."""
        self._dump(f"plans/{name}.yaml", plan)

    def _dump(self, name: str, content: Doc) -> None:
        (self.work / "stacks" / name).write_text(yaml.safe_dump(content, sort_keys=False), "utf-8")

    def push(self, branch: str = "main", message: str = "a change") -> str:
        """Commit all changes on a branch, create it if it is new, and push it."""
        if self.git("branch", "--show-current") != branch:
            self.git("checkout", "--quiet", "-B", branch)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        self.git("push", "--quiet", "--force", "origin", branch)
        return self.git("rev-parse", "HEAD")

    def pull_request(self, branch: str) -> tuple[str, str]:
        """Merge a branch with main. Return the commit of the branch, and the merge commit."""
        head = self.git("rev-parse", branch)
        self.git("checkout", "--quiet", "--detach", "main")
        self.git("merge", "--quiet", "--no-ff", "--no-edit", branch)
        self.git("push", "--quiet", "--force", "origin", "HEAD:refs/pull/1/merge")
        merged = self.git("rev-parse", "HEAD")
        self.git("checkout", "--quiet", branch)
        return head, merged

    def git(self, *args: str) -> str:
        """Run git in the working copy."""
        return self._run("git", *IDENTITY, "-C", str(self.work), *args)

    def clone(self, folder: Path, commit: str, *, full_history: bool) -> None:
        """Check out a commit, with its full history or without any history."""
        source = f"file://{self.bare}"
        self._run("git", "init", "--quiet", str(folder))
        git = ("git", "-C", str(folder))
        self._run(*git, "remote", "add", "origin", source)
        depth = [] if full_history else ["--depth", "1"]
        self._run(*git, "fetch", "--quiet", *depth, "origin", commit)
        if full_history:
            self._run(*git, "fetch", "--quiet", "origin", "+refs/heads/*:refs/remotes/origin/*")
        self._run(*git, "checkout", "--quiet", commit)

    def _run(self, *command: str) -> str:
        completed = subprocess.run(command, capture_output=True, text=True, check=False)
        assert completed.returncode == 0, f"{command}: {completed.stderr}"
        return completed.stdout.strip()

    @property
    def backend(self) -> str:
        """The URL of the backend."""
        return f"file://{self.state}"

    def states(self) -> dict[str, bytes]:
        """Return every file in the backend, by path."""
        return {str(path): path.read_bytes() for path in self.state.rglob("*") if path.is_file()}

    def tenants(self) -> dict[str, Doc]:
        """Return the created tenants at Qlik, by name."""
        created = [tenant for tenant in self.qlik.control.dump()["cloud"]["tenant"] if tenant.get("_created")]
        return {tenant["name"]: tenant for tenant in created}

    def keep_only(self, *stacks: str) -> None:
        """Delete all other stack files."""
        file_names = {f"Pulumi.{stack}.yaml" for stack in stacks}
        for file in (self.work / "stacks").glob("Pulumi.*.yaml"):
            if file.name not in file_names:
                file.unlink()

    def world(self, customer: str) -> World:
        """Return the content of a customer's tenant."""
        return World(self.qlik, self.tenants()[customer]["hostnames"][0])

    def groups(self, customer: str) -> set[str]:
        """Return the names of a customer's groups."""
        return self.world(customer).groups.keys() - {"Everyone"}

    @property
    def planners(self) -> str:
        """The path of Hooli's group."""
        return f"groups/{self.world('Hooli').groups['Planners']['id']}"


class Machine:
    """A fresh machine for a job, with an empty home and only the settings of this test.

    The machine dies with all of its processes as soon as `dies_when` returns True.
    """

    def __init__(self, site: Site, folder: Path, dies_when: Callable[[], bool] | None = None) -> None:
        self.site, self.home, self.workspace = site, folder / "home", folder / "work"
        self.dies_when, self.dead = dies_when, False
        for directory in (self.home, folder / "temp", folder / "pulumi"):
            directory.mkdir(parents=True)
        self.env = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "PULUMI_HOME": str(folder / "pulumi"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_DIY_BACKEND_NO_LEGACY_WARNING": "true",
            "QLIK_CLOUD_ENDPOINT": site.qlik.url,
        }

    def set_up(self) -> None:
        """Link the environment of this checkout, because the real set-up has its own tests."""
        (self.workspace / ".git" / "info" / "exclude").write_text(".venv\n")
        (self.workspace / ".venv").symlink_to(BIN.parent)
        self.env["PATH"] = f"{BIN}:{self.env['PATH']}"

    def path(self, path_in_workflow: str) -> Path:
        """Resolve a path in a workflow, relative to the home or to the checkout."""
        if path_in_workflow.startswith("~/"):
            return self.home / path_in_workflow[2:]
        return self.workspace / path_in_workflow

    def bash(self, name: str, script: str, env: Mapping[str, str]) -> Step:
        """Run a script as both forges do. It ends at the first command that fails."""
        full_env = {**self.env, **env}
        with self._watch():
            completed = subprocess.run(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
                cwd=self.workspace,
                env=full_env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=240,
                check=False,
            )
        print(f"--- {name} (exit code {completed.returncode})\n{script}\n{completed.stdout}")
        return Step(name, full_env, completed.returncode, completed.stdout)

    @contextmanager
    def _watch(self) -> Iterator[None]:
        """Kill the machine during the block when `dies_when` returns True."""
        has_ended = threading.Event()

        def kill_when_due() -> None:
            while self.dies_when and not self.dead and not has_ended.wait(0.05):
                if self.dies_when():
                    self.dead = True
                    self._kill_all()

        watcher = threading.Thread(target=kill_when_due)
        watcher.start()
        try:
            yield
        finally:
            has_ended.set()
            watcher.join()

    def _kill_all(self) -> None:
        """Kill every process with this machine's home, in any process group or session."""
        while processes := [process for process in psutil.process_iter() if self._is_own_process(process)]:
            for process in processes:
                with suppress(psutil.Error):
                    process.kill()

    def _is_own_process(self, process: psutil.Process) -> bool:
        try:
            return process.status() != psutil.STATUS_ZOMBIE and process.environ()["HOME"] == str(self.home)
        except (psutil.Error, KeyError):
            return False


def credentials(job: Job) -> set[str]:
    """Return the names of the credentials in the environments of a job's scripts."""
    names = ("QLIK_C", "QLIK_ORG", "PULUMI_CONFIG", "PULUMI_BACKEND", "AWS_", "GITHUB_TOKEN", "GITLAB_TOKEN")
    variables = {name: value for step in job.steps for name, value in step.env.items()}
    return {name for name, value in variables.items() if value and name.startswith(names)} - {
        "QLIK_CLOUD_ENDPOINT"
    }


def trial(ends_on: str) -> Doc:
    """Return the lifecycle of a trial."""
    return {"kind": "trial", "ends_on": ends_on, "grace_days": 10}


def copy(source: Path, target: Path) -> None:
    """Copy a folder, or the files that match the last part of its path, into a folder. Overwrite files."""
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True, symlinks=True)
        return
    for path in source.parent.glob(source.name):
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
