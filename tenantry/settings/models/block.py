"""What all blocks of a stack file have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, get_args

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

from tenantry.settings.complaints import Complaint, same_names
from tenantry.settings.values import SECRET

IN_PLACE = "in place"
AT_CREATION = "read only at creation"
NEW_IMPORT = "imports the app again and republishes it; published apps keep their id"
NO_REQUEST = "no request to Qlik"
REFUSED = "refused: add a second entry"


TENANT_ROLES = "tenant roles"
"""Marks a key that holds names of roles of the tenant: `Annotated[list[Text], TENANT_ROLES]`."""


def key(default: Any = ..., *, about: str, change: str = IN_PLACE, **more: Any) -> Any:
    """Declare a key of a block: its default, what it does, and what a change of it means for what exists."""
    return Field(default, description=about, json_schema_extra={"x-change": change}, **more)


@dataclass(frozen=True)
class ResourceMapping:
    """What comes of a block, or of each entry of one. All that handles blocks alike reads it here.

    resource: the resource type, a class of `tenantry.providers`.
    noun: what messages and lists call one.
    identity: the keys whose values no two entries share. An import recognises an entry by them. If `name` is
        one of them, the check of the settings refuses what is there twice.
    properties: the properties of the resource whose names differ from those of the keys.
    no_inputs: keys that the resource does not get. `renamed_from` never is one of its inputs. What a key
        that names a secret stands for (`SecretName`) is passed by `QlikCustomerTenant`.
    from_content: properties that are read from the files that a key names.
    from_stack: values of the stack as a whole that the resource takes, such as `source_tenant`.
    references: properties that refer to other resources, which `QlikCustomerTenant` knows.
    after: blocks whose resources are made before.
    created_in_order: whether the entries are made one after the other, in the order of their keys.
    output: whether the ids are an output of the stack, under the name of the block.
    only_if_any: whether that output is there only where the block has entries.
    has_own_code: whether `QlikCustomerTenant` has code of its own for it.
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
    """A mapping of known keys; every other key is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    mapping: ClassVar[ResourceMapping | None] = None
    """What comes of it, if it describes a resource."""

    @classmethod
    def rules(cls, block: str, entries: Mapping[str, Any]) -> Iterator[Complaint]:
        """Yield what is wrong with the entries of `block` that no entry shows by itself.

        A value that is broken is None here, and is told elsewhere.
        """
        if cls.mapping and "name" in cls.mapping.identity:
            yield from _same_names(cls.mapping, block, entries)

    @property
    def is_created_last(self) -> bool:
        """Whether the resource of an entry is made and changed after those of the other entries."""
        return False

    def given(self) -> dict[str, Any]:
        """Return the properties of the resource that this says anything of.

        A switch that is off unless it is set, such as `adopt`, says something only where it is on.
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
        """Return the keys that the resource gets, and the properties that they are there."""
        if cls.mapping is None:
            return {}
        left_out = ("renamed_from", *cls.mapping.no_inputs, *cls.secrets())
        keys = (name for name in cls.model_fields if name not in left_out)
        return {name: cls.mapping.properties.get(name, name) for name in keys}

    @classmethod
    def secrets(cls) -> dict[str, str]:
        """Return the keys that name secrets of the stack, and the properties that get their values.

        Such a key is a `SecretName`, or a mapping of them.
        """
        properties = cls.mapping.properties if cls.mapping else {}
        fields = cls.model_fields.items()
        return {name: properties.get(name, name) for name, field in fields if _has_mark(typed(field), SECRET)}


def _same_names(mapping: ResourceMapping, block: str, entries: Mapping[str, Any]) -> Iterator[Complaint]:
    scope = next((name for name in mapping.identity if name != "name"), None)
    named = (
        (key, (block, key), entry.name, getattr(entry, scope) if scope else "")
        for key, entry in entries.items()
        if None not in (getattr(entry, name) for name in mapping.identity)
    )
    yield from same_names(mapping.noun, f", also of {scope} {{}}" if scope else "", named)


def block_of(annotation: Any) -> type[Block] | None:
    """Return the block that an annotation is about: `Group` of `dict[str, Group]`; None if there is none."""
    if isinstance(annotation, type) and issubclass(annotation, Block):
        return annotation
    return next((block for part in get_args(annotation) if (block := block_of(part))), None)


def typed(field: FieldInfo) -> Any:
    """Return the type of a key as it was declared, with what pydantic keeps apart from it."""
    return Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation


def _has_mark(annotation: Any, mark: str) -> bool:
    """Tell whether a type, or a type inside it, bears a mark. Blocks inside it are not looked into."""
    return mark in getattr(annotation, "__metadata__", ()) or any(
        _has_mark(part, mark) for part in get_args(annotation)
    )


def is_named(block: type[Block]) -> bool:
    """Tell whether each entry of a block has a name, which is its key unless it says another."""
    name = block.model_fields.get("name")
    return name is not None and name.is_required()


def marked(block: type[Block], mark: str) -> list[str]:
    """Return the keys of a block that bear a mark, such as TENANT_ROLES."""
    return [name for name, field in block.model_fields.items() if mark in field.metadata]
