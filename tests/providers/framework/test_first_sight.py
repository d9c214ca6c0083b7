"""Values that are right at first sight: pydantic, which is not imported for them, would say the same."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

import tenantry.providers
from tenantry.providers.framework.properties import Property, is_certainly_valid

TEXTS = ["", "a", "A-1", "eu", "true", "10", "a" * 129, "a" * 300, "a/b", "two\nlines", "eu\n", "ü"]
TEXTS += [
    "2026-12-31",
    "0123456789abcdef0123456789abcdef",
    "0123456789abcdef" * 4,
    "abc.eu.qlikcloud.com",
    "-",
    "\x00",
]
TEXTS += ["shared", "source", "group", "idp", "trial", "active", "TenantAdmin", "succeeded", "spa", "trusted"]
TEXTS += ["okta"]
NUMBERS = [-1, 0, 1, 9, 10, 90, 91, 7200, 7201, 1.0, 1.5, True, False]
LISTS = [[], ["a"], ["a", "a"], ["x"] * 101, [1], ["a", None], ("a",), [{"a": "b"}], [{1: "b"}]]
MAPS = [{}, {"a": "b"}, {"hostname": "abc.eu.qlikcloud.com", "tenant_id": "t"}, None]
VALUES: list[Any] = [*TEXTS, *NUMBERS, *LISTS, *MAPS]

PROPERTIES = [each for kind in tenantry.providers.resource_types().values() for each in kind.inputs()]


@pytest.mark.parametrize("prop", PROPERTIES, ids=lambda each: f"{each._owner.__name__}.{each.name}")
def test_what_is_accepted_is_what_pydantic_accepts(prop: Property[Any]) -> None:
    """For every property there is, and values of every shape."""
    for value in VALUES:
        if is_certainly_valid(value, prop.type, prop.limits.field):
            prop._adapter.validate_python(value, strict=True)


def test_what_stacks_hold_is_seen_at_once() -> None:
    """Else this would be of no use: text, numbers, switches, lists of names, words to choose from."""
    seen = {
        (prop._owner.__name__, prop.name)
        for prop, value in itertools.product(PROPERTIES, VALUES)
        if is_certainly_valid(value, prop.type, prop.limits.field)
    }
    never = {(prop._owner.__name__, prop.name) for prop in PROPERTIES} - seen
    assert never == set()
