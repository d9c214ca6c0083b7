"""The work on one stack: its errors, and the secrets that it must hide."""

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


def test_a_broken_stack_starts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "run", lambda *_, **__: pytest.fail("something was run"))
    error = SettingsError(
        "stack acme", [Problem("stacks/Pulumi.acme.yaml", 3, "customer.plan", "no such plan")]
    )
    done = run_job(replace(job("acme", tmp_path), member=member("acme", broken=error)))
    assert (done.status, [trouble.where for trouble in done.troubles]) == (
        "failed",
        ["stacks/Pulumi.acme.yaml:3"],
    )
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(tmp_path))

    monkeypatch.setattr(process, "run", full)
    file = tmp_path / "Pulumi.acme.yaml"
    file.write_text("config: {}\n")
    done = run_job(replace(job("acme", tmp_path), member=replace(member("acme"), file=file)))
    assert (done.status, [trouble.text for trouble in done.troubles]) == ("failed", ["the disk is full"])


@pytest.mark.parametrize(("races", "status", "runs"), [(1, "ok", 2), (2, "failed", 2)])
def test_a_race_for_a_new_database_is_retried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, races: int, status: str, runs: int
) -> None:
    """Two processes create the table of states, and the database refuses one. Nothing was done, so it is
    repeated.
    """
    left = [f'pq: duplicate key value violates unique constraint "{jobs.TABLE_RACE_ERROR}" (23505)'] * races
    codes = []

    def run(*_: object, errors: Path, output: Path, **__: object) -> process.CommandResult:
        errors.write_text(left.pop() if left else "")
        output.touch()
        codes.append(1 if errors.read_text() else 0)
        return process.CommandResult(codes[-1], interrupted=False)

    monkeypatch.setattr(process, "run", run)
    file = tmp_path / "Pulumi.acme.yaml"
    file.write_text("config: {}\n")
    one = replace(
        job("acme", tmp_path / "logs"), member=replace(member("acme"), file=file), operation="refresh"
    )
    assert run_job(one).status == status
    assert len(codes) == runs


def test_a_missing_pulumi_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "find_pulumi", lambda: None)
    done = run_job(job("acme", tmp_path))
    assert (done.status, done.troubles[0].advice) == ("failed", "run `tenantry install-pulumi`")


def test_no_outcome_and_no_log_contains_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine hides it in its events, also in changes and refusals."""
    root = tmp_path / "project"
    shutil.copytree(PROGRAM, root)
    file = root / "Pulumi.acme.yaml"
    file.write_text("config: {}\n")
    environment = private_environment(tmp_path / "pulumi")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    one = Job("preview", Member("acme", file), "secret-value", root, tmp_path / "logs")
    new = run_job(replace(one, environment={"SECRET": "geheim"}))
    assert (new.status, new.new, new.counts) == ("ok", True, {"create": 1})
    refused = run_job(replace(one, environment={"SECRET": "geheim", "QLIK_CLIENT_ID": ""}, operation="up"))
    assert refused.status == "failed"
    assert "QLIK_CLIENT_ID" in refused.troubles[0].text
    kept = "".join(file.read_text("utf-8", "replace") for file in one.folder.rglob("*") if file.is_file())
    assert "geheim" not in repr(new) + repr(refused)
    assert "geheim" not in kept
    assert HIDDEN in kept


@pytest.mark.parametrize("shared", ["provider", "host"])
def test_a_preview_that_takes_too_long_is_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared: str
) -> None:
    """A failed preview with shared processes is repeated with its own ones, also for a new customer."""
    ended: list[int | None] = []
    runs: list[dict[str, str]] = []

    def run(*_: object, env: dict[str, str], errors: Path, **__: object) -> process.CommandResult:
        errors.write_text("")
        runs.append(env)
        return process.CommandResult(ended.pop(0), False)

    for module, name in ((warm_providers, "provider"), (warm_hosts, "host")):
        monkeypatch.setattr(
            module, name, lambda *_, own=name: nullcontext({"SHARED": "1"} if own == shared else {})
        )
    monkeypatch.setattr(process, "run", run)
    file = tmp_path / "Pulumi.acme.yaml"
    file.write_text("config: {}\n")
    one = replace(job("acme", tmp_path), operation="preview", member=replace(member("acme"), file=file))
    for codes, status, kept in (
        ([0], "ok", [True]),
        ([None], "failed", [True]),
        ([1, 0], "ok", [True, False]),
        ([NO_SUCH_STACK, 1, 0], "ok", [True, True, False]),
        ([NO_SUCH_STACK, 1, 1], "failed", [True, True, False]),
    ):
        ended[:], runs[:] = codes, []
        assert run_job(one).status == status
        assert ["SHARED" in env for env in runs] == kept


PROOF = "0123456789abcdef0123456789abcdef"
NOTHING_MADE = f"An earlier run was about to ask for a tenant, and none was made.\n{nothing_created(PROOF)}"
REFUSED = f"answered 403 TENANTS-3 (traceId t)\n  {RENEW}={PROOF} pulumi up --stack acme"


class Run(NamedTuple):
    """How a command ends, and the engine's message in it, as an error or as a remark."""

    code: int | None
    message: str = ""
    severity: str = "error"
    interrupted: bool = False


