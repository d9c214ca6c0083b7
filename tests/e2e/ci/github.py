"""A simulation of GitHub Actions with conditions, matrices, environments, artifacts and caches."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.ci.expressions import Expressions, text, without_braces
from tests.e2e.ci.site import PASSPHRASE, Doc, Job, Machine, Site, copy
from tests.fleet.forge_server import TOKEN

REPOSITORY = "oem/customers"
QLIK = {"QLIK_CLIENT_ID": "demo", "QLIK_CLIENT_SECRET": "demo-secret"}
STATUS_FUNCTIONS = ("always()", "failure()", "cancelled()", "success()")


@dataclass
class Run:
    """A run of a workflow, with its jobs by name. The name of a matrix job has its value: "preview 1/2"."""

    jobs: dict[str, Job] = field(default_factory=dict)

    @property
    def results(self) -> dict[str, str]:
        return {name: job.result for name, job in self.jobs.items()}

    @property
    def summary(self) -> str:
        return "".join(job.summary for job in self.jobs.values())


class GitHub:
    """The workflows of a site. All runs share a cache."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site, self.folder = site, folder
        self.variables: dict[str, str] = {"PULUMI_BACKEND_URL": site.backend}
        self.secrets: dict[str, str] = {"PULUMI_CONFIG_PASSPHRASE": PASSPHRASE}
        self.environments = dict.fromkeys(("pilot", "early", "broad", "drift", "trials"), QLIK)
        self.caches: dict[str, Path] = {}
        self.runs = 0

    def pull_request(self, branch: str, *, fork: bool = False, **options: Any) -> Run:
        """Run the preview of a pull request."""
        head, merged = self.site.pull_request(branch)
        event: Doc = {
            "pull_request": {
                "number": 1,
                "head": {"sha": head, "repo": {"full_name": "somebody/customers" if fork else REPOSITORY}},
                "user": {"login": "somebody"},
            }
        }
        return self.run("preview", merged, event, base_ref="main", fork=fork, **options)

    def run(self, workflow: str, commit: str, event: Doc | None = None, **options: Any) -> Run:
        """Run a workflow at a commit. `_WorkflowRun` has the further `options`."""
        self.runs += 1
        file = self.site.work / ".github" / "workflows" / f"{workflow}.yml"
        workflow_run = _WorkflowRun(
            self, yaml.safe_load(file.read_text("utf-8")), commit, event or {}, **options
        )
        workflow_run.run_jobs()
        return workflow_run.run


@dataclass
class _WorkflowRun:
    """A run in progress. The machines of `lost_jobs` die at once. `rejected` environments are not approved.

    The current machine dies when `dies_when` returns True.
    """

    github: GitHub
    workflow: Doc
    commit: str
    event: Doc
    base_ref: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    fork: bool = False
    attempt: int = 1
    lost_jobs: Collection[str] = ()
    rejected: Collection[str] = ()
    dies_when: Callable[[], bool] | None = None
    run: Run = field(default_factory=Run)
    needs: dict[str, Doc] = field(default_factory=dict)
    artifacts: dict[str, Path] = field(default_factory=dict)

    def run_jobs(self) -> None:
        """Run each job whose condition holds, in the order of the file."""
        for name, job in self.workflow["jobs"].items():
            needed = job.get("needs", [])
            needed_jobs = [needed] if isinstance(needed, str) else needed
            needs = {need: self.needs[need] for need in needed_jobs}
            contexts = self._contexts(job, {"needs": needs})
            if not Expressions(contexts, self._functions(needs)).holds(with_status(job)):
                self.run.jobs[name] = Job(name, "skipped")
                self.needs[name] = {"result": "skipped", "outputs": {}}
                continue
            finished_jobs = [
                self._run_job(*combination, job, contexts)
                for combination in self._matrix(name, job, contexts)
            ]
            failed = any(finished_job.result == "failure" for finished_job in finished_jobs)
            outputs = {key: value for job in finished_jobs for key, value in job.outputs.items()}
            self.needs[name] = {"result": "failure" if failed else "success", "outputs": outputs}

    def _functions(self, needs: Mapping[str, Doc]) -> dict[str, Callable[..., Any]]:
        results = {need["result"] for need in needs.values()}
        return {
            "failure": lambda: "failure" in results,
            "cancelled": lambda: False,
            "success": lambda: results <= {"success"},
        }

    def _matrix(self, name: str, job: Doc, contexts: Doc) -> Iterator[tuple[str, Doc]]:
        if "strategy" not in job:
            yield name, {}
            return
        [(key, values)] = Expressions(contexts, {}).value(job["strategy"]["matrix"]).items()
        for index, value in enumerate(values):
            strategy = {"job-index": index, "job-total": len(values)}
            yield f"{name} {value}", {"matrix": {key: value}, "strategy": strategy}

    def _contexts(self, job: Doc, extra_contexts: Doc) -> Doc:
        """Return the contexts for expressions. A fork gets no secrets."""
        secrets = {} if self.fork else self.github.secrets
        if environment := job.get("environment"):
            secrets = secrets | self.github.environments[environment]
        contexts: Doc = {
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
            **extra_contexts,
        }
        return contexts

    def _run_job(self, name: str, extra_contexts: Doc, job: Doc, contexts: Doc) -> Job:
        """Run a job, or one job of a matrix, on a new machine."""
        finished_job = self.run.jobs[name] = Job(name)
        if name in self.lost_jobs or job.get("environment") in self.rejected:
            finished_job.result = "failure"
            return finished_job
        folder = self.github.folder / f"{self.github.runs}-{len(self.run.jobs)}"
        machine = Machine(self.github.site, folder, self.dies_when)
        runner = _JobRunner(self, machine, finished_job, {**contexts, **extra_contexts})
        runner.run_steps(self.workflow.get("env", {}), job)
        return finished_job


