"""The job of one stack: its commands, its errors, and the secrets that it must hide."""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tenantry.demo.environment import private_environment
from tenantry.emulator import Emulator
from tenantry.fleet import job as jobs
from tenantry.fleet import process
from tenantry.fleet.job import Job, run_job
from tenantry.fleet.members import Member
from tenantry.fleet.outcome import Operation
from tenantry.fleet.warm import hosts as warm_hosts
from tenantry.fleet.warm import providers as warm_providers
from tenantry.providers.framework import formats
from tenantry.providers.framework.facts import RENEW, nothing_created
from tenantry.pulumi_internals.commands import NO_SUCH_STACK
from tenantry.pulumi_internals.environment import REFRESH
from tenantry.settings.errors import Problem, SettingsError
from tenantry.state.backend import Backend, StateRefused
from tenantry.text import HIDDEN
from tests.e2e.fleet import Fleet
from tests.e2e.harness import ROOT
from tests.fleet.samples import job, member
from tests.world import World, writes

PROGRAM = ROOT / "tests" / "e2e" / "programs" / "secret_value"


def test_a_broken_stack_starts_no_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "run", lambda *_, **__: pytest.fail("a command was started"))
    error = SettingsError(
        "stack acme", [Problem("stacks/Pulumi.acme.yaml", 3, "customer.plan", "no such plan")]
    )
    outcome = run_job(replace(job("acme", tmp_path), member=member("acme", broken=error)))
    assert (outcome.status, [trouble.where for trouble in outcome.troubles]) == (
        "failed",
        ["stacks/Pulumi.acme.yaml:3"],
    )
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_reported_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def raise_no_space(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(tmp_path))

    monkeypatch.setattr(process, "run", raise_no_space)
    file = tmp_path / "Pulumi.acme.yaml"
    file.write_text("config: {}\n")
    outcome = run_job(replace(job("acme", tmp_path), member=replace(member("acme"), file=file)))
    assert (outcome.status, [trouble.text for trouble in outcome.troubles]) == (
        "failed",
        ["the disk is full"],
    )


@pytest.mark.parametrize(("races", "status", "runs"), [(1, "ok", 2), (2, "failed", 2)])
def test_a_race_for_a_new_database_is_retried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, races: int, status: str, runs: int
) -> None:
    """If two processes create the table of states, the database refuses one.

    The refused command has changed nothing, so it runs again.
    """
    errors_of_runs = [
        f'pq: duplicate key value violates unique constraint "{jobs.TABLE_RACE_ERROR}" (23505)'
    ] * races
    codes = []

    def run(*_: object, errors: Path, output: Path, **__: object) -> process.CommandResult:
        errors.write_text(errors_of_runs.pop() if errors_of_runs else "")
        output.touch()
        codes.append(1 if errors.read_text() else 0)
        return process.CommandResult(codes[-1], interrupted=False)

    monkeypatch.setattr(process, "run", run)
    file = tmp_path / "Pulumi.acme.yaml"
    file.write_text("config: {}\n")
    refresh = replace(
        job("acme", tmp_path / "logs"), member=replace(member("acme"), file=file), operation="refresh"
    )
    assert run_job(refresh).status == status
    assert len(codes) == runs


def test_a_missing_pulumi_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "find_pulumi", lambda: None)
    outcome = run_job(job("acme", tmp_path))
    assert (outcome.status, outcome.troubles[0].advice) == ("failed", "run `tenantry install-pulumi`")


