"""Canaries for the engine and the SDK together, with a separate stack."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, language_pb2

from tenantry.fleet.warm.forks import ForkServer
from tenantry.pulumi_internals import (
    backend_files,
    commands,
    deployment,
    environment,
    event_log,
    import_files,
    lock_messages,
    passphrase,
)
from tenantry.pulumi_internals.attaching import attached_to
from tenantry.pulumi_internals.dynamic_resources import PROVIDER_KEY, TYPES
from tenantry.pulumi_internals.language_hosts import LanguageHost, engine_of
from tenantry.pulumi_internals.program_runs import Registered, Registration, run_program
from tenantry.pulumi_internals.unknown_values import PLACEHOLDER
from tests.pulumi_internals import changed
from tests.pulumi_internals.conftest import PROJECT, Canary, RecordedRuns
from tests.pulumi_internals.things import CONCURRENT_CALLS

THING = f"{TYPES}/canary:Thing"


def urn(name: str, stack: str = "one") -> str:
    return f"urn:pulumi:{stack}::{PROJECT}::{THING}::{name}"


def things(state: dict[str, Any]) -> dict[str, Any]:
    """Return our resources in a state, by name."""
    return {
        resource["urn"].rpartition("::")[2]: resource
        for resource in deployment.resources(state)
        if resource["type"] == THING
    }


def steps(events: list[dict[str, Any]], kind: str = event_log.DONE) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the steps of our resources in a log, by operation and name."""
    metadata = (event[kind]["metadata"] for event in events if kind in event)
    return {(step["op"], step["urn"].rpartition("::")[2]): step for step in metadata if THING in step["urn"]}


@pytest.fixture
def canary(runs: RecordedRuns, tmp_path: Path) -> Canary:
    """A separate project and backend, with an empty stack `one`."""
    new = Canary(tmp_path)
    backend_files.add_stack(new.state, PROJECT, "one")
    return new


def test_a_provider_finds_its_call(runs: RecordedRuns) -> None:
    advice = changed(
        "calls", "Find the request and the context of the call in the frames of the SDK's handler."
    )
    assert [record.get("urn") for record in runs.creates] == [urn("first"), urn("second")], advice
    (run,) = {record.get("run") for record in runs.creates}
    assert run, advice


def test_a_failure_shows_only_its_message_and_records_the_object(runs: RecordedRuns) -> None:
    advice = changed("error_details", "Find how the engine handles the details of a status.")
    errors = {
        event[event_log.MESSAGE].get("urn"): event[event_log.MESSAGE]["message"].strip()
        for event in runs.second_up_events
        if event_log.MESSAGE in event and event[event_log.MESSAGE]["severity"] == "error"
    }
    assert errors[urn("refused")] == "the error text", advice
    assert errors[urn("broken")].removeprefix("1 error occurred:").strip() == "* the error text", advice
    recorded = things(runs.second_state).get("broken", {})
    assert (recorded.get("id"), recorded.get("initErrors")) == ("id-broken", ["the error text"]), advice
    assert recorded["outputs"]["size"] == 1, advice
    assert "refused" not in things(runs.second_state)


def test_a_provider_starts_before_a_resource_needs_it_without_a_message(canary: Canary) -> None:
    output = canary.run("preview", "--stack", "one", env={"CANARY_RUN": "early"}).stdout
    advice = changed(
        "early_provider", "Find how to make the engine start a provider before there is a resource."
    )
    started = {pid for record in canary.records_of("early") for pid in record["providers"]}
    assert {record["pid"] for record in canary.records_of("check")} == started, advice
    assert "Diagnostics" not in output, f"{advice}\n{output}"


def test_more_calls_than_four_run_at_once_and_the_state_is_written_once(canary: Canary) -> None:
    """One run also checks that there are no backups."""
    quiet = {**environment.ONE_CHECKPOINT, **environment.NO_BACKUPS}
    canary.run("up", "--stack", "one", "--yes", "--skip-preview", env={"CANARY_RUN": "many", **quiet})
    creates = canary.records_of("create")
    assert [record["runs_with_all_others"] for record in creates] == [True] * CONCURRENT_CALLS, changed(
        "workers", "Find the thread pool of the SDK's provider process."
    )
    assert len(things(canary.export("one"))) == CONCURRENT_CALLS
    checkpoint = canary.checkpoint(canary.records / "backend-many-0", "one")["checkpoint"].get("latest") or {}
    assert not {"pending_operations", "resources"} & {name for name in checkpoint if checkpoint[name]}, (
        changed(
            "environment",
            "Find the variables for a single write of the state. Tenantry must refuse a proof with them.",
        )
    )
    assert not (canary.state / backend_files.FOLDER / "backups").exists(), changed(
        "environment", "Find the variable that prevents backups."
    )


