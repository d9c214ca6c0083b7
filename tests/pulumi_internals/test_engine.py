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
from tests.pulumi_internals.conftest import PROJECT, Canary, Story
from tests.pulumi_internals.things import AT_ONCE

THING = f"{TYPES}/canary:Thing"


def urn(name: str, stack: str = "one") -> str:
    return f"urn:pulumi:{stack}::{PROJECT}::{THING}::{name}"


def things(state: dict[str, Any]) -> dict[str, Any]:
    """Our resources in a state, by name."""
    return {
        resource["urn"].rpartition("::")[2]: resource
        for resource in deployment.resources(state)
        if resource["type"] == THING
    }


def steps(events: list[dict[str, Any]], kind: str = event_log.DONE) -> dict[tuple[str, str], dict[str, Any]]:
    """The steps of our resources in a log, by operation and name."""
    found = (event[kind]["metadata"] for event in events if kind in event)
    return {(item["op"], item["urn"].rpartition("::")[2]): item for item in found if THING in item["urn"]}


@pytest.fixture
def canary(story: Story, tmp_path: Path) -> Canary:
    """A separate project and backend, with an empty stack `one`."""
    new = Canary(tmp_path)
    backend_files.add_stack(new.state, PROJECT, "one")
    return new


def test_a_provider_finds_its_call(story: Story) -> None:
    why = changed("calls", "Find the request and the context of the call in the frames of the SDK's handler.")
    assert [entry.get("urn") for entry in story.created] == [urn("first"), urn("second")], why
    (run,) = {item.get("run") for item in story.created}
    assert run, why


def test_a_failure_shows_its_message_alone_and_the_object_is_recorded(story: Story) -> None:
    why = changed("error_details", "Find what the engine makes of the details of a status.")
    output = {
        item[event_log.MESSAGE].get("urn"): item[event_log.MESSAGE]["message"].strip()
        for item in story.later
        if event_log.MESSAGE in item and item[event_log.MESSAGE]["severity"] == "error"
    }
    assert output[urn("refused")] == "it says so", why
    assert output[urn("broken")].removeprefix("1 error occurred:").strip() == "* it says so", why
    recorded = things(story.state_later).get("broken", {})
    assert (recorded.get("id"), recorded.get("initErrors")) == ("id-broken", ["it says so"]), why
    assert recorded["outputs"]["size"] == 1, why
    assert "refused" not in things(story.state_later)


def test_a_provider_starts_before_a_resource_needs_it_and_the_user_hears_nothing(canary: Canary) -> None:
    output = canary.run("preview", "--stack", "one", env={"CANARY_RUN": "early"}).stdout
    why = changed("early_provider", "Find what makes the engine start a provider before there is a resource.")
    started = {pid for note in canary.notes("early") for pid in note["providers"]}
    assert {item["pid"] for item in canary.notes("check")} == started, why
    assert "Diagnostics" not in output, f"{why}\n{output}"


def test_more_calls_than_four_are_answered_at_once_and_the_state_is_written_once(canary: Canary) -> None:
    """One run checks both variables, and that there are no backups."""
    quiet = {**environment.ONE_CHECKPOINT, **environment.NO_BACKUPS}
    canary.run("up", "--stack", "one", "--yes", "--skip-preview", env={"CANARY_RUN": "many", **quiet})
    made = canary.notes("create")
    assert [item["together"] for item in made] == [True] * AT_ONCE, changed(
        "workers", "Find the pool that the SDK's provider process answers with."
    )
    assert len(things(canary.export("one"))) == AT_ONCE
    during = canary.checkpoint(canary.seen / "during-many-0", "one")["checkpoint"].get("latest") or {}
    assert not {"pending_operations", "resources"} & {name for name in during if during[name]}, changed(
        "environment",
        "Find the variables that make the engine write the state once; a proof must be refused with them.",
    )
    assert not (canary.state / backend_files.FOLDER / "backups").exists(), changed(
        "environment", "Find the variable that keeps the backend from making backups."
    )


