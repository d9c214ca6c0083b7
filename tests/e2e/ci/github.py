"""A simulation of GitHub Actions: jobs in order, conditions, matrices, environments, artifacts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.ci.expressions import Expressions, bare, text
from tests.e2e.ci.site import PASSPHRASE, Doc, Job, Machine, Site, copy
from tests.fleet.forge_server import TOKEN

REPOSITORY = "oem/customers"
QLIK = {"QLIK_CLIENT_ID": "demo", "QLIK_CLIENT_SECRET": "demo-secret"}
STATUS_FUNCTIONS = ("always()", "failure()", "cancelled()", "success()")


@dataclass
class Run:
    """A run of a workflow: its jobs by name; matrix jobs by name and value, "preview 1/2"."""

    jobs: dict[str, Job] = field(default_factory=dict)

    @property
    def results(self) -> dict[str, str]:
        return {name: job.result for name, job in self.jobs.items()}

    @property
    def summary(self) -> str:
        return "".join(job.summary for job in self.jobs.values())


class GitHub:
    """Runs the workflows of a site; all runs share a cache."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site, self.folder = site, folder
        self.variables: dict[str, str] = {"PULUMI_BACKEND_URL": site.backend}
        self.secrets: dict[str, str] = {"PULUMI_CONFIG_PASSPHRASE": PASSPHRASE}
        self.environments = dict.fromkeys(("pilot", "early", "broad", "drift", "trials"), QLIK)
        self.caches: dict[str, Path] = {}
        self.runs = 0

    def pull_request(self, branch: str, *, fork: bool = False, **more: Any) -> Run:
        """Run the preview of a pull request."""
        head, merged = self.site.pull_request(branch)
        event: Doc = {
            "pull_request": {
                "number": 1,
                "head": {"sha": head, "repo": {"full_name": "somebody/customers" if fork else REPOSITORY}},
                "user": {"login": "somebody"},
            }
        }
        return self.run("preview", merged, event, base_ref="main", fork=fork, **more)

    def run(self, workflow: str, commit: str, event: Doc | None = None, **more: Any) -> Run:
        """Run a workflow at a commit; see `_Running` for further arguments."""
        self.runs += 1
        file = self.site.work / ".github" / "workflows" / f"{workflow}.yml"
        running = _Running(self, yaml.safe_load(file.read_text("utf-8")), commit, event or {}, **more)
        running.carry_out()
        return running.run


@dataclass
class _Running:
    """One run. `lost`: jobs whose machine dies at once. `rejected`: environments without approval.

    `dies_when`: when this returns True, the current machine dies.
    """

    github: GitHub
    workflow: Doc
    commit: str
    event: Doc
    base_ref: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    fork: bool = False
    attempt: int = 1
    lost: Collection[str] = ()
    rejected: Collection[str] = ()
    dies_when: Callable[[], bool] | None = None
    run: Run = field(default_factory=Run)
    needs: dict[str, Doc] = field(default_factory=dict)
    artifacts: dict[str, Path] = field(default_factory=dict)

    def carry_out(self) -> None:
        """Run each job whose condition holds, in the order of the file."""
        for name, job in self.workflow["jobs"].items():
            waits = [job.get("needs", [])] if isinstance(job.get("needs", []), str) else job.get("needs", [])
            needs = {need: self.needs[need] for need in waits}
            known = self._contexts(job, {"needs": needs})
            if not Expressions(known, self._functions(needs)).holds(with_status(job)):
                self.run.jobs[name] = Job(name, "skipped")
                self.needs[name] = {"result": "skipped", "outputs": {}}
                continue
            done = [self._one(*combination, job, known) for combination in self._matrix(name, job, known)]
            failed = any(finished.result == "failure" for finished in done)
            outputs = {key: value for finished in done for key, value in finished.outputs.items()}
            self.needs[name] = {"result": "failure" if failed else "success", "outputs": outputs}

    def _functions(self, needs: Mapping[str, Doc]) -> dict[str, Callable[..., Any]]:
        results = {need["result"] for need in needs.values()}
        return {
            "failure": lambda: "failure" in results,
            "cancelled": lambda: False,
            "success": lambda: results <= {"success"},
        }

    def _matrix(self, name: str, job: Doc, known: Doc) -> Iterator[tuple[str, Doc]]:
        if "strategy" not in job:
            yield name, {}
            return
        [(key, values)] = Expressions(known, {}).value(job["strategy"]["matrix"]).items()
        for index, value in enumerate(values):
            strategy = {"job-index": index, "job-total": len(values)}
            yield f"{name} {value}", {"matrix": {key: value}, "strategy": strategy}

    def _contexts(self, job: Doc, more: Doc) -> Doc:
        """Return the contexts for expressions. A fork gets no secrets."""
        secrets = {} if self.fork else self.github.secrets
        if environment := job.get("environment"):
            secrets = secrets | self.github.environments[environment]
        known: Doc = {
            "github": {
                "event": {"repository": {"private": True}, **self.event},
                "repository": REPOSITORY,
                "base_ref": self.base_ref,
                "ref": "refs/heads/main",
                "sha": self.commit,
                "run_id": self.github.runs,
                "run_attempt": self.attempt,
                "server_url": "https://github.example",
                "token": TOKEN,
            },
            "vars": self.github.variables,
            "secrets": secrets,
            "inputs": self.inputs,
            **more,
        }
        return known

    def _one(self, name: str, more: Doc, job: Doc, known: Doc) -> Job:
        """Run a job, or one job of a matrix, on a new machine."""
        done = self.run.jobs[name] = Job(name)
        if name in self.lost or job.get("environment") in self.rejected:
            done.result = "failure"
            return done
        folder = self.github.folder / f"{self.github.runs}-{len(self.run.jobs)}"
        machine = Machine(self.github.site, folder, self.dies_when)
        runner = _Runner(self, machine, done, {**known, **more})
        runner.carry_out(self.workflow.get("env", {}), job)
        return done