def test_the_state_is_saved_before_each_create(runs: RecordedRuns) -> None:
    """The proof of a tenant relies on this, so its runs do not set the variables of the test above."""
    latest = runs.canary.checkpoint(runs.backend_during_up, "one")["checkpoint"]["latest"]
    assert [resource["urn"] for resource in latest["resources"]][-1] == urn("first")
    assert [
        (operation["type"], operation["resource"]["urn"]) for operation in latest["pending_operations"]
    ] == [("creating", urn("second"))], changed(
        "deployment", "Find how the state shows the current operation of a run."
    )
    assert (runs.canary.state / backend_files.FOLDER / "backups").exists()


def test_the_engines_address_is_the_last_argument(runs: RecordedRuns) -> None:
    assert runs.creates
    for record in runs.creates:
        assert ":".join(map(str, record["engine"] or ())) == record["arguments"][-1], changed(
            "engine_address", "Find where a provider process gets the address of its engine."
        )


def test_only_our_resources_have_no_stack_traces(runs: RecordedRuns) -> None:
    found = things(runs.state)
    assert "stackTrace" not in found["first"], changed("stack_traces", "Find where the traces come from.")
    assert found["second"].get("stackTrace"), (
        "States have no stack traces any more, so stack_traces.py is obsolete."
    )


def test_one_instance_handles_check_and_diff_and_outputs_have_the_provider(
    runs: RecordedRuns,
) -> None:
    checks, diffs = (
        {(record["pid"], record["instance"]) for record in runs.canary.records_of(method)}
        for method in ("check", "diff")
    )
    assert len(diffs) == len({pid for pid, _ in diffs})
    checked = {pid for pid, _ in checks}
    comparable = {diff for diff in diffs if diff[0] in checked}  # a refresh makes no checks
    assert comparable, "no process had both a check and a diff"
    assert comparable <= checks, changed(
        "dynamic_resources",
        "`tenantry.providers.framework.adapter` relies on one instance for check and diff.",
    )
    for thing in things(runs.state).values():
        assert thing["outputs"][PROVIDER_KEY] == thing["inputs"][PROVIDER_KEY]


def test_a_preview_shows_unknown_values_as_the_placeholder(runs: RecordedRuns) -> None:
    advice = changed("unknown_values", "Find what represents an unknown value.")
    assert {record["name"]: record["unknown"] for record in runs.preview_checks} == {
        "first": False,
        "second": True,
    }, advice
    planned = {resource["urn"]: resource for resource in import_files.planned(runs.preview)}
    assert planned[urn("second")]["inputs"]["of"] == PLACEHOLDER, advice


def test_an_import_takes_outputs_so_that_the_next_preview_is_empty(
    runs: RecordedRuns, canary: Canary
) -> None:
    """The preview lists the resources in the program's order, parents first."""
    advice = changed("import_files", "Find what `pulumi import --file` accepts for dynamic resources.")
    planned = [resource for resource in import_files.planned(runs.preview) if resource["type"] == THING]
    assert [resource["urn"] for resource in planned] == [urn("first"), urn("second")], advice
    assert planned[1]["propertyDependencies"]["of"] == [urn("first")], advice
    imported = {}
    for resource, name in zip(planned, ("first", "second"), strict=True):
        inputs = {**resource["inputs"], **({"of": "id-first"} if name == "second" else {})}
        imported[THING, name] = {"id": f"id-{name}", "inputs": inputs, "outputs": inputs}
    file = canary.root / "import.json"
    file.write_text(json.dumps(import_files.filled(runs.import_skeleton, imported)))
    options = "--generate-code=false", "--protect=false", "--skip-preview", "--yes", "--stack", "one"
    process = canary.run("import", "--file", str(file), *options, code=None)
    assert process.returncode == 0, f"{advice}\n{process.stdout}{process.stderr}"
    preview = json.loads(canary.run("preview", "--json", "--stack", "one").stdout)
    assert {step["op"] for step in preview["steps"]} == {"same"}, advice
    assert canary.records_of("create") == []