def test_the_state_is_saved_before_each_create(story: Story) -> None:
    """Without these variables, the state is saved during a run. The proof of a tenant relies on that."""
    latest = story.canary.checkpoint(story.during, "one")["checkpoint"]["latest"]
    assert [resource["urn"] for resource in latest["resources"]][-1] == urn("first")
    assert [
        (pending_operation["type"], pending_operation["resource"]["urn"])
        for pending_operation in latest["pending_operations"]
    ] == [("creating", urn("second"))], changed("deployment", "Find how the state names what a run is at.")
    assert (story.canary.state / backend_files.FOLDER / "backups").exists()


def test_the_engines_address_is_the_last_argument(story: Story) -> None:
    assert story.created
    for item in story.created:
        assert ":".join(map(str, item["engine"] or ())) == item["arguments"][-1], changed(
            "engine_address", "Find where a provider process learns the address of its engine."
        )


def test_only_our_resources_are_without_stack_traces(story: Story) -> None:
    found = things(story.state)
    assert "stackTrace" not in found["first"], changed("stack_traces", "Find where the traces come from.")
    assert found["second"].get("stackTrace"), "States have no stack traces any more: stack_traces.py can go"


def test_one_instance_answers_check_and_diff_and_outputs_have_the_provider(story: Story) -> None:
    checks, diffs = ({(note["pid"], note["instance"]) for note in story.canary.notes(v)} for v in HANDLER)
    assert len(diffs) == len({pid for pid, _ in diffs})
    checked = {pid for pid, _ in checks}
    both = {diff for diff in diffs if diff[0] in checked}  # a refresh only compares
    assert both, "nothing was compared"
    assert both <= checks, changed(
        "dynamic_resources", "Check and diff of `tenantry.providers.framework.adapter` share an instance."
    )
    for thing in things(story.state).values():
        assert thing["outputs"][PROVIDER_KEY] == thing["inputs"][PROVIDER_KEY]


HANDLER = ("check", "diff")


def test_a_preview_shows_unknown_values_as_the_placeholder(story: Story) -> None:
    why = changed("unknown_values", "Find what stands for an unknown value.")
    assert {entry["name"]: entry["unknown"] for entry in story.previewed} == {
        "first": False,
        "second": True,
    }, why
    planned = {item["urn"]: item for item in import_files.planned(story.preview)}
    assert planned[urn("second")]["inputs"]["of"] == PLACEHOLDER, why


def test_an_import_takes_outputs_and_leaves_nothing_to_do(story: Story, canary: Canary) -> None:
    """The resources are in the program's order, parents first."""
    why = changed("import_files", "Find what `pulumi import --file` takes for dynamic resources.")
    planned = [item for item in import_files.planned(story.preview) if item["type"] == THING]
    assert [entry["urn"] for entry in planned] == [urn("first"), urn("second")], why
    assert planned[1]["propertyDependencies"]["of"] == [urn("first")], why
    made = {}
    for each, name in zip(planned, ("first", "second"), strict=True):
        inputs = {**each["inputs"], **({"of": "id-first"} if name == "second" else {})}
        made[THING, name] = {"id": f"id-{name}", "inputs": inputs, "outputs": inputs}
    file = canary.root / "import.json"
    file.write_text(json.dumps(import_files.filled(story.skeleton, made)))
    options = "--generate-code=false", "--protect=false", "--skip-preview", "--yes", "--stack", "one"
    done = canary.run("import", "--file", str(file), *options, code=None)
    assert done.returncode == 0, f"{why}\n{done.stdout}{done.stderr}"
    again = json.loads(canary.run("preview", "--json", "--stack", "one").stdout)
    assert {step["op"] for step in again["steps"]} == {"same"}, why
    assert canary.notes("create") == []


