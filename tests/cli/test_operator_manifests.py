"""Tests of `tenantry operator-manifests`: its files, output and errors."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.conftest import Folder
from tests.documents import blocks, not_run

STACK = """\
config:
  qlik:region: eu
  qlik:source_tenant: templates.eu.qlikcloud.com
  tenantry:customer:
    name: {name}
    ring: {ring}
    lifecycle: {{kind: trial, ends_on: {ends_on}}}
"""
REPOSITORY = "https://git.example/oem/tenants.git"
REQUIRED = ("--all", "--repository", REPOSITORY, "--backend", "s3://state")


def git(folder: Folder, *arguments: str) -> str:
    """Run git in the project and return its output."""
    user = ("-c", "user.name=x", "-c", "user.email=x@x.example")
    process = subprocess.run(
        ["git", *user, *arguments], cwd=folder.path, check=True, capture_output=True, text=True
    )
    return process.stdout.strip()


def add_customer(folder: Folder, stack: str, ring: str = "broad", ends_on: str = "2999-12-31") -> None:
    folder.write(f"stacks/Pulumi.{stack}.yaml", STACK.format(name=stack, ring=ring, ends_on=ends_on))


@pytest.fixture
def project(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """Return a project with two customers and one commit."""
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    folder.write("requirements.txt", ".\n")
    add_customer(folder, "globex", "pilot")
    add_customer(folder, "initech")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "one")
    return folder


def printed_manifests(folder: Folder, *arguments: str) -> list[dict[str, Any]]:
    """Run the command and return the manifests that it prints."""
    result = folder.run("operator-manifests", *REQUIRED, "--commit", "HEAD", *arguments)
    assert result.exit_code == 0, result.output
    return list(yaml.safe_load_all(result.stdout))


def refusal(folder: Folder, *arguments: str) -> str:
    """Run the command with invalid arguments and return its error."""
    result = folder.run("operator-manifests", *arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    return result.stderr


def test_shared_resources_and_a_stack_per_customer_are_printed(project: Folder) -> None:
    account, binding, *stacks = printed_manifests(project)
    assert (account["kind"], binding["kind"]) == ("ServiceAccount", "ClusterRoleBinding")
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "tenantry", "namespace": "tenantry"}]
    assert [stack["spec"]["stack"] for stack in stacks] == ["globex", "initech"]
    spec = stacks[0]["spec"]
    assert spec["commit"] == git(project, "rev-parse", "HEAD")
    assert (spec["projectRepo"], spec["backend"], "repoDir" in spec) == (REPOSITORY, "s3://state", False)
    assert sorted(spec["envRefs"]) == ["PULUMI_CONFIG_PASSPHRASE", "QLIK_CLIENT_ID", "QLIK_CLIENT_SECRET"]


def test_a_folder_of_manifests_is_written_checked_and_updated(project: Folder) -> None:
    write = (*REQUIRED, "--branch", "main", "--output", "k8s")
    assert project.run("operator-manifests", *write).exit_code == 0
    assert project.run("operator-manifests", *write, "--check").stdout == "2 customers; 0 files stale.\n"
    add_customer(project, "umbrella")
    (project.path / "stacks" / "Pulumi.initech.yaml").unlink()
    result = project.run("operator-manifests", *write, "--check")
    assert result.exit_code == 1
    expected = ["kustomization.yaml", "stacks/initech.yaml", "stacks/umbrella.yaml"]
    assert result.stdout.splitlines()[:-1] == [f"stale  k8s/{name}" for name in expected]
    assert "removed  k8s/stacks/initech.yaml" in project.run("operator-manifests", *write).stdout
    assert project.run("operator-manifests", *write, "--check").exit_code == 0


def test_the_commands_of_the_page_work(project: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://oem-pulumi-state?region=eu-central-1")
    git(project, "remote", "add", "origin", REPOSITORY)
    page = "docs/kubernetes.md"
    lines = [line for block in blocks(page) if block.heading == "Write the manifests" for line in block.lines]
    commands = [shlex.split(line)[1:] for line in lines if line not in not_run(page)]
    assert len(commands) == 2
    for command in commands:
        assert project.run(*command).exit_code == 0
    assert (project.path / "k8s" / "stacks" / "globex.yaml").is_file()


def test_an_ended_trial_is_left_out_and_named(project: Folder) -> None:
    add_customer(project, "hooli", "pilot", "2020-01-31")
    result = project.run("operator-manifests", *REQUIRED, "--branch", "main")
    assert result.exit_code == 0
    assert result.stderr == (
        "hooli is skipped: its trial ended on 2020-01-31 (UTC). `tenantry expire` takes it down.\n"
    )
    assert "hooli" not in result.stdout


def test_a_broken_file_is_in_the_first_ring_and_named(project: Folder) -> None:
    project.write("stacks/Pulumi.hooli.yaml", "config: 1\n")
    result = project.run("operator-manifests", *REQUIRED, "--branch", "main")
    assert result.exit_code == 1
    assert result.stderr.startswith("hooli will fail:\n")
    manifests = {item["metadata"]["name"]: item for item in yaml.safe_load_all(result.stdout)}
    assert manifests["hooli"]["metadata"]["labels"]["tenantry-ring"] == "pilot"


def test_a_project_can_be_in_a_folder_of_its_repository(
    project: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(project, "remote", "add", "origin", "git@git.example:oem/all.git")
    inner = Folder(project.path / "qlik")
    add_customer(inner, "globex")
    monkeypatch.chdir(inner.path)
    result = inner.run("operator-manifests", "--all", "--branch", "main", "--git-secret", "git")
    [spec] = [item["spec"] for item in yaml.safe_load_all(result.stdout) if item["kind"] == "Stack"]
    assert (spec["projectRepo"], spec["repoDir"]) == ("git@git.example:oem/all.git", "qlik")
    assert spec["gitAuth"]["sshAuth"]["sshPrivateKey"]["secret"] == {"name": "git", "key": "sshPrivateKey"}
    # No backend is set, so it is Pulumi Cloud or the backend of Pulumi.yaml.
    assert "PULUMI_ACCESS_TOKEN" in spec["envRefs"]
    assert "backend" not in spec
    assert "requirements.txt" in result.stderr


def test_variables_are_set_from_secrets_and_values(project: Folder) -> None:
    variables = ("--secret-env", "AWS_SECRET_ACCESS_KEY", "--env", "AWS_REGION=eu-central-1")
    provider = ("--secrets-provider", "awskms://alias/x")
    references = printed_manifests(project, *variables, *provider)[-1]["spec"]["envRefs"]
    assert references["AWS_REGION"] == {"type": "Literal", "literal": {"value": "eu-central-1"}}
    assert references["AWS_SECRET_ACCESS_KEY"]["secret"]["key"] == "AWS_SECRET_ACCESS_KEY"
    assert "PULUMI_CONFIG_PASSPHRASE" not in references


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--all",), "--commit or --branch is required"),
        (("--all", "--commit", "HEAD", "--branch", "main"), "--commit or --branch is required"),
        ((*REQUIRED, "--commit", "--output=x"), "--commit --output=x: git rev-parse"),
        ((*REQUIRED, "--commit", "nowhere"), "--commit nowhere: git rev-parse"),
        ((), "No stacks are selected."),
        ((*REQUIRED, "--branch", "main", "--check"), "--check needs --output"),
        ((*REQUIRED, "--branch", "main", "--namespace", "A"), "--namespace A: use a-z"),
        ((*REQUIRED, "--branch", "main", "--secret", ""), "--secret : use a-z"),
        ((*REQUIRED, "--branch", "main", "--env", "QLIK_CLIENT_SECRET=hunter2"), "looks like a secret"),
        ((*REQUIRED, "--branch", "main", "--env", "hunter2"), "the form is NAME=VALUE"),
        ((*REQUIRED, "--branch", "main", "--secret-env", "A=hunter2"), "not a variable name"),
        (("--all", "--branch", "main", "--backend", "file:///x"), "a folder disappears with the pod"),
        (("--all", "--branch", "main", "--backend", "postgres://u:hunter2@db/x"), "--secret-env PGPASSWORD"),
        (
            (
                "--all",
                "--backend",
                "s3://x",
                "--branch",
                "main",
                "--repository",
                "https://x:hunter2@git.example/x",
            ),
            "the name of a Secret to --git-secret",
        ),
        ((*REQUIRED, "--branch", "main", "--overlay", "none.yaml"), "--overlay none.yaml: No such file"),
    ],
)
def test_invalid_arguments_are_refused(project: Folder, arguments: tuple[str, ...], expected: str) -> None:
    text = refusal(project, *arguments)
    assert expected in text
    assert "hunter2" not in text.replace("--env hunter2", "").replace("A=hunter2", "")
    assert text.count("\n") == 1


@pytest.mark.parametrize(
    ("overlay", "expected"),
    [
        ("- 1", "o.yaml:1: write fields of a Stack's spec, such as `refresh: true`"),
        ("x: [", "o.yaml:"),
        (
            "refesh: true",
            'o.yaml:1: refesh: this field is not allowed in an overlay; the closest is "refresh"',
        ),
        ("stack: acme", "o.yaml:1: stack: this field is not allowed"),
        ("secrets: {a: hunter2}", "o.yaml:1: secrets: this field is not allowed"),
        ("preview: true\nrefresh: yes", "o.yaml:2: refresh: it must be true or false"),
        ("workspaceTemplate: {spec: {imag: x}}", "o.yaml:1: workspaceTemplate.spec.imag: this field is not"),
        ("envRefs: {A: {type: Env, env: {name: A}}}", "envRefs.A: the operator refuses the type Env"),
        (
            "envRefs: {DB_PASSWORD: {type: Literal, literal: {value: hunter2}}}",
            "envRefs.DB_PASSWORD: this would write a secret into the manifest",
        ),
        (
            "gitAuth: {accessToken: {type: Literal, literal: {value: hunter2}}}",
            "gitAuth.accessToken: this would write a secret",
        ),
        (
            "workspaceTemplate: {spec: {env: [{name: API_TOKEN, value: hunter2}]}}",
            "workspaceTemplate.spec.env[0]: this would write a secret",
        ),
    ],
)
def test_an_invalid_overlay_is_refused(project: Folder, overlay: str, expected: str) -> None:
    project.write("o.yaml", overlay)
    text = refusal(project, *REQUIRED, "--branch", "main", "--overlay", "o.yaml")
    assert expected in text
    assert "hunter2" not in text


def test_an_overlay_that_can_delete_tenants_is_a_warning(project: Folder) -> None:
    project.write("o.yaml", "destroyOnFinalize: true\nenvRefs: {QLIK_CLIENT_ID: null}\n")
    result = project.run("operator-manifests", *REQUIRED, "--branch", "main", "--overlay", "o.yaml")
    assert result.exit_code == 0
    assert "the tenant of the customer is deactivated" in result.stderr
    assert "QLIK_CLIENT_ID" not in result.stdout


def test_an_unwritable_folder_is_an_error(project: Folder) -> None:
    Path("k8s").write_text("")
    result = project.run("operator-manifests", *REQUIRED, "--branch", "main", "--output", "k8s")
    assert (result.exit_code, result.stderr) == (1, "k8s: File exists\n")
