"""What all blocks of a stack file have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, get_args

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

from tenantry.settings.values import SECRET
from tenantry.settings.violations import Violation, same_names

IN_PLACE = "in place"
AT_CREATION = "read only at creation"
NEW_IMPORT = "imports the app again and republishes it; published apps keep their id"
NO_REQUEST = "no request to Qlik"
REFUSED = "refused: add a second entry"


TENANT_ROLES = "tenant roles"
"""Marks a key that contains names of tenant roles: `Annotated[list[Text], TENANT_ROLES]`."""


def key(default: Any = ..., *, about: str, change: str = IN_PLACE, **more: Any) -> Any:
    """Declare a key of a block: its default, its description, and the effect of a change."""
    return Field(default, description=about, json_schema_extra={"x-change": change}, **more)


@dataclass(frozen=True)
class ResourceMapping:
    """The resource that a block describes, or that each of its entries describes.

    resource: the resource type, a class of `tenantry.providers`.
    noun: the name of one resource in messages and lists.
    identity: the keys whose values no two entries share. An import identifies an entry by them. If `name` is
        one of them, the checks refuse duplicates.
    properties: the name of the resource's property for each key that has a different name.
    no_inputs: keys that the resource does not get. `renamed_from` is never an input. `QlikCustomerTenant`
        passes the value of a secret that a key names (`SecretName`).
    from_content: properties that come from the files that a key names.
    from_stack: values of the whole stack that the resource needs, such as `source_tenant`.
    references: properties that refer to other resources. `QlikCustomerTenant` sets them.
    after: blocks whose resources must be created first.
    created_in_order: whether the entries are created one after the other, in the order of their keys.
    output: whether the ids are an output of the stack, under the name of the block.
    only_if_any: whether that output exists only if the block has entries.
    has_own_code: whether `QlikCustomerTenant` has separate code for it.
    """

    resource: str
    noun: str
    identity: tuple[str, ...] = ()
    properties: Mapping[str, str] = field(default_factory=dict)
    no_inputs: tuple[str, ...] = ()
    from_content: tuple[str, ...] = ()
    from_stack: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    created_in_order: bool = False
    output: bool = True
    only_if_any: bool = False
    has_own_code: bool = False


class Block(BaseModel):
    """A mapping of known keys. Every other key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    mapping: ClassVar[ResourceMapping | None] = None
    """The resource that the block describes, if any."""

    @classmethod
    def rules(cls, block: str, entries: Mapping[str, Any]) -> Iterator[Violation]:
        """Yield errors in the entries of `block` that need more than one value.

        An invalid value is None here. Its error is reported elsewhere.
        """
        if cls.mapping and "name" in cls.mapping.identity:
            yield from _duplicate_names(cls.mapping, block, entries)

    @property
    def is_created_last(self) -> bool:
        """Whether the resource of an entry is created and changed after those of the other entries."""
        return False

    def resource_properties(self) -> dict[str, Any]:
        """Return the properties of the resource that the block sets.

        It leaves out a switch with the default `false`, such as `adopt`, unless the switch is on.
        """
        values = ((key, name, getattr(self, key)) for key, name in self.inputs().items())
        fields = type(self).model_fields
        return {
            name: value
            for key, name, value in values
            if value is not None and not (value is False and fields[key].default is False)
        }

    @classmethod
    def inputs(cls) -> dict[str, str]:
        """Return the keys that the resource gets, each with the name of the property."""
        if cls.mapping is None:
            return {}
        left_out = ("renamed_from", *cls.mapping.no_inputs, *cls.secrets())
        keys = (name for name in cls.model_fields if name not in left_out)
        return {name: cls.mapping.properties.get(name, name) for name in keys}

    @classmethod
    def secrets(cls) -> dict[str, str]:
        """Return the keys that name secrets of the stack, each with the property that gets the value.

        Such a key is a `SecretName`, or a mapping of `SecretName`s.
        """
        properties = cls.mapping.properties if cls.mapping else {}
        fields = cls.model_fields.items()
        return {
            name: properties.get(name, name)
            for name, field in fields
            if _has_mark(declared_type(field), SECRET)
        }


def _duplicate_names(mapping: ResourceMapping, block: str, entries: Mapping[str, Any]) -> Iterator[Violation]:
    scope = next((name for name in mapping.identity if name != "name"), None)
    named = (
        (key, (block, key), entry.name, getattr(entry, scope) if scope else "")
        for key, entry in entries.items()
        if None not in (getattr(entry, name) for name in mapping.identity)
    )
    yield from same_names(mapping.noun, f", which has the same {scope} ({{}})" if scope else "", named)


def block_of(annotation: Any) -> type[Block] | None:
    """Return the block in an annotation, such as `Group` for `dict[str, Group]`, or None."""
    if isinstance(annotation, type) and issubclass(annotation, Block):
        return annotation
    return next((block for part in get_args(annotation) if (block := block_of(part))), None)


def declared_type(field: FieldInfo) -> Any:
    """Return the type of a key as declared, including the metadata that pydantic stores separately."""
    return Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation


def _has_mark(annotation: Any, mark: str) -> bool:
    """Return whether a type, or a type inside it, has a mark. Blocks inside it are ignored."""
    return mark in getattr(annotation, "__metadata__", ()) or any(
        _has_mark(part, mark) for part in get_args(annotation)
    )


def is_named(block: type[Block]) -> bool:
    """Return whether each entry of a block has a name. Default: the key of the entry."""
    name = block.model_fields.get("name")
    return name is not None and name.is_required()


def marked(block: type[Block], mark: str) -> list[str]:
    """Return the keys of a block that have a mark, such as TENANT_ROLES."""
    return [name for name, field in block.model_fields.items() if mark in field.metadata]