def test_the_engine_attaches_to_a_provider_that_runs(canary: Canary) -> None:
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
        why = changed(
            "attaching", "Find how the engine attaches to a provider, and how `pulumi.dynamic` serves."
        )
        assert port.isdigit(), why
        canary.run("preview", "--stack", "one", env=attached_to(port))
        assert {note["pid"] for note in canary.notes("check")} == {process.pid}, why
    finally:
        process.communicate()


class Registrations:
    """A fake engine: it records what a program registers, and responds from a state."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.held = {resource["urn"]: resource for resource in deployment.resources(state)}
        self.seen: list[Registration] = []
        self.outputs: list[str] = []

    def register(self, registration: Registration) -> Registered:
        self.seen.append(registration)
        (urn,) = (urn for urn in self.held if urn.endswith(f"{registration.type}::{registration.name}"))
        return Registered(urn, self.held[urn].get("id", ""), self.held[urn].get("outputs") or {})

    def register_outputs(self, urn: str, _outputs: Mapping[str, Any]) -> None:
        self.outputs.append(urn)

    def say(self, text: str) -> None:
        raise AssertionError(text)

    def call(self, name: str) -> None:
        raise AssertionError(name)


def registered(root: Path, state: dict[str, Any]) -> Registrations:
    """Record what the canaries' program registers. Runs in a separate process."""
    found = Registrations(state)
    run_program(
        root,
        found,
        project=PROJECT,
        stack="one",
        config={},
        secret_keys=(),
        organisation="organization",
        preview=True,
    )
    return found


def test_a_program_runs_without_the_engine_and_registers_what_is_in_the_state(story: Story) -> None:
    why = changed("program_runs", "Find what the SDK calls of the engine, and with which fields.")
    server = ForkServer()
    try:
        found = server.call(
            registered,
            story.canary.project,
            story.state,
            folder=story.canary.project,
            environment={**os.environ, **story.canary.env},
            seconds=60,
        )
    finally:
        server.close()
    held = {resource["urn"].rpartition("::")[2]: resource for resource in deployment.resources(story.state)}
    assert {entry.name for entry in found.seen} == held.keys() - {"default"}, why
    for item in found.seen:
        state = held[item.name]
        assert item.others == (), why
        assert (item.custom, item.parent) == (state["custom"], state.get("parent", "")), why
        assert dict(item.inputs) == {**(state.get("inputs") or {})}, why
        assert item.dependencies == {*(state.get("dependencies") or ())}, why
        named = state.get("propertyDependencies") or {}
        assert item.property_dependencies == {name: {*(urns or ())} for name, urns in named.items()}, why
    assert found.outputs == [held[f"{PROJECT}-one"]["urn"]], why


def test_the_engine_runs_the_program_in_a_host_that_runs(canary: Canary) -> None:
    why = changed(
        "language_hosts", "Find how the engine attaches to a language host, and what it calls there."
    )
    calls = []

    def run(handshake: bytes, request: bytes, _when_unwanted: object) -> bytes:
        calls.append(engine_of(handshake))
        asked = language_pb2.RunRequest.FromString(request)
        message = engine_pb2.LogRequest(severity=engine_pb2.INFO, message=f"{asked.stack} is run\n")
        with grpc.insecure_channel(calls[-1]) as channel:
            engine_pb2_grpc.EngineStub(channel).Log(message)
        return language_pb2.RunResponse(error="" if asked.dryRun else "seen").SerializeToString()

    host = LanguageHost(run)
    try:
        previewed = canary.log("preview", "--stack", "one", env=host.environment)
        canary.run("up", "--yes", "--stack", "one", env=host.environment, code=1)
    finally:
        host.close()
    assert (len(calls), all(calls)) == (3, True), why
    lines = [item[event_log.MESSAGE]["message"].strip() for item in previewed if event_log.MESSAGE in item]
    assert lines == ["one is run"], why