class Pulumi:
    """Replaces the command: it ends as scripted, and records how it was started."""

    def __init__(self, *runs: Run) -> None:
        self.runs = list(runs)
        self.commands: list[str] = []
        self.renewed: list[str | None] = []

    def run(
        self, command: Sequence[str], *, env: dict[str, str], errors: Path, **_: object
    ) -> process.CommandResult:
        """Write the engine's log, unless the command has none."""
        errors.write_text("")
        self.commands.append(" ".join(command[1:3] if command[1] == "stack" else command[1:2]))
        self.renewed.append(env.get(RENEW))
        this = self.runs.pop(0)
        if this.message:
            event = {"message": f"{this.message}\n", "severity": this.severity, "urn": ""}
            log = Path(command[command.index("--event-log") + 1])
            log.write_text(json.dumps({"diagnosticEvent": event}) + "\n")
        return process.CommandResult(this.code, this.interrupted)


def scripted(
    folder: Path, monkeypatch: pytest.MonkeyPatch, operation: Operation, runs: list[Run]
) -> tuple[Job, Pulumi]:
    """A job whose commands end as scripted."""
    pulumi = Pulumi(*runs)
    monkeypatch.setattr(process, "run", pulumi.run)
    monkeypatch.setenv(warm_providers.COLD_VARIABLE, "1")
    monkeypatch.delenv(RENEW, raising=False)
    file = folder / "Pulumi.acme.yaml"
    file.write_text("config: {}\n")
    one = replace(job("acme", folder), operation=operation, member=replace(member("acme"), file=file))
    return one, pulumi