class _JobRunner:
    """The steps of one job."""

    def __init__(self, workflow_run: _WorkflowRun, machine: Machine, job: Job, contexts: Doc) -> None:
        self.workflow_run, self.machine, self.job = workflow_run, machine, job
        self.steps: dict[str, Doc] = {}
        self.contexts = {**contexts, "steps": self.steps, "env": {}}
        self.files = {name: machine.home.parent / name for name in ("output", "summary")}

    def run_steps(self, workflow_env: Doc, job: Doc) -> None:
        for variables in (workflow_env, job.get("env", {})):
            self.contexts["env"] |= self._expressions().value(variables)
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
            self.contexts,
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
        inputs = {key: text(value) for key, value in self._expressions().value(step.get("with", {})).items()}
        actions: dict[str, Callable[[dict[str, str]], dict[str, str] | None]] = {
            "actions/checkout": self._checkout,
            "actions/cache/restore": self._restore,
            "actions/cache/save": self._save,
            "actions/upload-artifact": self._upload,
            "actions/download-artifact": self._download,
            "./.github/actions/setup": self._set_up,
        }
        return actions[step["uses"].partition("@")[0]](inputs) or {}

    def _script(self, step: Doc, name: str) -> dict[str, str]:
        env = {key: text(value) for key, value in self.contexts["env"].items()}
        env |= {key: text(value) for key, value in self._expressions().value(step.get("env", {})).items()}
        forge = {"GITHUB_REPOSITORY": REPOSITORY, "GITHUB_API_URL": self.machine.site.forge.url}
        self.files["output"].write_text("")
        files = {"GITHUB_OUTPUT": self.files["output"], "GITHUB_STEP_SUMMARY": self.files["summary"]}
        file_variables = {key: str(file) for key, file in files.items()}
        result = self.machine.bash(name, step["run"], {**env, **forge, **file_variables})
        self.job.steps.append(result)
        if result.code:
            self.job.result = "failure"
        lines = self.files["output"].read_text("utf-8").splitlines()
        return {key: value for key, _, value in (line.partition("=") for line in lines)}

    def _checkout(self, inputs: dict[str, str]) -> None:
        full_history = inputs.get("fetch-depth") == "0"
        self.machine.site.clone(self.machine.workspace, self.workflow_run.commit, full_history=full_history)

    def _set_up(self, inputs: dict[str, str]) -> None:
        assert (self.machine.workspace / ".github" / "actions" / "setup" / "action.yml").exists()
        self.machine.set_up()

    def _restore(self, inputs: dict[str, str]) -> dict[str, str]:
        caches, key = self.workflow_run.github.caches, inputs["key"]
        prefix = inputs.get("restore-keys", key)
        hit = (
            key
            if key in caches
            else next((cache for cache in reversed(caches) if cache.startswith(prefix)), "")
        )
        if hit:
            copy(caches[hit], self.machine.path(inputs["path"]))
        return {"cache-primary-key": key, "cache-hit": text(hit == key) if hit else ""}

    def _save(self, inputs: dict[str, str]) -> None:
        caches, source = self.workflow_run.github.caches, self.machine.path(inputs["path"])
        if inputs["key"] not in caches and source.exists():
            caches[inputs["key"]] = self.machine.home.parent / f"cache-{len(caches)}"
            copy(source, caches[inputs["key"]])

    def _upload(self, inputs: dict[str, str]) -> None:
        folder = self.machine.home.parent / f"artifact-{inputs['name']}"
        assert inputs["if-no-files-found"] == "ignore" or any(self.machine.path(inputs["path"]).iterdir())
        copy(self.machine.path(inputs["path"]), folder)
        if folder.exists():
            self.workflow_run.artifacts[inputs["name"]] = folder

    def _download(self, inputs: dict[str, str]) -> None:
        if "name" in inputs:
            copy(self.workflow_run.artifacts[inputs["name"]], self.machine.path(inputs["path"]))
            return
        assert inputs["merge-multiple"] == "true"
        for name, folder in self.workflow_run.artifacts.items():
            if name.startswith(inputs["pattern"].rstrip("*")):
                copy(folder, self.machine.path(inputs["path"]))


def with_status(job_or_step: Doc) -> str:
    """Return the condition of a job or step. Without a status function, it also requires earlier success."""
    condition = without_braces(job_or_step.get("if", "success()"))
    has_status_function = any(function in condition for function in STATUS_FUNCTIONS)
    return condition if has_status_function else f"success() && ({condition})"