def test_no_outcome_and_no_log_contains_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine hides secrets in its events, also in changes and refusals."""
    root = tmp_path / "project"
    shutil.copytree(PROGRAM, root)
    file = root / "Pulumi.acme.yaml"
    file.write_text("config: {}\n")
    environment = private_environment(tmp_path / "pulumi")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    preview = Job("preview", Member("acme", file), "secret-value", root, tmp_path / "logs")
    previewed = run_job(replace(preview, environment={"SECRET": "top-secret"}))
    assert (previewed.status, previewed.new, previewed.counts) == ("ok", True, {"create": 1})
    refused = run_job(
        replace(preview, environment={"SECRET": "top-secret", "QLIK_CLIENT_ID": ""}, operation="up")
    )
    assert refused.status == "failed"
    assert "QLIK_CLIENT_ID" in refused.troubles[0].text
    logs = "".join(file.read_text("utf-8", "replace") for file in preview.folder.rglob("*") if file.is_file())
    assert "top-secret" not in repr(previewed) + repr(refused)
    assert "top-secret" not in logs
    assert HIDDEN in logs


@pytest.mark.parametrize("shared", ["provider", "host"])
def test_a_preview_that_takes_too_long_is_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared: str
) -> None:
    """A preview that fails with a shared process is repeated without it, also for a new customer."""
    next_codes: list[int | None] = []
    runs: list[dict[str, str]] = []

    def run(*_: object, env: dict[str, str], errors: Path, **__: object) -> process.CommandResult:
        errors.write_text("")
        runs.append(env)
        return process.CommandResult(next_codes.pop(0), False)

    for module, name in ((warm_providers, "provider"), (warm_hosts, "host")):
        monkeypatch.setattr(
            module,
            name,
            lambda *_, process_name=name: nullcontext({"SHARED": "1"} if process_name == shared else {}),
        )
    monkeypatch.setattr(process, "run", run)
    file = tmp_path / "Pulumi.acme.yaml"
    file.write_text("config: {}\n")
    preview = replace(job("acme", tmp_path), operation="preview", member=replace(member("acme"), file=file))
    for codes, status, used_shared in (
        ([0], "ok", [True]),
        ([None], "failed", [True]),
        ([1, 0], "ok", [True, False]),
        ([NO_SUCH_STACK, 1, 0], "ok", [True, True, False]),
        ([NO_SUCH_STACK, 1, 1], "failed", [True, True, False]),
    ):
        next_codes[:], runs[:] = codes, []
        assert run_job(preview).status == status
        assert ["SHARED" in env for env in runs] == used_shared


PROOF = "0123456789abcdef0123456789abcdef"
NOTHING_CREATED = (
    f"An earlier run was about to request a tenant, and none was created.\n{nothing_created(PROOF)}"
)
REFUSED = f"answered 403 TENANTS-3 (traceId t)\n  {RENEW}={PROOF} pulumi up --stack acme"


class Run(NamedTuple):
    """The exit code of a command, and the message that the engine writes in it."""

    code: int | None
    message: str = ""
    severity: str = "error"
    interrupted: bool = False


class Pulumi:
    """A replacement for `process.run`. Its commands end as scripted, and it records how they start."""

    def __init__(self, *runs: Run) -> None:
        self.runs = list(runs)
        self.commands: list[str] = []
        self.proofs_to_renew: list[str | None] = []

    def run(
        self, command: Sequence[str], *, env: dict[str, str], errors: Path, **_: object
    ) -> process.CommandResult:
        """End the next run, and write its message into the log of the engine."""
        errors.write_text("")
        self.commands.append(" ".join(command[1:3] if command[1] == "stack" else command[1:2]))
        self.proofs_to_renew.append(env.get(RENEW))
        run = self.runs.pop(0)
        if run.message:
            event = {"message": f"{run.message}\n", "severity": run.severity, "urn": ""}
            log = Path(command[command.index("--event-log") + 1])
            log.write_text(json.dumps({"diagnosticEvent": event}) + "\n")
        return process.CommandResult(run.code, run.interrupted)


def script_commands(
    folder: Path, monkeypatch: pytest.MonkeyPatch, operation: Operation, runs: list[Run]
) -> tuple[Job, Pulumi]:
    """Return a job whose commands end as scripted, and the record of these commands."""
    pulumi = Pulumi(*runs)
    monkeypatch.setattr(process, "run", pulumi.run)
    monkeypatch.setenv(warm_providers.COLD_VARIABLE, "1")
    monkeypatch.delenv(RENEW, raising=False)
    file = folder / "Pulumi.acme.yaml"
    file.write_text("config: {}\n")
    scripted_job = replace(
        job("acme", folder), operation=operation, member=replace(member("acme"), file=file)
    )
    return scripted_job, pulumi


def test_a_failed_up_with_a_shared_host_is_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The failed run may have sent requests."""
    scripted_job, pulumi = script_commands(tmp_path, monkeypatch, "up", [Run(1, "no")])
    monkeypatch.setattr(warm_hosts, "host", lambda *_: nullcontext({"SHARED": "1"}))
    assert run_job(scripted_job).status == "failed"
    assert (pulumi.commands, pulumi.runs) == (["up"], [])