def test_the_event_log_tells_each_step(story: Story) -> None:
    why = changed(
        "event_log", "Compare `--event-log` of this version with what tenantry/fleet/events.py reads."
    )
    made = steps(story.made)
    assert made.keys() == {("create", "first"), ("create", "second")}, why
    assert steps(story.made, event_log.BEGUN).keys() == made.keys(), why
    assert any(event_log.SUMMARY in item for item in story.made), why
    assert event_log.MESSAGE in {name for entry in story.later for name in entry}, why
    assert not any(element.get(event_log.MESSAGE, {}).get("severity") == "debug" for element in story.made), (
        why
    )
    later = steps(story.later)
    assert {op for op, name in later if name == "second"} == {"replace", *event_log.HALVES}, why
    replaced, updated = later["replace", "second"], later["update", "first"]
    assert replaced["keys"] == ["kind"], why
    assert [*(replaced.get("detailedDiff") or replaced["diffs"])] == ["kind"], why
    assert [*(updated.get("detailedDiff") or updated["diffs"])] == ["size"], why
    assert [updated[side]["inputs"]["size"] for side in ("old", "new")] == [1, 2], why
    assert [bool(updated[side].get("protect")) for side in ("old", "new")] == [False, True], why
    assert ("create", "broken") in steps(story.later, event_log.FAILED), why


def test_the_event_log_of_a_refresh_and_of_a_preview(story: Story, canary: Canary) -> None:
    why = changed(
        "event_log", "Compare `--event-log` of this version with what tenantry/fleet/events.py reads."
    )
    found = [step for step in steps(story.refreshed).values() if step["urn"] == urn("first")]
    assert [[item[side]["inputs"]["size"] for side in ("old", "new")] for item in found] == [[2, 9]], why
    planned = canary.log("preview", "--stack", "one")
    assert all(
        entry[kind].get("planning") for entry in planned for kind in event_log.STEP_EVENTS if kind in entry
    )
    assert not any(
        element[kind].get("planning")
        for element in story.made
        for kind in event_log.STEP_EVENTS
        if kind in element
    )


def test_what_a_run_was_cut_off_at_is_said_and_stays_until_the_state_is_imported(
    story: Story, canary: Canary
) -> None:
    folder = canary.state / backend_files.FOLDER
    shutil.copytree(story.during / "stacks", folder / "stacks", dirs_exist_ok=True)
    shutil.copy(story.canary.project / "Pulumi.one.yaml", canary.project)
    lines = [
        item[event_log.MESSAGE]["message"].strip()
        for item in canary.log("up", "--stack", "one", "--yes", "--skip-preview")
        if event_log.MESSAGE in item
    ]
    (warning,) = [line for line in lines if line.startswith(event_log.PENDING)] or [""]
    assert event_log.cut_off(warning) == [(urn("second"), "creating")], changed(
        "event_log", f"Find what the engine says of pending operations, in {lines}."
    )
    state = canary.export("one")
    pending = deployment.pending_operations(state)
    assert [entry["resource"]["urn"] for entry in pending] == [urn("second")], changed(
        "deployment", "Find where the state has pending operations."
    )
    settled = deployment.replaced(state, pending_operations=[])
    file = canary.root / "settled.json"
    file.write_text(json.dumps(settled))
    canary.run("stack", "import", "--stack", "one", "--file", str(file))
    after = canary.export("one")
    assert deployment.pending_operations(after) == []
    assert things(after) == things(state)


def test_a_state_has_what_is_read_of_it(story: Story) -> None:
    why = changed(
        "deployment", "Compare the state that `pulumi stack export` gives with what its docstring lists."
    )
    first, second = (things(story.state)[name] for name in ("first", "second"))
    assert story.state["version"] == 3, why
    assert second["dependencies"] == [first["urn"]], why
    assert second["propertyDependencies"]["of"] == [first["urn"]], why
    assert (first["id"], first["custom"], first["inputs"]["size"]) == ("id-first", True, 1), why
    assert first["parent"].endswith(f"::pulumi:pulumi:Stack::{PROJECT}-one"), why
    assert things(story.state_later)["first"]["protect"] is True, why


