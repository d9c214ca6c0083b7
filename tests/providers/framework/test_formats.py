"""The format that a state tells, and what is said of a newer one."""

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


def test_the_string_of_today_tells_the_format_of_today() -> None:
    assert {formats.format_of(resource.provider_string(module)) for module in MODULES.values()} == {
        formats.FORMAT
    }


def test_a_raised_format_is_in_the_string(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "FORMAT", formats.FORMAT + 1)
    assert resource.provider_string("space") == NEWER


@pytest.mark.parametrize("number", [2, 255, 256, 70_000])
def test_any_number_is_read(number: int) -> None:
    assert formats.format_of(encoded(Call("space", number))) == number


@pytest.mark.parametrize("other", [None, "", "no pickle", "AAAA", {"a": "secret"}, encoded(Call("space"))])
def test_what_tells_no_number_has_the_first_format(other: object) -> None:
    assert formats.format_of(other) == 1


def test_a_state_has_the_newest_format_in_it() -> None:
    assert formats.newest([None, encoded(Call("group")), NEWER, encoded(Call("space"))]) == formats.FORMAT + 1
    assert formats.newest([]) == 1


def test_the_refusal_says_what_was_found_and_what_to_do() -> None:
    assert formats.refusal(formats.FORMAT) == ""
    said = formats.refusal(7)
    assert "has format 7" in said
    assert f"knows formats up to {formats.FORMAT}." in said
    assert "Upgrade Tenantry" in said
    assert "\n" not in said


def test_check_refuses_inputs_of_a_newer_state() -> None:
    news = {"tenant": "a.eu.qlikcloud.com", PROVIDER_KEY: resource.provider_string("space")}
    result = Provider("space").check({"name": "Sales", PROVIDER_KEY: NEWER}, news)
    assert [each.reason for each in result.failures] == [formats.refusal(formats.FORMAT + 1)]


def test_a_kind_that_only_a_newer_version_knows_is_told_as_such() -> None:
    """Going back to before there was that kind: one line, and no traceback."""
    provider = tenantry.provider("banner")
    with pytest.raises(Failure, match=r"does not know this resource type \(banner\)"):
        provider.read("id", {PROVIDER_KEY: encoded(Call("banner"))})
    with pytest.raises(Failure, match=r"Upgrade Tenantry here"):
        provider.delete("id", {PROVIDER_KEY: encoded(Call("banner"))})


def test_a_newer_state_is_neither_read_nor_deleted() -> None:
    """Its own string makes the provider that is asked."""
    provider = tenantry.provider("space", formats.FORMAT + 1)
    with pytest.raises(Failure, match="written by a newer Tenantry"):
        provider.read("id", {PROVIDER_KEY: NEWER})
    with pytest.raises(Failure, match="written by a newer Tenantry"):
        provider.delete("id", {PROVIDER_KEY: NEWER})


def test_ours_is_known_without_being_unpickled(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    assert all(formats.is_ours(provider_string(module)) for module in MODULES.values())
    assert formats.is_ours(encoded(Provider("space", 2)))
    ours = base64.b64decode(provider_string("space"))
    others = [
        foreign_string(ran),
        base64.b64encode(ours + base64.b64decode(foreign_string(ran))).decode(),
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
    assert [each for each in others if formats.is_ours(each)] == []
    assert not ran.exists()
