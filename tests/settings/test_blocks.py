"""Each block of a stack file compared with its resource: names, types and defaults."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest

from tenantry.providers import resource_types
from tenantry.providers.framework.properties import REQUIRED, Change
from tenantry.settings.models import BLOCKS, ENTRIES, NAMED, Content, Settings, parts
from tenantry.settings.models.block import Block, ResourceMapping

MAKING = {name: block for name, block in BLOCKS.items() if block.mapping}
OF_THE_TENANT = {"tenant", "lifecycle"}
"""Blocks that are properties of the tenant and of its lifecycle."""


def made(block: type[Block]) -> ResourceMapping:
    assert block.mapping is not None
    return block.mapping


def plain(annotation: Any) -> set[Any]:
    """Return the types of a value, without limits and without None."""
    if get_origin(annotation) is Annotated:
        return plain(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return {each for part in get_args(annotation) for each in plain(part)} - {type(None)}
    if get_origin(annotation) is list:
        [item] = plain(get_args(annotation)[0])
        return {list[item]}  # type: ignore[valid-type]
    if get_origin(annotation) is dict:
        [item] = plain(get_args(annotation)[1])
        return {dict[str, item]}  # type: ignore[valid-type]
    if isinstance(annotation, type) and issubclass(annotation, Block):
        return {dict[str, Any]}
    return {annotation}


def base(type_: Any) -> Any:
    """Return the type of a literal: text."""
    return str if get_origin(type_) is Literal else type_


def given() -> Iterator[Any]:
    """Return each key of a block that its resource gets, with the name of the property."""
    for name, block in MAKING.items():
        for key, prop in block.inputs().items():
            yield pytest.param(
                block, key, resource_types()[made(block).resource].properties[prop], id=f"{name}.{key}"
            )


GIVEN = list(given())


def test_every_block_makes_something() -> None:
    """The blocks of the tenant itself are an exception."""
    assert BLOCKS.keys() - MAKING.keys() == OF_THE_TENANT
    assert set(NAMED) < set(ENTRIES) < set(BLOCKS)


FIXED = {
    "TenantAdmin": {"role", "status"},
    "OidcIdentityProvider": {"active"},
    "SamlIdentityProvider": {"active"},
}
"""Properties that always have their default, so that a change at Qlik shows."""


@pytest.mark.parametrize("name", MAKING)
def test_each_property_of_the_resource_is_set(name: str) -> None:
    """A key, the stack, or the component sets each property; exactly one of them does."""
    mapping = made(MAKING[name])
    own = [*MAKING[name].inputs().values(), *MAKING[name].secrets().values()]
    sources = [*own, *mapping.from_content, *mapping.from_stack, *mapping.references]
    assert len(sources) == len(set(sources))
    declared = {each.name for each in resource_types()[mapping.resource].inputs()} - {"tenant"}
    fixed = FIXED.get(mapping.resource, set())
    assert set(sources) == declared - fixed
    assert set(mapping.from_stack) <= Settings.model_fields.keys()
    assert {*mapping.identity, *mapping.no_inputs, *mapping.properties} <= MAKING[name].model_fields.keys()


@pytest.mark.parametrize(("block", "key", "prop"), GIVEN)
def test_a_key_has_the_type_of_its_property(block: type[Block], key: str, prop: Any) -> None:
    field = block.model_fields[key]
    assert {base(each) for each in plain(field.annotation)} == {base(each) for each in plain(prop.type)}


@pytest.mark.parametrize(("block", "key", "prop"), GIVEN)
def test_a_key_that_is_left_out_means_what_the_property_means(
    block: type[Block], key: str, prop: Any
) -> None:
    """If the property is required, the key is, too, unless a second key can replace it."""
    field = block.model_fields[key]
    if field.is_required():
        # What the state does not keep is required of a stack file alone.
        assert prop.default is REQUIRED or prop.change is Change.NOT_KEPT
        return
    default = field.get_default(call_default_factory=True)
    if default is False:  # which is not sent
        assert prop.default in (None, False)
        return
    if prop.default is REQUIRED:
        assert any(other.startswith(key) for other in made(block).no_inputs), "nothing stands in for it"
        return
    assert prop.canonical(default) == prop.canonical(None)


def test_a_switch_that_is_on_by_itself_is_sent_when_it_is_off() -> None:
    """`data: false` and `auto_assign_analyzer: false` are passed to the resource; `adopt: false` is not."""
    app = BLOCKS["apps"].model_validate(
        {"name": "A", "template": "A", "version": "1", "staging": "S", "data": False, "adopt": False}
    )
    assert app.resource_properties() == {"name": "A", "template": "A", "version": "1", "data": False}
    licences = BLOCKS["license_settings"].model_validate({"auto_assign_analyzer": False})
    assert licences.resource_properties() == {"auto_assign_analyzer": False}
    provider = {"issuer": "i", "kid": "k", "clock_tolerance_seconds": 0}
    assert BLOCKS["jwt_identity_providers"].model_validate(provider).resource_properties() == provider


def test_parts_are_blocks_and_entries() -> None:
    content = Content.model_validate(
        {"groups": {"A": {"name": "A"}, "B": {"name": "B"}}, "group_settings": {"everyone_roles": []}}
    )
    assert [keys for keys, _ in parts(content)] == [
        ("tenant",),
        ("lifecycle",),
        ("group_settings",),
        ("groups", "A"),
        ("groups", "B"),
    ]
