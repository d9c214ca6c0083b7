"""A simulation of GitLab CI with rules, `extends`, variables, `parallel`, artifacts and caches."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.ci.site import PASSPHRASE, Doc, Job, Machine, Site, copy
from tests.fleet.forge_server import TOKEN

NOT_JOBS = ("workflow", "stages", "variables")
QLIK = {"QLIK_CLIENT_ID": "demo", "QLIK_CLIENT_SECRET": "demo-secret"}
CLAUSE = re.compile(r"^\$(\w+)(?:\s*(==|!=|=~)\s*(?:\"([^\"]*)\"|\$(\w+)|(null)|/(.*)/))?$")
SET_UP = ".ci/setup"


class GitLab:
    """The pipelines of a site. All of them share a cache."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site, self.folder = site, folder
        self.variables = {
            "PULUMI_BACKEND_URL": site.backend,
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "GITLAB_TOKEN": TOKEN,
        }
        self.environments = dict.fromkeys(("pilot", "early", "broad", "drift", "trials"), QLIK)
        self.caches: dict[str, Path] = {}
        self.pipelines = 0

    def merge_request(self, branch: str, *, fork: bool = False) -> dict[str, Job]:
        """Run the pipeline of a merge request. A fork's pipeline runs in the fork, without the variables."""
        source = "somebody/customers" if fork else "oem/customers"
        return self.run(
            self.site.git("rev-parse", branch),
            "merge_request_event",
            secrets=not fork,
            CI_MERGE_REQUEST_SOURCE_PROJECT_PATH=source,
            CI_MERGE_REQUEST_PROJECT_PATH="oem/customers",
            CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main",
            CI_MERGE_REQUEST_DIFF_BASE_SHA=self.site.git("merge-base", "main", branch),
            CI_MERGE_REQUEST_IID="1",
        )

    def push(self, dies_when: Callable[[], bool] | None = None) -> dict[str, Job]:
        """Run the pipeline of a push to main. The current machine dies when `dies_when` returns True."""
        commit = self.site.git("rev-parse", "main")
        return self.run(commit, "push", dies_when=dies_when, CI_COMMIT_BRANCH="main")

    def run_scheduled(self, schedule: str) -> dict[str, Job]:
        """Run a scheduled pipeline."""
        commit = self.site.git("rev-parse", "main")
        return self.run(commit, "schedule", CI_COMMIT_BRANCH="main", TENANTRY_SCHEDULE=schedule)

    def run(
        self,
        commit: str,
        source: str,
        *,
        secrets: bool = True,
        dies_when: Callable[[], bool] | None = None,
        **extra_variables: str,
    ) -> dict[str, Job]:
        """Run each job whose rules hold, including manual jobs. Return the jobs by name."""
        self.pipelines += 1
        text = (self.site.work / ".gitlab-ci.yml").read_text("utf-8")
        variables = {
            **(self.variables if secrets else {}),
            "CI_PIPELINE_SOURCE": source,
            "CI_DEFAULT_BRANCH": "main",
            "CI_COMMIT_SHA": commit,
            "CI_PIPELINE_URL": f"https://gitlab.example/pipelines/{self.pipelines}",
            "CI_API_V4_URL": self.site.forge.url,
            "CI_PROJECT_ID": "7",
            **extra_variables,
        }
        return _Pipeline(self, yaml.safe_load(text), commit, variables, dies_when).run_jobs()


