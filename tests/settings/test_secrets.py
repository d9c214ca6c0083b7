"""Names of secrets in a block."""

from __future__ import annotations

from pydantic import Field

from tenantry.settings.models.block import Block
from tenantry.settings.secrets import named_secrets
from tenantry.settings.values import SecretName, Text


class Login(Block):
    """A part of a door."""

    client_secret: SecretName | None = None


class Door(Block):
    """A block that names secrets in every possible way."""

    key: SecretName
    spare: SecretName | None = None
    headers: dict[str, SecretName] = Field(default_factory=dict)
    login: Login | None = None
    label: Text = "none"


class House(Block):
    """Doors, by key."""

    doors: dict[str, Door] = Field(default_factory=dict)


def test_secret_names_are_found_in_every_place() -> None:
    door = {
        "key": "a",
        "spare": "b",
        "headers": {"X-Key": "c"},
        "login": {"client_secret": "d"},
        "label": "e",
    }
    assert dict(named_secrets(House, {"doors": {"Front": door}})) == {
        ("doors", "Front", "key"): "a",
        ("doors", "Front", "spare"): "b",
        ("doors", "Front", "headers", "X-Key"): "c",
        ("doors", "Front", "login", "client_secret"): "d",
    }


def test_invalid_values_are_ignored() -> None:
    doors = {"A": None, "B": {"key": 1, "spare": "no name", "headers": ["x"], "login": "y"}, "C": ["z"]}
    assert list(named_secrets(House, {"doors": doors})) == []
    assert list(named_secrets(House, {"doors": "x"})) == []
    assert list(named_secrets(House, None)) == []


def test_a_block_knows_which_of_its_keys_name_secrets() -> None:
    """Their values do not come from the stack file. The component passes them to the resource."""
    assert Door.secrets() == {name: name for name in ("key", "spare", "headers")}
