"""The format of a state, and the refusal of a newer one."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

import tenantry
from tenantry.providers import MODULES
from tenantry.providers.framework import formats, resource
from tenantry.providers.framework.adapter import Provider
from tenantry.providers.framework.engine import Failure
from tenantry.providers.framework.resource import provider_string
from tenantry.pulumi_internals.dynamic_resources import PROVIDER_KEY, encoded
from tests.pulumi_internals.strings import foreign_string


class Call:
    """Pickles as a call of `tenantry.provider` with any arguments."""

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return tenantry.provider, self.arguments


NEWER = encoded(Call("space", formats.FORMAT + 1))


def test_provider_strings_have_the_current_format() -> None:
    assert {formats.format_of(resource.provider_string(module)) for module in MODULES.values()} == {
        formats.FORMAT
    }


def test_a_later_format_is_part_of_the_provider_string(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "FORMAT", formats.FORMAT + 1)
    assert resource.provider_string("space") == NEWER


@pytest.mark.parametrize("number", [2, 255, 256, 70_000])
def test_any_format_number_is_read(number: int) -> None:
    assert formats.format_of(encoded(Call("space", number))) == number


@pytest.mark.parametrize("string", [None, "", "no pickle", "AAAA", {"a": "secret"}, encoded(Call("space"))])
def test_a_provider_string_without_a_number_has_format_1(string: object) -> None:
    assert formats.format_of(string) == 1


def test_the_format_of_a_state_is_the_newest_of_its_resources() -> None:
    assert formats.newest([None, encoded(Call("group")), NEWER, encoded(Call("space"))]) == formats.FORMAT + 1
    assert formats.newest([]) == 1


def test_the_refusal_names_the_format_and_the_next_step() -> None:
    assert formats.refusal(formats.FORMAT) == ""
    refusal = formats.refusal(7)
    assert "has format 7" in refusal
    assert f"knows formats up to {formats.FORMAT}." in refusal
    assert "Upgrade Tenantry" in refusal
    assert "\n" not in refusal


def test_check_refuses_inputs_of_a_newer_state() -> None:
    news = {"tenant": "a.eu.qlikcloud.com", PROVIDER_KEY: resource.provider_string("space")}
    result = Provider("space").check({"name": "Sales", PROVIDER_KEY: NEWER}, news)
    assert [failure.reason for failure in result.failures] == [formats.refusal(formats.FORMAT + 1)]


def test_an_unknown_resource_type_asks_for_an_upgrade() -> None:
    """This happens if a newer Tenantry wrote the state. The error is one line without a traceback."""
    provider = tenantry.provider("banner")
    with pytest.raises(Failure, match=r"does not know this resource type \(banner\)"):
        provider.read("id", {PROVIDER_KEY: encoded(Call("banner"))})
    with pytest.raises(Failure, match=r"Upgrade Tenantry here"):
        provider.delete("id", {PROVIDER_KEY: encoded(Call("banner"))})


def test_a_newer_state_is_neither_read_nor_deleted() -> None:
    """The string in the state creates the provider, so a newer string brings its format along."""
    provider = tenantry.provider("space", formats.FORMAT + 1)
    with pytest.raises(Failure, match="written by a newer Tenantry"):
        provider.read("id", {PROVIDER_KEY: NEWER})
    with pytest.raises(Failure, match="written by a newer Tenantry"):
        provider.delete("id", {PROVIDER_KEY: NEWER})


def test_only_our_provider_strings_are_recognised(tmp_path: Path) -> None:
    """The check must not unpickle a string, because that could run code."""
    marker = tmp_path / "marker"
    assert all(formats.is_ours(provider_string(module)) for module in MODULES.values())
    assert formats.is_ours(encoded(Provider("space", 2)))
    ours = base64.b64decode(provider_string("space"))
    foreign_strings = [
        foreign_string(marker),
        base64.b64encode(ours + base64.b64decode(foreign_string(marker))).decode(),
        base64.b64encode(ours.replace(b"\x05space", b"\x04space")).decode(),
        base64.b64encode(ours.replace(b"\x08provider", b"\x08__name__")).decode(),
        base64.b64encode(ours.replace(b"\x08tenantry", b"\x08builtins")).decode(),
        base64.b64encode(ours.replace(b"space", b"a.b\n.")).decode(),
        provider_string("space") + "\n",
        "x",
        "",
        None,
        {"x": 1},
    ]
    assert [string for string in foreign_strings if formats.is_ours(string)] == []
    assert not marker.exists()