def test_the_engine_attaches_to_a_running_provider(canary: Canary) -> None:
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "tenantry.fleet.warm.provider_process"],
        cwd=canary.project,
        env=canary.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    try:
        port = process.stdout.readline().strip()
        advice = changed(
            "attaching", "Find how the engine attaches to a provider, and how `pulumi.dynamic` serves."
        )
        assert port.isdigit(), advice
        canary.run("preview", "--stack", "one", env=attached_to(port))
        assert {record["pid"] for record in canary.records_of("check")} == {process.pid}, advice
    finally:
        process.communicate()


class Registrations:
    """A fake engine that records what a program registers, and responds from a state."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.resources = {resource["urn"]: resource for resource in deployment.resources(state)}
        self.registrations: list[Registration] = []
        self.outputs: list[str] = []

    def register(self, registration: Registration) -> Registered:
        self.registrations.append(registration)
        (urn,) = (urn for urn in self.resources if urn.endswith(f"{registration.type}::{registration.name}"))
        return Registered(urn, self.resources[urn].get("id", ""), self.resources[urn].get("outputs") or {})

    def register_outputs(self, urn: str, _outputs: Mapping[str, Any]) -> None:
        self.outputs.append(urn)

    def say(self, text: str) -> None:
        raise AssertionError(text)

    def call(self, name: str) -> None:
        raise AssertionError(name)


def record_registrations(root: Path, state: dict[str, Any]) -> Registrations:
    """Record what the canaries' program registers. This must run in a separate process."""
    engine = Registrations(state)
    run_program(
        root,
        engine,
        project=PROJECT,
        stack="one",
        config={},
        secret_keys=(),
        organisation="organization",
        preview=True,
    )
    return engine


def test_a_program_runs_without_the_engine_and_registers_the_resources_of_the_state(
    runs: RecordedRuns,
) -> None:
    advice = changed("program_runs", "Find the methods of the engine that the SDK calls, and their fields.")
    server = ForkServer()
    try:
        engine = server.call(
            record_registrations,
            runs.canary.project,
            runs.state,
            folder=runs.canary.project,
            environment={**os.environ, **runs.canary.env},
            seconds=60,
        )
    finally:
        server.close()
    resources = {
        resource["urn"].rpartition("::")[2]: resource for resource in deployment.resources(runs.state)
    }
    assert {registration.name for registration in engine.registrations} == resources.keys() - {"default"}, (
        advice
    )
    for registration in engine.registrations:
        resource = resources[registration.name]
        assert registration.others == (), advice
        assert (registration.custom, registration.parent) == (
            resource["custom"],
            resource.get("parent", ""),
        ), advice
        assert dict(registration.inputs) == {**(resource.get("inputs") or {})}, advice
        assert registration.dependencies == {*(resource.get("dependencies") or ())}, advice
        by_property = resource.get("propertyDependencies") or {}
        assert registration.property_dependencies == {
            name: {*(urns or ())} for name, urns in by_property.items()
        }, advice
    assert engine.outputs == [resources[f"{PROJECT}-one"]["urn"]], advice


def test_the_engine_runs_the_program_in_a_running_host(canary: Canary) -> None:
    advice = changed(
        "language_hosts", "Find how the engine attaches to a language host, and what it calls there."
    )
    calls = []

    def run(handshake: bytes, request: bytes, _when_unwanted: object) -> bytes:
        calls.append(engine_of(handshake))
        run_request = language_pb2.RunRequest.FromString(request)
        message = engine_pb2.LogRequest(severity=engine_pb2.INFO, message=f"running {run_request.stack}\n")
        with grpc.insecure_channel(calls[-1]) as channel:
            engine_pb2_grpc.EngineStub(channel).Log(message)
        return language_pb2.RunResponse(error="" if run_request.dryRun else "an error").SerializeToString()

    host = LanguageHost(run)
    try:
        events = canary.log("preview", "--stack", "one", env=host.environment)
        canary.run("up", "--yes", "--stack", "one", env=host.environment, code=1)
    finally:
        host.close()
    assert (len(calls), all(calls)) == (3, True), advice
    messages = [event[event_log.MESSAGE]["message"].strip() for event in events if event_log.MESSAGE in event]
    assert messages == ["running one"], advice


