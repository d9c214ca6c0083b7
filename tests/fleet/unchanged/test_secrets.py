"""The secrets of a stack, compared as ciphertexts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tenantry.fleet.unchanged import remembered
from tenantry.fleet.unchanged.doubt import Doubt
from tenantry.fleet.unchanged.files import check_files
from tenantry.fleet.unchanged.program import Comparison
from tenantry.fleet.unchanged.recorded import RecordedState
from tenantry.fleet.unchanged.secrets import Assumptions, as_secret, plain, stand_in
from tenantry.pulumi_internals.deployment import SECRET, SPECIAL
from tenantry.settings.project import Project
from tests.fleet.unchanged.states import INPUTS, OUTPUTS, STACK, registrations, state
from tests.fleet.unchanged.test_files import CLI, FILE, PROJECT

KEY = "tenantry:secrets_sales"
TEXT = "of the stack file"

State = dict[str, Any]


def encrypted(ciphertext: str) -> dict[str, str]:
    """Return an encrypted value as in the state."""
    return {SPECIAL: SECRET, "ciphertext": ciphertext}


def with_secrets() -> State:
    """Return a state in which the space's description and an output are secrets."""
    changed_state = state()
    stack, _, provider, space = changed_state["deployment"]["resources"]
    provider["inputs"][KEY] = encrypted("p")
    space["inputs"]["description"] = encrypted("i")
    space["outputs"] |= {"description": encrypted("o"), "key": encrypted("k")}
    stack["outputs"]["keys"] = {"Sales": encrypted("s")}
    return changed_state


def compare(
    recorded: State, description: object = None, keys: object = None
) -> tuple[Assumptions, dict[str, Any]]:
    """Return the assumptions for a program with this description, and the outputs of its space."""
    assumptions = Assumptions()
    comparison = Comparison("tenantry", "acme", RecordedState.of(recorded), assumptions)
    description = as_secret(TEXT) if description is None else description
    for registration in registrations(inputs={**INPUTS, "description": description}):
        space = comparison.register(registration)
    outputs = as_secret({"Sales": stand_in(encrypted("k"))}) if keys is None else keys
    comparison.register_outputs(STACK, {**OUTPUTS, "keys": outputs})
    return assumptions, dict(space.outputs)


def test_a_secret_is_assumed_to_equal_the_programs_value() -> None:
    assumptions, outputs = compare(with_secrets())
    assert outputs["description"] == as_secret(TEXT)
    assert outputs["key"] == as_secret(stand_in(encrypted("k"))), (
        "a secret from Qlik, such as a client secret"
    )
    assert outputs["name"] == INPUTS["name"]
    assert assumptions.digest()


@pytest.mark.parametrize(
    ("resource", "section", "name"),
    [
        (3, "inputs", "description"),
        (3, "outputs", "description"),
        (3, "outputs", "key"),
        (0, "outputs", "keys"),
    ],
)
def test_another_ciphertext_is_another_assumption(resource: int, section: str, name: str) -> None:
    changed = with_secrets()
    changed["deployment"]["resources"][resource][section][name] = encrypted("another")
    keys = as_secret({"Sales": stand_in(changed["deployment"]["resources"][3]["outputs"]["key"])})
    assert compare(changed, keys=keys)[0].digest() != compare(with_secrets())[0].digest()


def test_another_value_of_the_program_is_another_assumption() -> None:
    digest = compare(with_secrets())[0].digest()
    assert compare(with_secrets(), as_secret("another"))[0].digest() != digest
    assert compare(with_secrets(), keys=as_secret("another"))[0].digest() != digest
    assert compare(with_secrets())[0].digest() == digest


def test_a_state_without_secrets_needs_no_assumption() -> None:
    comparison = Comparison("tenantry", "acme", RecordedState.of(state()), assumptions := Assumptions())
    for registration in registrations():
        comparison.register(registration)
    assert assumptions.digest() == ""


@pytest.mark.parametrize(
    ("change", "description", "reason"),
    [
        (lambda recorded: None, "plain", "secrecy of description"),
        (lambda recorded: recorded["deployment"]["resources"][3]["inputs"].update(INPUTS), None, "secrecy"),
        (lambda recorded: None, as_secret(object()), "not valid JSON"),
    ],
)
def test_a_secret_on_one_side_only_is_in_doubt(
    change: Callable[[State], None], description: object, reason: str
) -> None:
    recorded = with_secrets()
    change(recorded)
    with pytest.raises(Doubt, match=reason):
        compare(recorded, description)


def test_assets_are_in_doubt() -> None:
    recorded = with_secrets()
    recorded["deployment"]["resources"][3]["outputs"]["file"] = {SPECIAL: "c44067f5952c0a294b673a41bacd8c17"}
    with pytest.raises(Doubt, match="assets"):
        compare(recorded)


def check_config(folder: Path, file: str) -> tuple[dict[str, Any], Assumptions]:
    """Return the configuration that the program gets with this stack file, and the assumptions."""
    (folder / "Pulumi.yaml").write_text(PROJECT)
    stack_file = folder / "Pulumi.acme.yaml"
    stack_file.write_text(file)
    project, assumptions = Project.at(folder), Assumptions()
    assert project
    return check_files(project, stack_file, RecordedState.of(with_secrets()), CLI, assumptions), assumptions


def test_a_program_gets_a_stand_in_for_each_secret(tmp_path: Path) -> None:
    config, assumptions = check_config(tmp_path, f"{FILE}  {KEY}: {{secure: v1:a:b}}\n")
    assert config[KEY] == as_secret(stand_in("v1:a:b"))
    assert plain(config["qlik:region"]) == "eu"
    other_config, other_assumptions = check_config(tmp_path, f"{FILE}  {KEY}: {{secure: v1:a:c}}\n")
    assert other_config[KEY] != config[KEY]
    assert other_assumptions.digest() != assumptions.digest()


@pytest.mark.parametrize("value", ["plain", "{secure: v1:a:b, more: 1}", "{inner: {secure: v1:a:b}}"])
def test_a_secret_in_another_form_is_in_doubt(tmp_path: Path, value: str) -> None:
    with pytest.raises(Doubt, match="is not a secret in the stack file"):
        check_config(tmp_path, f"{FILE}  {KEY}: {value}\n")


def test_only_the_assumptions_of_the_last_up_are_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENANTRY_STATE", str(tmp_path / "state"))
    assert not remembered.holds(tmp_path, "acme", "1")
    remembered.remember(tmp_path, "acme", "1")
    assert remembered.holds(tmp_path, "acme", "1")
    assert not remembered.holds(tmp_path, "globex", "1")
    assert not remembered.holds(tmp_path / "another-project", "acme", "1")
    remembered.remember(tmp_path, "acme", "2")
    assert not remembered.holds(tmp_path, "acme", "1")


def test_an_unwritable_folder_does_not_fail_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("TENANTRY_STATE", str(tmp_path / "file"))
    remembered.remember(tmp_path, "acme", "1")
    assert not remembered.holds(tmp_path, "acme", "1")
