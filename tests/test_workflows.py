"""The workflows that `tenantry init` writes, and our own, are valid and protect secrets."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tenantry.pulumi_cli import installation
from tools import actionlint

ROOT = Path(__file__).resolve().parents[1]
FILES = ROOT / "tenantry" / "starting" / "files"
OWN = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
WORKFLOWS = sorted((FILES / "github" / "dot-github" / "workflows").glob("*.yml"))
ACTIONS = sorted((FILES / "github" / "dot-github" / "actions").glob("*/action.yml"))
GITLAB = FILES / "gitlab" / "dot-gitlab-ci.yml"
SCRIPTS = [*sorted((FILES / "ci" / "dot-ci").iterdir()), ROOT / ".ci" / "run"]
USED_ACTIONS = {
    "actions/checkout",
    "actions/setup-python",
    "actions/cache/restore",
    "actions/cache/save",
    "actions/upload-artifact",
    "actions/download-artifact",
    "./.github/actions/setup",
}
PIN = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
"""An action with the hash of a commit, which nobody can change, and its version as a comment."""
QLIK = "secrets.QLIK_"

Doc = dict[str, Any]


def read(file: Path) -> Doc:
    loaded: Doc = yaml.safe_load(file.read_text("utf-8"))
    return loaded


def jobs() -> Iterator[tuple[str, Doc]]:
    """Yield every job of every workflow, named like "preview.yml comment"."""
    for file in WORKFLOWS:
        for name, job in read(file)["jobs"].items():
            yield f"{file.name} {name}", job


def steps() -> Iterator[tuple[str, Doc]]:
    """Yield every step, including the steps of our own actions."""
    for name, job in jobs():
        yield from ((name, step) for step in job["steps"])
    for file in ACTIONS:
        yield from ((file.parent.name, step) for step in read(file)["runs"]["steps"])


def test_actionlint_finds_no_problem() -> None:
    command = str(actionlint.ensure(installation.cache()))
    process = subprocess.run(
        [command, "-shellcheck=", "-pyflakes=", "-oneline", "-no-color", *map(str, [*OWN, *WORKFLOWS])],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (process.returncode, process.stdout) == (0, ""), process.stdout + process.stderr


@pytest.mark.parametrize(
    ("schema", "files"),
    [("gitlab-ci", [GITLAB]), ("github-workflows", [*OWN, *WORKFLOWS]), ("github-actions", ACTIONS)],
    ids=["gitlab", "workflows", "actions"],
)
def test_the_files_match_their_published_schemas(schema: str, files: list[Path]) -> None:
    assert files
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}"]
    process = subprocess.run([*command, *map(str, files)], capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stdout + process.stderr


def test_scripts_contain_no_expressions() -> None:
    """Otherwise, the name of a branch could be executed. Values come from the environment."""
    scripts = [(name, step["run"]) for name, step in steps() if "run" in step]
    assert len(scripts) > 10
    assert [script for script in scripts if "${{" in script[1]] == []


def test_every_job_has_permissions_and_a_timeout() -> None:
    for file in WORKFLOWS:
        assert read(file)["permissions"] == {}, f"{file.name}: only jobs have permissions"
    for name, job in jobs():
        assert {"permissions", "timeout-minutes", "runs-on"} <= job.keys(), name
        writes = {scope for scope, access in job["permissions"].items() if access == "write"}
        allowed = {
            "preview.yml comment": {"pull-requests"},
            "drift.yml issue": {"issues"},
            "expire-trials.yml remind": {"issues"},
        }
        assert writes == allowed.get(name, set()), name
        assert job["permissions"]["contents"] == "read", name


def test_zizmor_finds_no_problem() -> None:
    """zizmor audits the security of the workflows, without network."""
    files = map(str, [*OWN, *WORKFLOWS, *ACTIONS])
    options = (
        "--offline",
        "--no-config",
        "--no-progress",
        "--min-severity=medium",
        "--min-confidence=medium",
    )
    command = Path(sys.executable).with_name("zizmor")
    process = subprocess.run([command, *options, *files], capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stdout + process.stderr


def test_every_action_is_pinned_to_one_commit() -> None:
    pins: dict[str, set[str]] = {}
    for file in [*OWN, *WORKFLOWS, *ACTIONS]:
        used = re.findall(r"^\s*(?:- )?uses: (\S.*)$", file.read_text("utf-8"), re.MULTILINE)
        assert used, file
        for reference in used:
            if not reference.startswith("./"):
                assert PIN.fullmatch(reference), f"{file.name}: {reference}"
                action, _, pin = reference.partition("@")
                pins.setdefault("/".join(action.split("/")[:2]), set()).add(pin)
    assert {name: commits for name, commits in pins.items() if len(commits) != 1} == {}


def test_a_release_publishes_tested_files_without_a_token() -> None:
    """The job that publishes does not run our code, and waits for the approval of an environment."""
    jobs = read(ROOT / ".github" / "workflows" / "release.yml")["jobs"]
    allowed = {
        name: {scope for scope, access in job["permissions"].items() if access == "write"}
        for name, job in jobs.items()
    }
    assert allowed == {"build": set(), "attest": {"id-token", "attestations"}, "publish": {"id-token"}}
    assert "secrets." not in str(jobs)
    assert jobs["publish"]["environment"] == "pypi"
    assert set(jobs["publish"]["needs"]) == {"build", "attest"}
    assert not [step for name in ("attest", "publish") for step in jobs[name]["steps"] if "run" in step]
    commands = [step["run"] for step in jobs["build"]["steps"] if "run" in step]
    assert commands == ['python -m tools.release "$GITHUB_REF_NAME"', ".ci/run", "make dist", "make sbom"]
    assert not [step for step in jobs["build"]["steps"] if "cache" in str(step)]


def test_only_actions_of_github_are_used() -> None:
    used = [step["uses"].partition("@")[0] for _, step in steps() if "uses" in step]
    assert set(used) == USED_ACTIONS
    for name, step in steps():
        if step.get("uses", "").startswith("actions/checkout"):
            assert step["with"]["persist-credentials"] is False, name


def test_code_of_a_fork_never_runs_with_secrets() -> None:
    text = "".join(file.read_text("utf-8") for file in WORKFLOWS)
    triggers = [trigger for file in WORKFLOWS for trigger in _triggers(read(file))]
    assert "pull_request" in triggers
    assert not {"pull_request_target", "workflow_run", "issue_comment"} & set(triggers)
    assert "toJSON(secrets)" not in text
    assert "secrets" not in str(read(WORKFLOWS[-1])["jobs"]["diff"])


def _triggers(workflow: Doc) -> list[str]:
    on = workflow[True]  # type: ignore[index]  # YAML 1.1 reads `on` as True
    return [on] if isinstance(on, str) else list(on)


def test_qlik_credentials_belong_to_an_environment() -> None:
    """Every pull request can read the secrets of the repository, but an environment can require approval."""
    environments = {name: job.get("environment") for name, job in jobs() if QLIK in str(job)}
    assert environments == {
        "deploy.yml pilot": "pilot",
        "deploy.yml early": "early",
        "deploy.yml broad": "broad",
        "drift.yml look": "drift",
        "expire-trials.yml take-down": "trials",
    }
    for name, step in steps():
        if "secrets." in str(step):
            assert "secrets." not in str({key: value for key, value in step.items() if key != "env"}), name


def test_jobs_without_configuration_are_skipped() -> None:
    """A job that waits for no other job checks for a backend, except `diff`, which needs none."""
    for name, job in jobs():
        if "needs" not in job and name != "preview.yml diff":
            assert "vars.PULUMI_BACKEND_URL != ''" in job["if"], name
    rules = read(GITLAB)["workflow"]["rules"]
    assert rules[1] == {"if": "$PULUMI_BACKEND_URL == null", "when": "never"}


def test_the_shards_of_gitlab_match_its_parallel_jobs() -> None:
    pipeline = read(GITLAB)
    counts = {job["parallel"] for job in pipeline.values() if isinstance(job, dict) and "parallel" in job}
    assert pipeline["variables"]["SHARDS"].split() == [
        f"{number}/{count}" for count in counts for number in range(1, count + 1)
    ]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_is_executable_and_valid(script: Path) -> None:
    assert os.access(script, os.X_OK)
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0
