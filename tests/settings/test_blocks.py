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

RESOURCE_BLOCKS = {name: block for name, block in BLOCKS.items() if block.mapping}
"""The blocks that have their own resources."""

TENANT_BLOCKS = {"tenant", "lifecycle"}
"""The blocks that become properties of the tenant and of its lifecycle."""


def mapping_of(block: type[Block]) -> ResourceMapping:
    assert block.mapping is not None
    return block.mapping


def plain(annotation: Any) -> set[Any]:
    """Return the types of a value, without limits and without None."""
    if get_origin(annotation) is Annotated:
        return plain(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return {type_ for part in get_args(annotation) for type_ in plain(part)} - {type(None)}
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
    """Return text for a literal, else the type itself."""
    return str if get_origin(type_) is Literal else type_


def input_keys() -> Iterator[Any]:
    """Yield a parameter set for each key that a block passes to its resource: block, key and property."""
    for name, block in RESOURCE_BLOCKS.items():
        for key, prop in block.inputs().items():
            properties = resource_types()[mapping_of(block).resource].properties
            yield pytest.param(block, key, properties[prop], id=f"{name}.{key}")


INPUT_KEYS = list(input_keys())


def test_every_block_has_a_resource() -> None:
    """The blocks of the tenant itself are the exception."""
    assert BLOCKS.keys() - RESOURCE_BLOCKS.keys() == TENANT_BLOCKS
    assert set(NAMED) < set(ENTRIES) < set(BLOCKS)


FIXED = {
    "TenantAdmin": {"role", "status"},
    "OidcIdentityProvider": {"active"},
    "SamlIdentityProvider": {"active"},
}
"""Properties that always have their default, so that a change at Qlik is drift."""


@pytest.mark.parametrize("name", RESOURCE_BLOCKS)
def test_each_property_of_the_resource_is_set(name: str) -> None:
    """Exactly one of these sets each property: a key, the stack, or the component."""
    block = RESOURCE_BLOCKS[name]
    mapping = mapping_of(block)
    from_keys = [*block.inputs().values(), *block.secrets().values()]
    sources = [*from_keys, *mapping.from_content, *mapping.from_stack, *mapping.references]
    assert len(sources) == len(set(sources))
    declared = {prop.name for prop in resource_types()[mapping.resource].inputs()} - {"tenant"}
    fixed = FIXED.get(mapping.resource, set())
    assert set(sources) == declared - fixed
    assert set(mapping.from_stack) <= Settings.model_fields.keys()
    assert {*mapping.identity, *mapping.no_inputs, *mapping.properties} <= block.model_fields.keys()


@pytest.mark.parametrize(("block", "key", "prop"), INPUT_KEYS)
def test_a_key_has_the_type_of_its_property(block: type[Block], key: str, prop: Any) -> None:
    field = block.model_fields[key]
    assert {base(type_) for type_ in plain(field.annotation)} == {base(type_) for type_ in plain(prop.type)}


@pytest.mark.parametrize(("block", "key", "prop"), INPUT_KEYS)
def test_an_unset_key_means_the_same_as_an_unset_property(block: type[Block], key: str, prop: Any) -> None:
    """If the property is required, the key is required as well, unless another key can replace it."""
    field = block.model_fields[key]
    if field.is_required():
        # A property that the state does not keep is optional in the resource.
        assert prop.default is REQUIRED or prop.change is Change.NOT_KEPT
        return
    default = field.get_default(call_default_factory=True)
    if default is False:  # false is not passed to the resource
        assert prop.default in (None, False)
        return
    if prop.default is REQUIRED:
        assert any(other.startswith(key) for other in mapping_of(block).no_inputs), "no other key replaces it"
        return
    assert prop.canonical(default) == prop.canonical(None)


def test_false_is_passed_to_the_resource_only_if_the_default_is_not_false() -> None:
    """`data: false` and `auto_assign_analyzer: false` are passed to the resource; `adopt: false` is not."""
    app = BLOCKS["apps"].model_validate(
        {"name": "A", "template": "A", "version": "1", "staging": "S", "data": False, "adopt": False}
    )
    assert app.resource_properties() == {"name": "A", "template": "A", "version": "1", "data": False}
    licences = BLOCKS["license_settings"].model_validate({"auto_assign_analyzer": False})
    assert licences.resource_properties() == {"auto_assign_analyzer": False}
    provider = {"issuer": "i", "kid": "k", "clock_tolerance_seconds": 0}
    assert BLOCKS["jwt_identity_providers"].model_validate(provider).resource_properties() == provider


def test_the_parts_of_a_customer_are_its_blocks_and_entries() -> None:
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
