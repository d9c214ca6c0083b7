"""The fast check of values, which does not import pydantic, accepts nothing that pydantic refuses."""

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

PROPERTIES = [
    prop for resource_type in tenantry.providers.resource_types().values() for prop in resource_type.inputs()
]


@pytest.mark.parametrize("prop", PROPERTIES, ids=lambda prop: f"{prop._owner.__name__}.{prop.name}")
def test_the_fast_check_accepts_only_what_pydantic_accepts(prop: Property[Any]) -> None:
    for value in VALUES:
        if is_certainly_valid(value, prop.type, prop.limits.field):
            prop._adapter.validate_python(value, strict=True)


def test_the_fast_check_accepts_some_value_of_every_property() -> None:
    """Otherwise it would be useless for that property, and most runs would import pydantic."""
    covered = {
        (prop._owner.__name__, prop.name)
        for prop, value in itertools.product(PROPERTIES, VALUES)
        if is_certainly_valid(value, prop.type, prop.limits.field)
    }
    never_accepted = {(prop._owner.__name__, prop.name) for prop in PROPERTIES} - covered
    assert never_accepted == set()