REFUSED_PROOF = Run(1, NOTHING_CREATED)
RENEWALS: list[tuple[str, Operation, list[Run], list[str], str]] = [
    ("nothing was created", "up", [REFUSED_PROOF, Run(0)], ["up", "up"], "ok"),
    ("nothing was created twice", "up", [REFUSED_PROOF, REFUSED_PROOF], ["up", "up"], "failed"),
    ("another failure after the renewal", "up", [REFUSED_PROOF, Run(1, "no")], ["up", "up"], "failed"),
    ("another failure", "up", [Run(1, "no")], ["up"], "failed"),
    ("a refusal that names the proof", "up", [Run(1, REFUSED)], ["up"], "failed"),
    ("in the middle of a line", "up", [Run(1, f"note: {nothing_created(PROOF)}")], ["up"], "failed"),
    ("a remark", "up", [Run(1, NOTHING_CREATED, "info")], ["up"], "failed"),
    ("no failure", "up", [Run(0, NOTHING_CREATED)], ["up"], "ok"),
    ("a timeout", "up", [Run(None, NOTHING_CREATED)], ["up"], "failed"),
    ("a new stack", "up", [Run(NO_SUCH_STACK), Run(0), REFUSED_PROOF], ["up", "stack init", "up"], "failed"),
    ("a destroy", "destroy", [REFUSED_PROOF], ["destroy"], "failed"),
    ("a refresh", "refresh", [REFUSED_PROOF], ["refresh"], "failed"),
    ("a preview", "preview", [REFUSED_PROOF], ["preview"], "failed"),
]


@pytest.mark.parametrize(
    ("operation", "runs", "commands", "status"),
    [case[1:] for case in RENEWALS],
    ids=[case[0] for case in RENEWALS],
)
def test_a_proof_is_renewed_once_and_only_if_nothing_was_created(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    operation: Operation,
    runs: list[Run],
    commands: list[str],
    status: str,
) -> None:
    """A renewal requests another tenant. It needs the exact line that says that there is none yet."""
    scripted_job, pulumi = script_commands(tmp_path, monkeypatch, operation, runs)
    assert run_job(scripted_job).status == status
    assert (pulumi.commands, pulumi.runs) == (commands, [])
    assert pulumi.proofs_to_renew == [PROOF if run == ("up", 1) else None for run in zip(commands, count())]


INTERRUPTED: list[tuple[str, Operation, list[Run], list[str]]] = [
    ("nothing was created", "up", [Run(1, NOTHING_CREATED, interrupted=True)], ["up"]),
    ("a new stack", "up", [Run(NO_SUCH_STACK, interrupted=True)], ["up"]),
    ("a preview of a new stack", "preview", [Run(NO_SUCH_STACK, interrupted=True)], ["preview"]),
    (
        "a stack that was just created",
        "up",
        [Run(NO_SUCH_STACK), Run(0, interrupted=True)],
        ["up", "stack init"],
    ),
    (
        "a stack that is being created",
        "up",
        [Run(NO_SUCH_STACK), Run(-2, interrupted=True)],
        ["up", "stack init"],
    ),
]


@pytest.mark.parametrize(
    ("operation", "runs", "commands"),
    [case[1:] for case in INTERRUPTED],
    ids=[case[0] for case in INTERRUPTED],
)
def test_no_command_starts_after_an_interrupt(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    operation: Operation,
    runs: list[Run],
    commands: list[str],
) -> None:
    """A new command does not know about the interrupt."""
    scripted_job, pulumi = script_commands(tmp_path, monkeypatch, operation, runs)
    outcome = run_job(scripted_job)
    assert (outcome.status, pulumi.commands, pulumi.runs) == ("interrupted", commands, [])
    assert outcome.troubles


