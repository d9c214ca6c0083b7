"""`tenantry rename`: its errors, and its changes of a state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tenantry.providers.values import tokens
from tenantry.state.backend import Backend, NoSuchStack
from tenantry.state.rename import CannotRename, rename

TYPE = f"{tokens.COMPONENTS}QlikCustomerTenant"
COMPONENT = {"type": TYPE, "urn": f"urn:pulumi:acme::shop::{TYPE}::acme"}
SPACE = {
    "type": tokens.of("Space"),
    "urn": f"urn:pulumi:acme::shop::{TYPE}${tokens.of('Space')}::acme",
    "parent": COMPONENT["urn"],
    "inputs": {"name": "acme"},
}


class FakeBackend(Backend):
    """A backend with the stacks `acme` and `taken`, and one state (None before the first `up`)."""

    deployment: dict[str, Any] | None
    commands: list[tuple[str, ...]]
    imported_state: str

    def run(self, *arguments: str, stdin: str = "") -> str:
        self.commands.append(arguments[:2])
        if stdin:
            object.__setattr__(self, "imported_state", stdin)
        if arguments[1] == "ls":
            return json.dumps([{"name": "acme"}, {"name": "organization/shop/taken"}])
        if arguments[1] == "export" and self.deployment is None:
            raise NoSuchStack("pulumi stack export", "no stack named 'acme' found", 6)
        return json.dumps({"version": 3, "deployment": self.deployment})


@pytest.fixture
def backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeBackend:
    monkeypatch.setenv("TENANTRY_STATE", str(tmp_path / "state"))
    fake = FakeBackend(tmp_path)
    for name, value in (
        ("commands", []),
        ("deployment", {"resources": [COMPONENT, SPACE]}),
        ("imported_state", ""),
    ):
        object.__setattr__(fake, name, value)
    (tmp_path / "Pulumi.acme.yaml").write_text("config: {}\n")
    return fake


def test_a_rename_changes_the_stack_and_only_the_urn_of_the_component(backend: FakeBackend) -> None:
    rename(backend, "shop", backend.root / "Pulumi.acme.yaml", "acme", "hooli")
    component, space = json.loads(backend.imported_state)["deployment"]["resources"]
    assert component["urn"] == f"urn:pulumi:acme::shop::{TYPE}::hooli"
    assert space == SPACE | {"parent": component["urn"]}
    assert backend.commands[-1] == ("stack", "rename")
    assert (backend.root / "Pulumi.hooli.yaml").exists()


def test_before_the_first_up_only_the_file_is_renamed(backend: FakeBackend) -> None:
    object.__setattr__(backend, "deployment", None)
    renamed = rename(backend, "shop", backend.root / "Pulumi.acme.yaml", "acme", "hooli")
    assert (renamed.name, renamed.exists()) == ("Pulumi.hooli.yaml", True)
    assert ("stack", "rename") not in backend.commands


@pytest.mark.parametrize(
    ("new", "pending", "message"),
    [
        ("acme", [], "the stack file"),
        ("taken", [], "the backend already has a stack taken"),
        ("hooli", [{"type": "creating", "resource": SPACE}], "a run of stack acme was interrupted"),
    ],
)
def test_an_impossible_rename_is_refused(
    backend: FakeBackend, new: str, pending: list[object], message: str
) -> None:
    deployment = {"resources": [COMPONENT], "pending_operations": pending}
    object.__setattr__(backend, "deployment", deployment)
    with pytest.raises(CannotRename, match=message):
        rename(backend, "shop", backend.root / "Pulumi.acme.yaml", "acme", new)
    assert not {("stack", "import"), ("stack", "rename")}.intersection(backend.commands)
    assert (backend.root / "Pulumi.acme.yaml").exists()