class _Runner:
    """The steps of one job."""

    def __init__(self, running: _Running, machine: Machine, job: Job, known: Doc) -> None:
        self.running, self.machine, self.job = running, machine, job
        self.steps: dict[str, Doc] = {}
        self.known = {**known, "steps": self.steps, "env": {}}
        self.files = {name: machine.home.parent / name for name in ("output", "summary")}

    def carry_out(self, of_all: Doc, job: Doc) -> None:
        for variables in (of_all, job.get("env", {})):
            self.known["env"] |= self._expressions().value(variables)
        for number, step in enumerate(job["steps"]):
            if self.machine.dead:
                return
            outputs: dict[str, str] = {}
            if self._expressions().holds(with_status(step)):
                outputs = self._step(step, step.get("name") or f"{self.job.name}, step {number}")
            if "id" in step:
                self.steps[step["id"]] = {"outputs": outputs}
        self.job.outputs = self._expressions().value(job.get("outputs", {}))
        summary = self.files["summary"]
        self.job.summary = summary.read_text("utf-8") if summary.exists() else ""

    def _expressions(self) -> Expressions:
        failed = self.job.result == "failure"
        return Expressions(
            self.known,
            {
                "always": lambda: True,
                "success": lambda: not failed,
                "failure": lambda: failed,
                "cancelled": lambda: False,
                "hashFiles": self._hash,
            },
        )

    def _hash(self, pattern: str) -> str:
        found = sorted(self.machine.workspace.glob(pattern))
        return hashlib.sha256(b"".join(file.read_bytes() for file in found)).hexdigest() if found else ""

    def _step(self, step: Doc, name: str) -> dict[str, str]:
        if "run" in step:
            return self._script(step, name)
        given = {key: text(value) for key, value in self._expressions().value(step.get("with", {})).items()}
        actions: dict[str, Callable[[dict[str, str]], dict[str, str] | None]] = {
            "actions/checkout": self._checkout,
            "actions/cache/restore": self._restore,
            "actions/cache/save": self._save,
            "actions/upload-artifact": self._upload,
            "actions/download-artifact": self._download,
            "./.github/actions/setup": self._set_up,
        }
        return actions[step["uses"].partition("@")[0]](given) or {}

    def _script(self, step: Doc, name: str) -> dict[str, str]:
        env = {key: text(value) for key, value in self.known["env"].items()}
        env |= {key: text(value) for key, value in self._expressions().value(step.get("env", {})).items()}
        forge = {"GITHUB_REPOSITORY": REPOSITORY, "GITHUB_API_URL": self.machine.site.forge.url}
        self.files["output"].write_text("")
        files = {"GITHUB_OUTPUT": self.files["output"], "GITHUB_STEP_SUMMARY": self.files["summary"]}
        file_variables = {key: str(file) for key, file in files.items()}
        done = self.machine.bash(name, step["run"], {**env, **forge, **file_variables})
        self.job.steps.append(done)
        if done.code:
            self.job.result = "failure"
        lines = self.files["output"].read_text("utf-8").splitlines()
        return {key: value for key, _, value in (line.partition("=") for line in lines)}

    def _checkout(self, given: dict[str, str]) -> None:
        whole = given.get("fetch-depth") == "0"
        self.machine.site.clone(self.machine.workspace, self.running.commit, whole=whole)

    def _set_up(self, given: dict[str, str]) -> None:
        assert (self.machine.workspace / ".github" / "actions" / "setup" / "action.yml").exists()
        self.machine.set_up()

    def _restore(self, given: dict[str, str]) -> dict[str, str]:
        caches, key = self.running.github.caches, given["key"]
        prefix = given.get("restore-keys", key)
        hit = (
            key
            if key in caches
            else next((cache for cache in reversed(caches) if cache.startswith(prefix)), "")
        )
        if hit:
            copy(caches[hit], self.machine.path(given["path"]))
        return {"cache-primary-key": key, "cache-hit": text(hit == key) if hit else ""}

    def _save(self, given: dict[str, str]) -> None:
        caches, source = self.running.github.caches, self.machine.path(given["path"])
        if given["key"] not in caches and source.exists():
            caches[given["key"]] = self.machine.home.parent / f"cache-{len(caches)}"
            copy(source, caches[given["key"]])

    def _upload(self, given: dict[str, str]) -> None:
        folder = self.machine.home.parent / f"artifact-{given['name']}"
        assert given["if-no-files-found"] == "ignore" or any(self.machine.path(given["path"]).iterdir())
        copy(self.machine.path(given["path"]), folder)
        if folder.exists():
            self.running.artifacts[given["name"]] = folder

    def _download(self, given: dict[str, str]) -> None:
        if "name" in given:
            copy(self.running.artifacts[given["name"]], self.machine.path(given["path"]))
            return
        assert given["merge-multiple"] == "true"
        for name, folder in self.running.artifacts.items():
            if name.startswith(given["pattern"].rstrip("*")):
                copy(folder, self.machine.path(given["path"]))


def with_status(of: Doc) -> str:
    """Return the condition of a job or step; without a status function, it requires success before."""
    condition = bare(of.get("if", "success()"))
    named = any(function in condition for function in STATUS_FUNCTIONS)
    return condition if named else f"success() && ({condition})"