def test_the_event_log_has_each_step(runs: RecordedRuns) -> None:
    advice = changed(
        "event_log", "Compare `--event-log` of this version with what tenantry/fleet/events.py reads."
    )
    created = steps(runs.up_events)
    assert created.keys() == {("create", "first"), ("create", "second")}, advice
    assert steps(runs.up_events, event_log.BEGUN).keys() == created.keys(), advice
    assert any(event_log.SUMMARY in event for event in runs.up_events), advice
    assert event_log.MESSAGE in {name for event in runs.second_up_events for name in event}, advice
    assert not any(event.get(event_log.MESSAGE, {}).get("severity") == "debug" for event in runs.up_events), (
        advice
    )
    changed_steps = steps(runs.second_up_events)
    assert {op for op, name in changed_steps if name == "second"} == {"replace", *event_log.HALVES}, advice
    replaced, updated = changed_steps["replace", "second"], changed_steps["update", "first"]
    assert replaced["keys"] == ["kind"], advice
    assert [*(replaced.get("detailedDiff") or replaced["diffs"])] == ["kind"], advice
    assert [*(updated.get("detailedDiff") or updated["diffs"])] == ["size"], advice
    assert [updated[side]["inputs"]["size"] for side in ("old", "new")] == [1, 2], advice
    assert [bool(updated[side].get("protect")) for side in ("old", "new")] == [False, True], advice
    assert ("create", "broken") in steps(runs.second_up_events, event_log.FAILED), advice


def test_a_refresh_event_has_both_inputs_and_a_preview_event_is_marked(
    runs: RecordedRuns, canary: Canary
) -> None:
    advice = changed(
        "event_log", "Compare `--event-log` of this version with what tenantry/fleet/events.py reads."
    )
    refreshed = [step for step in steps(runs.refresh_events).values() if step["urn"] == urn("first")]
    assert [[step[side]["inputs"]["size"] for side in ("old", "new")] for step in refreshed] == [[2, 9]], (
        advice
    )
    planned = canary.log("preview", "--stack", "one")
    assert all(
        event[kind].get("planning") for event in planned for kind in event_log.STEP_EVENTS if kind in event
    )
    assert not any(
        event[kind].get("planning")
        for event in runs.up_events
        for kind in event_log.STEP_EVENTS
        if kind in event
    )


def test_pending_operations_are_reported_until_the_state_is_imported(
    runs: RecordedRuns, canary: Canary
) -> None:
    folder = canary.state / backend_files.FOLDER
    shutil.copytree(runs.backend_during_up / "stacks", folder / "stacks", dirs_exist_ok=True)
    shutil.copy(runs.canary.project / "Pulumi.one.yaml", canary.project)
    messages = [
        event[event_log.MESSAGE]["message"].strip()
        for event in canary.log("up", "--stack", "one", "--yes", "--skip-preview")
        if event_log.MESSAGE in event
    ]
    (warning,) = [message for message in messages if message.startswith(event_log.PENDING)] or [""]
    assert event_log.cut_off(warning) == [(urn("second"), "creating")], changed(
        "event_log", f"Find the engine's message about pending operations in {messages}."
    )
    state = canary.export("one")
    pending = deployment.pending_operations(state)
    assert [operation["resource"]["urn"] for operation in pending] == [urn("second")], changed(
        "deployment", "Find where the state has pending operations."
    )
    settled = deployment.replaced(state, pending_operations=[])
    file = canary.root / "settled.json"
    file.write_text(json.dumps(settled))
    canary.run("stack", "import", "--stack", "one", "--file", str(file))
    after = canary.export("one")
    assert deployment.pending_operations(after) == []
    assert things(after) == things(state)


def test_a_state_has_the_keys_that_are_read(runs: RecordedRuns) -> None:
    advice = changed(
        "deployment", "Compare the output of `pulumi stack export` with the list in the docstring."
    )
    first, second = (things(runs.state)[name] for name in ("first", "second"))
    assert runs.state["version"] == 3, advice
    assert second["dependencies"] == [first["urn"]], advice
    assert second["propertyDependencies"]["of"] == [first["urn"]], advice
    assert (first["id"], first["custom"], first["inputs"]["size"]) == ("id-first", True, 1), advice
    assert first["parent"].endswith(f"::pulumi:pulumi:Stack::{PROJECT}-one"), advice
    assert things(runs.second_state)["first"]["protect"] is True, advice