def test_a_state_without_its_encryption_goes_into_a_stack_with_another(story: Story, canary: Canary) -> None:
    shown = json.loads(story.canary.run("stack", "export", "--show-secrets", "--stack", "one").stdout)
    bare = deployment.without_encryption(copy.deepcopy(shown))
    assert bare["deployment"].keys() == shown["deployment"].keys() - {"secrets_providers"}
    assert "secrets_providers" in shown["deployment"], changed(
        "deployment", "Find where encryption is named."
    )
    file = canary.root / "bare.json"
    file.write_text(json.dumps(bare))
    other = {"PULUMI_CONFIG_PASSPHRASE": "other"}
    canary.run("stack", "import", "--stack", "one", "--file", str(file), env=other)
    why = changed("deployment", "Find what keeps the encryption of a state that is taken over.")
    taken = json.loads(canary.run("stack", "export", "--stack", "one", env=other).stdout)
    assert things(taken).keys() == things(shown).keys(), why
    next_run = canary.run("preview", "--stack", "one", code=None, env=other)
    assert next_run.returncode == 0, f"{why}\n{next_run.stderr}"


def test_a_stack_with_nothing_in_it_is_written_as_pulumi_writes_one(canary: Canary) -> None:
    why = changed("backend_files", "Compare `add_stack` with what `pulumi stack init` writes.")
    folder = canary.state / backend_files.FOLDER
    canary.run("stack", "init", "two", "--no-select")
    meta = folder / "meta.yaml"
    ours, theirs = (canary.checkpoint(folder, name) for name in ("one", "two"))
    assert ours["version"] == theirs["version"], why
    assert ours["checkpoint"]["stack"] == theirs["checkpoint"]["stack"].replace("/two", "/one"), why
    assert ours["checkpoint"].keys() == theirs["checkpoint"].keys() - {"latest"}, why
    assert {*backend_files.stacks_in(folder)} == {(PROJECT, "one"), (PROJECT, "two")}, why
    assert canary.export("one")["deployment"] is None, changed("deployment", "What is in a new stack?")
    (canary.root / "other").mkdir()
    other = Canary(canary.root / "other")
    other.run("stack", "init", "two", "--no-select")
    theirs_meta = (other.state / backend_files.FOLDER / "meta.yaml").read_text()
    assert yaml.safe_load(meta.read_text()) == yaml.safe_load(theirs_meta), why


def test_a_lock_is_a_file_with_its_holder_and_pulumi_names_it(story: Story, canary: Canary) -> None:
    files = backend_files.lock_files(story.during, PROJECT, "one")
    why = changed("backend_files", "Find where the backend keeps its locks, and what is in one.")
    assert len(files) == 1, why
    user, host, pid, at = backend_files.lock_fields(json.loads(files[0].read_text()))
    why = changed("lock_messages", "Find what `pulumi` says of a lock, and what names it without harm.")
    free = canary.run(*lock_messages.lock_command("one"), code=None)
    assert free.returncode, why
    assert lock_messages.TAKEN in free.stderr, f"{why}\n{free.stderr}"
    shutil.copytree(story.during / "locks", canary.state / backend_files.FOLDER / "locks", dirs_exist_ok=True)
    locked = canary.run(*lock_messages.lock_command("one"), code=None)
    assert lock_messages.LOCKED in locked.stderr, f"{why}\n{locked.stderr}"
    ((named_user, named_host, named_pid, named_at),) = lock_messages.locks_in(locked.stderr)
    assert (named_user, named_host, named_pid) == (user, host, pid), why
    assert named_at[:19] == at[:19], why
    exported = canary.run("stack", "export", "--stack", "one", code=None)
    assert exported.returncode == 0, changed("commands", "A stack in use is not exported any more.")