@dataclass
class _Pipeline:
    """A pipeline in progress."""

    gitlab: GitLab
    document: Doc
    commit: str
    variables: Mapping[str, str]
    dies_when: Callable[[], bool] | None = None
    jobs: dict[str, Job] = field(default_factory=dict)
    artifacts: dict[str, list[Path]] = field(default_factory=dict)
    results: dict[str, bool] = field(default_factory=dict)

    def run_jobs(self) -> dict[str, Job]:
        if not matching_rule(self.document["workflow"]["rules"], self.variables):
            return {}
        stages = self.document["stages"]
        jobs = [(name, self._merged_job(name)) for name in self.document if name not in NOT_JOBS]
        runnable = [(name, job) for name, job in jobs if not name.startswith(".")]
        for name, job in sorted(runnable, key=lambda pair: stages.index(pair[1]["stage"])):
            rule = matching_rule(job["rules"], self.variables)
            needs = [need["job"] if isinstance(need, dict) else need for need in job.get("needs", [])]
            succeeded = all(self.results.get(need, True) for need in needs)
            if rule and (succeeded or rule.get("when") == "always"):
                self._run_job(name, job)
            elif rule:
                self.results[name] = False
        return self.jobs

    def _merged_job(self, name: str) -> Doc:
        """Return a job merged with everything that it extends."""
        job: Doc = self.document[name]
        merged_job: Doc = {}
        bases = job.get("extends", [])
        for base in [bases] if isinstance(bases, str) else bases:
            merged_job = merged(merged_job, self._merged_job(base))
        return merged(merged_job, job)

    def _run_job(self, name: str, job: Doc) -> None:
        count = job.get("parallel", 1)
        for number in range(1, count + 1):
            node = {"CI_NODE_INDEX": str(number), "CI_NODE_TOTAL": str(count)} if "parallel" in job else {}
            job_name = f"{name} {number}/{count}" if node else name
            job_result = self.jobs[job_name] = Job(job_name)
            folder = self.gitlab.folder / f"{self.gitlab.pipelines}-{len(self.jobs)}"
            machine = Machine(self.gitlab.site, folder, self.dies_when)
            machine.site.clone(machine.workspace, self.commit, full_history=True)
            self._restore(machine, job)
            env = self._environment(machine, job, node)
            script = [line for line in job["before_script"] if line != SET_UP] + job["script"]
            assert len(script) == len(job["before_script"]) + len(job["script"]) - 1
            machine.set_up()
            step = machine.bash(job_name, "\n".join(script), env)
            job_result.steps.append(step)
            job_result.result = "failure" if step.code else "success"
            self.results[name] = self.results.get(name, True) and not step.code
            if not machine.dead:
                self._save(name, machine, job, succeeded=not step.code)

    def _environment(self, machine: Machine, job: Doc, node: Mapping[str, str]) -> dict[str, str]:
        """Return the variables of a job, with references to other variables resolved."""
        values = {
            key: str(value["value"] if isinstance(value, dict) else value)
            for key, value in {**self.document["variables"], **job.get("variables", {})}.items()
        }
        environment = job.get("environment", {}).get("name", "")
        variables = {**self.variables, **node, "CI_PROJECT_DIR": str(machine.workspace)}
        if "PULUMI_BACKEND_URL" in variables:
            variables |= self.gitlab.environments.get(environment, {})
        resolved = {
            key: re.sub(r"\$(\w+)", lambda found: variables[found[1]], value) for key, value in values.items()
        }
        return {**resolved, **variables}

    def _caches(self, job: Doc) -> Iterator[tuple[str, list[str]]]:
        caches = job["cache"] if isinstance(job["cache"], list) else [job["cache"]]
        for cache in caches:
            yield str(cache["key"]), cache["paths"]

    def _restore(self, machine: Machine, job: Doc) -> None:
        for key, paths in self._caches(job):
            for path in paths:
                if found := self.gitlab.caches.get(f"{key}:{path}"):
                    copy(found, machine.workspace / path)
        for need in job.get("needs", []):
            if not isinstance(need, dict):
                for folder in self.artifacts.get(need, []):
                    copy(folder, machine.workspace / "build" / "reports")

    def _save(self, name: str, machine: Machine, job: Doc, *, succeeded: bool) -> None:
        for key, paths in self._caches(job):
            for path in paths:
                if (machine.workspace / path).exists():
                    self.gitlab.caches[f"{key}:{path}"] = machine.workspace / path
        assert job["artifacts"]["paths"] == ["build/reports"]
        folder = machine.workspace / "build" / "reports"
        if folder.exists() and (succeeded or job["artifacts"]["when"] == "always"):
            self.artifacts.setdefault(name, []).append(folder)


def merged(base: Doc, override: Doc) -> Doc:
    """Merge a job over another one. Blocks are merged, and lists are replaced."""
    result = dict(base)
    for key, value in override.items():
        are_blocks = isinstance(value, dict) and isinstance(base.get(key), dict)
        result[key] = merged(base[key], value) if are_blocks else value
    return result


def matching_rule(rules: Collection[Doc], variables: Mapping[str, str]) -> Doc | None:
    """Return the first rule that holds, or None if it says `never`."""
    first = next((rule for rule in rules if holds(rule["if"], variables)), None)
    return None if first and first.get("when") == "never" else first


def holds(condition: str, variables: Mapping[str, str]) -> bool:
    """Tell whether the condition of a rule holds."""
    return all(_clause(term.strip(), variables) for term in condition.split("&&"))


def _clause(clause: str, variables: Mapping[str, str]) -> bool:
    found = CLAUSE.match(clause)
    assert found, f"unknown syntax: {clause}"
    name, operator, literal, other, null, pattern = found.groups()
    value: Any = variables.get(name)
    if operator is None:
        return bool(value)
    if operator == "=~":
        return re.search(pattern, value or "") is not None
    expected = None if null else variables.get(other) if other else literal
    return bool((value == expected) == (operator == "=="))