def test_a_state_without_its_encryption_can_be_imported_with_another(
    runs: RecordedRuns, canary: Canary
) -> None:
    exported = json.loads(runs.canary.run("stack", "export", "--show-secrets", "--stack", "one").stdout)
    bare = deployment.without_encryption(copy.deepcopy(exported))
    assert bare["deployment"].keys() == exported["deployment"].keys() - {"secrets_providers"}
    assert "secrets_providers" in exported["deployment"], changed(
        "deployment", "Find the key of the encryption."
    )
    file = canary.root / "bare.json"
    file.write_text(json.dumps(bare))
    other_passphrase = {"PULUMI_CONFIG_PASSPHRASE": "other"}
    canary.run("stack", "import", "--stack", "one", "--file", str(file), env=other_passphrase)
    advice = changed("deployment", "Find what keeps the former encryption of an imported state.")
    imported_state = json.loads(canary.run("stack", "export", "--stack", "one", env=other_passphrase).stdout)
    assert things(imported_state).keys() == things(exported).keys(), advice
    next_run = canary.run("preview", "--stack", "one", code=None, env=other_passphrase)
    assert next_run.returncode == 0, f"{advice}\n{next_run.stderr}"


def test_an_empty_stack_has_the_files_that_pulumi_writes(canary: Canary) -> None:
    advice = changed("backend_files", "Compare `add_stack` with what `pulumi stack init` writes.")
    folder = canary.state / backend_files.FOLDER
    canary.run("stack", "init", "two", "--no-select")
    meta = folder / "meta.yaml"
    own, pulumis = (canary.checkpoint(folder, name) for name in ("one", "two"))
    assert own["version"] == pulumis["version"], advice
    assert own["checkpoint"]["stack"] == pulumis["checkpoint"]["stack"].replace("/two", "/one"), advice
    assert own["checkpoint"].keys() == pulumis["checkpoint"].keys() - {"latest"}, advice
    assert {*backend_files.stacks_in(folder)} == {(PROJECT, "one"), (PROJECT, "two")}, advice
    assert canary.export("one")["deployment"] is None, changed(
        "deployment", "Find the content of a new stack."
    )
    (canary.root / "other").mkdir()
    other = Canary(canary.root / "other")
    other.run("stack", "init", "two", "--no-select")
    pulumis_meta = (other.state / backend_files.FOLDER / "meta.yaml").read_text()
    assert yaml.safe_load(meta.read_text()) == yaml.safe_load(pulumis_meta), advice


def test_a_lock_is_a_file_with_its_holder_and_pulumi_reports_it(runs: RecordedRuns, canary: Canary) -> None:
    files = backend_files.lock_files(runs.backend_during_up, PROJECT, "one")
    advice = changed("backend_files", "Find where the backend keeps its locks, and the content of a lock.")
    assert len(files) == 1, advice
    user, host, pid, locked_at = backend_files.lock_fields(json.loads(files[0].read_text()))
    advice = changed(
        "lock_messages", "Find what `pulumi` prints about a lock, and a harmless command that prints it."
    )
    free = canary.run(*lock_messages.lock_command("one"), code=None)
    assert free.returncode, advice
    assert lock_messages.TAKEN in free.stderr, f"{advice}\n{free.stderr}"
    shutil.copytree(
        runs.backend_during_up / "locks",
        canary.state / backend_files.FOLDER / "locks",
        dirs_exist_ok=True,
    )
    locked = canary.run(*lock_messages.lock_command("one"), code=None)
    assert lock_messages.LOCKED in locked.stderr, f"{advice}\n{locked.stderr}"
    ((named_user, named_host, named_pid, named_at),) = lock_messages.locks_in(locked.stderr)
    assert (named_user, named_host, named_pid) == (user, host, pid), advice
    assert named_at[:19] == locked_at[:19], advice
    exported = canary.run("stack", "export", "--stack", "one", code=None)
    assert exported.returncode == 0, changed(
        "commands", "`pulumi stack export` fails for a stack in use now."
    )


