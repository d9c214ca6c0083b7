"""Tests of `tenantry rename`: what it refuses, and what it changes in a state."""

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


class Site(Backend):
    """A backend with the stacks `acme` and `taken`, and one state; None before the first `up`."""

    deployment: dict[str, Any] | None
    asked: list[tuple[str, ...]]
    given: str

    def run(self, *arguments: str, given: str = "") -> str:
        self.asked.append(arguments[:2])
        if given:
            object.__setattr__(self, "given", given)
        if arguments[1] == "ls":
            return json.dumps([{"name": "acme"}, {"name": "organization/shop/taken"}])
        if arguments[1] == "export" and self.deployment is None:
            raise NoSuchStack("pulumi stack export", "no stack named 'acme' found", 6)
        return json.dumps({"version": 3, "deployment": self.deployment})


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setenv("TENANTRY_STATE", str(tmp_path / "state"))
    made = Site(tmp_path)
    for name, value in (("asked", []), ("deployment", {"resources": [COMPONENT, SPACE]}), ("given", "")):
        object.__setattr__(made, name, value)
    (tmp_path / "Pulumi.acme.yaml").write_text("config: {}\n")
    return made


def test_only_the_component_is_called_as_the_stack(site: Site) -> None:
    rename(site, "shop", site.root / "Pulumi.acme.yaml", "acme", "hooli")
    component, space = json.loads(site.given)["deployment"]["resources"]
    assert component["urn"] == f"urn:pulumi:acme::shop::{TYPE}::hooli"
    assert space == SPACE | {"parent": component["urn"]}
    assert site.asked[-1] == ("stack", "rename")
    assert (site.root / "Pulumi.hooli.yaml").exists()


def test_of_a_stack_that_was_never_up_the_file_alone_is_renamed(site: Site) -> None:
    object.__setattr__(site, "deployment", None)
    made = rename(site, "shop", site.root / "Pulumi.acme.yaml", "acme", "hooli")
    assert (made.name, made.exists()) == ("Pulumi.hooli.yaml", True)
    assert ("stack", "rename") not in site.asked


@pytest.mark.parametrize(
    ("new", "pending", "words"),
    [
        ("acme", [], "the stack file"),
        ("taken", [], "the backend already has a stack taken"),
        ("hooli", [{"type": "creating", "resource": SPACE}], "a run of stack acme was interrupted"),
    ],
)
def test_what_is_refused(site: Site, new: str, pending: list[object], words: str) -> None:
    found = {"resources": [COMPONENT], "pending_operations": pending}
    object.__setattr__(site, "deployment", found)
    with pytest.raises(CannotRename, match=words):
        rename(site, "shop", site.root / "Pulumi.acme.yaml", "acme", new)
    assert not {("stack", "import"), ("stack", "rename")}.intersection(site.asked)
    assert (site.root / "Pulumi.acme.yaml").exists()