def test_a_failed_up_with_a_shared_host_is_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have sent requests."""
    one, pulumi = scripted(tmp_path, monkeypatch, "up", [Run(1, "no")])
    monkeypatch.setattr(warm_hosts, "host", lambda *_: nullcontext({"SHARED": "1"}))
    assert run_job(one).status == "failed"
    assert (pulumi.commands, pulumi.runs) == (["up"], [])


ONCE_MORE = Run(1, NOTHING_MADE)
RENEWALS: list[tuple[str, Operation, list[Run], list[str], str]] = [
    ("nothing was made", "up", [ONCE_MORE, Run(0)], ["up", "up"], "ok"),
    ("the same again", "up", [ONCE_MORE, ONCE_MORE], ["up", "up"], "failed"),
    ("another failure after it", "up", [ONCE_MORE, Run(1, "no")], ["up", "up"], "failed"),
    ("another failure", "up", [Run(1, "no")], ["up"], "failed"),
    ("a refusal, which names the proof", "up", [Run(1, REFUSED)], ["up"], "failed"),
    ("within a line", "up", [Run(1, f"said: {nothing_created(PROOF)}")], ["up"], "failed"),
    ("a remark", "up", [Run(1, NOTHING_MADE, "info")], ["up"], "failed"),
    ("no failure", "up", [Run(0, NOTHING_MADE)], ["up"], "ok"),
    ("its time was up", "up", [Run(None, NOTHING_MADE)], ["up"], "failed"),
    ("a new stack", "up", [Run(NO_SUCH_STACK), Run(0), ONCE_MORE], ["up", "stack init", "up"], "failed"),
    ("a destroy", "destroy", [ONCE_MORE], ["destroy"], "failed"),
    ("a refresh", "refresh", [ONCE_MORE], ["refresh"], "failed"),
    ("a preview", "preview", [ONCE_MORE], ["preview"], "failed"),
]


@pytest.mark.parametrize(
    ("operation", "runs", "commands", "status"),
    [command[1:] for command in RENEWALS],
    ids=[command[0] for command in RENEWALS],
)
def test_a_proof_is_renewed_once_and_only_if_nothing_was_created(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    operation: Operation,
    runs: list[Run],
    commands: list[str],
    status: str,
) -> None:
    """Each renewal requests another tenant, so it needs the exact line that says that there is none."""
    one, pulumi = scripted(tmp_path, monkeypatch, operation, runs)
    assert run_job(one).status == status
    assert (pulumi.commands, pulumi.runs) == (commands, [])
    assert pulumi.renewed == [PROOF if run == ("up", 1) else None for run in zip(commands, count())]


INTERRUPTED: list[tuple[str, Operation, list[Run], list[str]]] = [
    ("nothing was made", "up", [Run(1, NOTHING_MADE, interrupted=True)], ["up"]),
    ("a new stack", "up", [Run(NO_SUCH_STACK, interrupted=True)], ["up"]),
    ("a new stack's preview", "preview", [Run(NO_SUCH_STACK, interrupted=True)], ["preview"]),
    ("a stack just made", "up", [Run(NO_SUCH_STACK), Run(0, interrupted=True)], ["up", "stack init"]),
    ("a stack being made", "up", [Run(NO_SUCH_STACK), Run(-2, interrupted=True)], ["up", "stack init"]),
]


@pytest.mark.parametrize(
    ("operation", "runs", "commands"),
    [command[1:] for command in INTERRUPTED],
    ids=[command[0] for command in INTERRUPTED],
)
def test_no_command_starts_after_an_interrupt(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    operation: Operation,
    runs: list[Run],
    commands: list[str],
) -> None:
    """A new command would not know about the interrupt."""
    one, pulumi = scripted(tmp_path, monkeypatch, operation, runs)
    done = run_job(one)
    assert (done.status, pulumi.commands, pulumi.runs) == ("interrupted", commands, [])
    assert done.troubles


def test_a_renewed_proof_creates_one_tenant(tmp_path: Path, qlik: Emulator) -> None:
    """On the real engine: only an `up` repeats a refused request, and only once."""
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
    done = fleet.run("up", "acme", "--yes", "--json")
    changed = {change.kind: change.operation for change in done.outcomes["acme"].changes}
    assert changed == {
        "TenantProof": "replace",
        "Tenant": "create",
        "TenantLifecycle": "create",
        "TenantActivation": "create",
    }
    [made] = [
        tenant["hostnames"][0]
        for tenant in qlik.control.dump()["cloud"]["tenant"]
        if tenant["name"] == "Acme"
    ]
    tenant = World(qlik, made).tenant["id"]
    assert writes(done.requests) == ["POST /api/v1/tenants", f"PATCH /api/v1/tenants/{tenant}"]
    assert fleet.run("up", "acme", "--yes", "--json").requests == []


def test_a_refusal_names_all_protected_resources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine stops at the first one. The others are protected in the state and missing in the program."""

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
    asked: list[str] = []

    def export(_: Backend, stack: str) -> dict[str, object]:
        asked.append(stack)
        return state

    monkeypatch.setattr(Backend, "state", export)
    one = replace(job("acme", tmp_path), operation="preview")
    one.folder.mkdir()

    def resources(*, deleting: bool) -> list[str]:
        begun: list[dict[str, object]] = [{"op": "same", "urn": urn("Kept"), "new": {"urn": urn("Kept")}}]
        begun += [{"op": "delete", "urn": urn("B")}] if deleting else []
        message = {"message": f'"{urn("B")}" cannot be deleted\nbecause it is protected', "severity": "error"}
        events = [*({"resourcePreEvent": {"metadata": command}} for command in begun)]
        lines = [*events, {"diagnosticEvent": {**message, "urn": urn("B")}}]
        one.log.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return [trouble.where for trouble in jobs._result(one, process.CommandResult(255, False)).troubles]

    assert (resources(deleting=True), asked) == (["Space A, Space B"], ["acme"])
    assert (resources(deleting=False), asked) == (["Space B"], ["acme"]), (
        "a program that did not end proves nothing"
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
    """A refresh starts from the state, and the environment can ask for one as well."""

    def refused(_: Backend, stack: str) -> dict[str, Any]:
        raise StateRefused(f"stack {stack}", formats.FOREIGN)

    one, pulumi = scripted(tmp_path, monkeypatch, operation, [])
    if variable:
        monkeypatch.setenv(variable, "true")
    monkeypatch.setattr(Backend, "state", refused)
    done = run_job(replace(one, arguments=arguments))
    assert (done.status, pulumi.commands) == ("failed", [])
    assert formats.FOREIGN in done.troubles[0].text