def test_the_login_is_in_the_credentials_and_a_missing_stack_has_its_own_exit_code(
    canary: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_HOME", canary.env["PULUMI_HOME"])
    assert commands.login() == ""
    address = canary.env.pop("PULUMI_BACKEND_URL")
    canary.run("login", address)
    assert commands.login() == address, changed("commands", "Find where `pulumi login` keeps the address.")
    missing = canary.run("stack", "export", "--stack", "none", code=None)
    assert missing.returncode == commands.NO_SUCH_STACK, changed(
        "commands", f"Find the exit code for a missing stack. It is {missing.returncode} here."
    )


@pytest.mark.parametrize(("env", "is_printed"), [({}, True), (environment.NO_LEGACY_WARNING, False)])
def test_the_warning_about_old_files_can_be_turned_off(
    canary: Canary, env: Mapping[str, str], is_printed: bool
) -> None:
    for name in environment.NO_LEGACY_WARNING:
        canary.env.pop(name)
    (canary.state / backend_files.FOLDER / "stacks" / "old.json").write_text('{"version": 3}')
    output = canary.run("stack", "ls", env=env).stderr
    assert ("legacy" in output) is is_printed, changed(
        "environment", f"Find the variable that turns off this warning: {output}"
    )


def test_the_event_log_is_an_option_only_with_the_variable(canary: Canary) -> None:
    off = dict.fromkeys(environment.EVENT_LOG, "")
    process = canary.run(
        "preview", "--stack", "one", "--event-log", str(canary.root / "x"), code=None, env=off
    )
    assert process.returncode, "tenantry/pulumi_internals/environment.py: EVENT_LOG is no longer needed"


def test_the_salt_of_a_stack_file_verifies_the_passphrase(canary: Canary) -> None:
    passphrase_variable = {"PULUMI_CONFIG_PASSPHRASE": "correct horse"}
    canary.run("stack", "init", "locked", "--no-select", env=passphrase_variable)
    salt = yaml.safe_load((canary.project / "Pulumi.locked.yaml").read_text())["encryptionsalt"]
    advice = changed("passphrase", f"Find how Pulumi creates {salt}.")
    assert passphrase.matches("correct horse", salt) is True, advice
    assert passphrase.matches("battery", salt) is False, advice


@pytest.mark.parametrize("compressed", [False, True])
def test_states_and_last_runs_in_the_files_match_the_output_of_pulumi(
    tmp_path: Path, compressed: bool
) -> None:
    """The backend may compress its files, depending on a variable of Pulumi."""
    canary = Canary(tmp_path)
    if compressed:
        canary.env["PULUMI_DIY_BACKEND_GZIP"] = "true"
    advice = changed("backend_files", "Find the files of states and updates, and compare `read_state`.")
    folder = canary.state / backend_files.FOLDER
    canary.run("stack", "init", "one", "--no-select")
    assert backend_files.is_readable(folder), advice
    assert backend_files.read_state(folder, PROJECT, "one") == canary.export("one"), advice
    assert backend_files.read_last_run(folder, PROJECT, "one") == {}, advice
    canary.run("up", "--stack", "one", "--yes", "--skip-preview", env={"CANARY_RUN": "outputs"})
    assert any(folder.glob("stacks/*/*.gz")) is compressed, advice
    assert backend_files.read_state(folder, PROJECT, "one") == canary.export("one"), advice
    output = canary.run("stack", "history", "--json", "--stack", "one").stdout
    (last,) = json.loads(output)
    last_run = backend_files.read_last_run(folder, PROJECT, "one")
    assert {name: last_run[name] for name in ("kind", "result")} == {
        "kind": "update",
        "result": "succeeded",
    }, advice
    assert f"{datetime.fromtimestamp(last_run['endTime'], UTC):%Y-%m-%dT%H:%M:%S}" == last["endTime"][:19], (
        advice
    )


def test_the_outputs_of_a_stack_are_in_its_state_and_secrets_are_hidden(canary: Canary) -> None:
    advice = changed("deployment", "Find the outputs in a state, and the form of a secret.")
    canary.run("up", "--stack", "one", "--yes", "--skip-preview", env={"CANARY_RUN": "outputs"})
    exported = json.loads(canary.run("stack", "output", "--json", "--stack", "one").stdout)
    assert exported == {"exported": {"plain": [1], "hidden": [deployment.HIDDEN]}}, advice
    state = canary.export("one")
    assert deployment.outputs(state) == exported, advice
    assert deployment.written_at(state)[:2] == "20", advice