def test_a_renewed_proof_creates_one_tenant(tmp_path: Path, qlik: Emulator) -> None:
    """With the real engine, only an `up` repeats a refused request, and only once."""
    fleet = Fleet(tmp_path, qlik)
    fleet.write("acme", {"name": "Acme", "lifecycle": {"kind": "trial", "ends_on": "2099-12-31"}})
    qlik.control.add_fault(
        method="POST",
        path="/api/v1/tenants",
        status=403,
        body={"errors": [{"code": "TENANTS-3", "title": "no"}], "traceId": "t"},
        times=1,
    )
    refused = fleet.run("up", "acme", "--yes", "--json", expect=1)
    assert writes(refused.requests) == ["POST /api/v1/tenants"]
    assert "No tenant was created" in refused.outcomes["acme"].troubles[0].advice
    repeated = fleet.run("up", "acme", "--yes", "--json")
    changed = {change.kind: change.operation for change in repeated.outcomes["acme"].changes}
    assert changed == {
        "TenantProof": "replace",
        "Tenant": "create",
        "TenantLifecycle": "create",
        "TenantActivation": "create",
    }
    [hostname] = [
        tenant["hostnames"][0]
        for tenant in qlik.control.dump()["cloud"]["tenant"]
        if tenant["name"] == "Acme"
    ]
    tenant_id = World(qlik, hostname).tenant["id"]
    assert writes(repeated.requests) == ["POST /api/v1/tenants", f"PATCH /api/v1/tenants/{tenant_id}"]
    assert fleet.run("up", "acme", "--yes", "--json").requests == []


def test_a_refusal_names_all_protected_resources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine names only the first one. The others are protected in the state, but not in the program."""

    def urn(name: str) -> str:
        return f"urn:pulumi:acme::tenantry::pulumi-python:dynamic/qlik:Space::{name}"

    state: dict[str, object] = {
        "deployment": {
            "resources": [
                *({"urn": urn(name), "protect": True} for name in ("Kept", "B", "A")),
                {"urn": urn("Open")},
            ]
        }
    }
    exported_stacks: list[str] = []

    def export(_: Backend, stack: str) -> dict[str, object]:
        exported_stacks.append(stack)
        return state

    monkeypatch.setattr(Backend, "state", export)
    preview = replace(job("acme", tmp_path), operation="preview")
    preview.folder.mkdir()

    def refused_resources(*, deleting: bool) -> list[str]:
        steps: list[dict[str, object]] = [{"op": "same", "urn": urn("Kept"), "new": {"urn": urn("Kept")}}]
        steps += [{"op": "delete", "urn": urn("B")}] if deleting else []
        message = {"message": f'"{urn("B")}" cannot be deleted\nbecause it is protected', "severity": "error"}
        events = [*({"resourcePreEvent": {"metadata": step}} for step in steps)]
        lines = [*events, {"diagnosticEvent": {**message, "urn": urn("B")}}]
        preview.log.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return [
            trouble.where for trouble in jobs._result(preview, process.CommandResult(255, False)).troubles
        ]

    assert (refused_resources(deleting=True), exported_stacks) == (["Space A, Space B"], ["acme"])
    assert (refused_resources(deleting=False), exported_stacks) == (["Space B"], ["acme"]), (
        "a program that did not end may still contain the others"
    )


@pytest.mark.parametrize(
    ("operation", "arguments", "variable"),
    [("refresh", (), ""), ("destroy", (), ""), ("up", ("--refresh",), ""), ("up", (), REFRESH)],
)
def test_the_engine_does_not_run_on_a_state_with_foreign_code(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    operation: Operation,
    arguments: tuple[str, ...],
    variable: str,
) -> None:
    """A refresh starts from the state. The environment can also request a refresh."""

    def refuse(_: Backend, stack: str) -> dict[str, Any]:
        raise StateRefused(f"stack {stack}", formats.FOREIGN)

    scripted_job, pulumi = script_commands(tmp_path, monkeypatch, operation, [])
    if variable:
        monkeypatch.setenv(variable, "true")
    monkeypatch.setattr(Backend, "state", refuse)
    outcome = run_job(replace(scripted_job, arguments=arguments))
    assert (outcome.status, pulumi.commands) == ("failed", [])
    assert formats.FOREIGN in outcome.troubles[0].text