def test_the_login_is_in_the_credentials_and_a_missing_stack_has_its_exit_code(
    canary: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_HOME", canary.env["PULUMI_HOME"])
    assert commands.login() == ""
    address = canary.env.pop("PULUMI_BACKEND_URL")
    canary.run("login", address)
    assert commands.login() == address, changed("commands", "Find where `pulumi login` keeps the address.")
    missing = canary.run("stack", "export", "--stack", "none", code=None)
    assert missing.returncode == commands.NO_SUCH_STACK, changed(
        "commands", f"Find the exit code for a stack that is not there: {missing.returncode}?"
    )


@pytest.mark.parametrize(("env", "warned"), [({}, True), (environment.NO_LEGACY_WARNING, False)])
def test_the_warning_of_old_files_can_be_turned_off(
    canary: Canary, env: Mapping[str, str], warned: bool
) -> None:
    for name in environment.NO_LEGACY_WARNING:
        canary.env.pop(name)
    (canary.state / backend_files.FOLDER / "stacks" / "old.json").write_text('{"version": 3}')
    output = canary.run("stack", "ls", env=env).stderr
    assert ("legacy" in output) is warned, changed("environment", f"Find what silences the backend: {output}")


def test_the_event_log_is_an_option_only_with_the_variable(canary: Canary) -> None:
    off = dict.fromkeys(environment.EVENT_LOG, "")
    done = canary.run("preview", "--stack", "one", "--event-log", str(canary.root / "x"), code=None, env=off)
    assert done.returncode, "tenantry/pulumi_internals/environment.py: EVENT_LOG is not needed any more"


def test_a_stack_file_shows_its_passphrase(canary: Canary) -> None:
    words = {"PULUMI_CONFIG_PASSPHRASE": "correct horse"}
    canary.run("stack", "init", "locked", "--no-select", env=words)
    salt = yaml.safe_load((canary.project / "Pulumi.locked.yaml").read_text())["encryptionsalt"]
    why = changed("passphrase", f"Find how {salt} is made.")
    assert passphrase.matches("correct horse", salt) is True, why
    assert passphrase.matches("battery", salt) is False, why


@pytest.mark.parametrize("packed", [False, True])
def test_states_and_last_runs_are_read_from_their_files_as_pulumi_tells_them(
    tmp_path: Path, packed: bool
) -> None:
    """The backend may compress its files, depending on a variable of Pulumi."""
    canary = Canary(tmp_path)
    if packed:
        canary.env["PULUMI_DIY_BACKEND_GZIP"] = "true"
    why = changed("backend_files", "Find where states and updates lie, and compare `read_state`.")
    folder = canary.state / backend_files.FOLDER
    canary.run("stack", "init", "one", "--no-select")
    assert backend_files.is_readable(folder), why
    assert backend_files.read_state(folder, PROJECT, "one") == canary.export("one"), why
    assert backend_files.read_last_run(folder, PROJECT, "one") == {}, why
    canary.run("up", "--stack", "one", "--yes", "--skip-preview", env={"CANARY_RUN": "told"})
    assert any(folder.glob("stacks/*/*.gz")) is packed, why
    assert backend_files.read_state(folder, PROJECT, "one") == canary.export("one"), why
    output = canary.run("stack", "history", "--json", "--stack", "one").stdout
    (last,) = json.loads(output)
    found = backend_files.read_last_run(folder, PROJECT, "one")
    assert {name: found[name] for name in ("kind", "result")} == {"kind": "update", "result": "succeeded"}, (
        why
    )
    assert f"{datetime.fromtimestamp(found['endTime'], UTC):%Y-%m-%dT%H:%M:%S}" == last["endTime"][:19], why


def test_the_outputs_of_a_stack_are_in_its_state_and_secrets_are_hidden(canary: Canary) -> None:
    why = changed("deployment", "Find where a state has outputs, and how a secret looks.")
    canary.run("up", "--stack", "one", "--yes", "--skip-preview", env={"CANARY_RUN": "told"})
    message = json.loads(canary.run("stack", "output", "--json", "--stack", "one").stdout)
    assert message == {"told": {"plain": [1], "hidden": [deployment.HIDDEN]}}, why
    state = canary.export("one")
    assert deployment.outputs(state) == message, why
    assert deployment.written_at(state)[:2] == "20", why
