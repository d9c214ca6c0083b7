"""Messages for pydantic's errors, in the terms of stack files."""

from __future__ import annotations

from typing import get_args, get_origin

from annotated_types import Ge, Le
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from tenantry.settings.document import Keys
from tenantry.settings.models.block import Block, block_of
from tenantry.settings.rules import choices
from tenantry.settings.values import show

_EXAMPLES = {
    "qlik:region": "qlik:region: eu",
    "qlik:source_tenant": "qlik:source_tenant: templates.eu.qlikcloud.com",
    "tenantry:customer": "tenantry:customer: {name: Globex, plan: standard}",
}


def keys_of(error: ErrorDetails) -> Keys:
    """Return the path of an error."""
    return tuple(error["loc"])


def text_of(error: ErrorDetails, model: type[Block], written: str | None) -> str:
    """Return the message for `error`. `written` is the scalar as written in the file, if known."""
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    keys = keys_of(error)
    block, field = field_at(model, keys)
    match kind:
        case "settings":
            return str(context["problem"])
        case "missing":
            return _missing(str(keys[-1]), field)
        case "extra_forbidden":
            return f"unknown key{choices(str(keys[-1]), names_of(block))}"
        case "string_type" if isinstance(value, (bool, int, float)):
            return _quote(str(keys[-1]), value, written)
        case "literal_error":
            return f"{show(value)} is not allowed{choices(str(value), get_choices(field))}"
        case "model_type" | "model_attributes_type" if requires_all_keys(block):
            return f"must be a mapping of {' and '.join(names_of(block))}, not {show(value)}"
        case "greater_than_equal" | "less_than_equal":
            return f"{show(value)} is out of range; allowed: {_range(field)}"
        case "too_short" | "string_too_short":
            return "cannot be empty; remove the key if you do not need it"
        case "too_long":
            return f"has {context['actual_length']} entries; allowed: at most {context['max_length']}"
    if expected := _SHAPES.get(kind):
        return f"must be {expected}, not {show(value)}"
    return f"{error['msg']}, not {show(value)}"


_SHAPES = {
    "bool_type": "true or false",
    "dict_type": "a mapping of keys",
    "int_type": "a whole number",
    "list_type": "a list, as in [consumer, publisher]",
    "model_attributes_type": "a mapping of keys",
    "model_type": "a mapping of keys",
    "string_type": "text",
}


def _missing(key: str, field: FieldInfo | None) -> str:
    if key in _EXAMPLES:
        return f"is missing; for example {_EXAMPLES[key]}"
    allowed = get_choices(field)
    return f"is missing; allowed: {', '.join(sorted(allowed))}" if allowed else "is missing"


def _quote(key: str, value: object, written: str | None) -> str:
    kind = "true or false" if isinstance(value, bool) else "a number"
    text = written or show(value)
    before = f"{text}0" if isinstance(value, float) else f"0{text}"
    where = (
        ""
        if isinstance(value, bool) or written
        else f"; if Pulumi rewrote the file, quote the original instead, such as {before}"
    )
    example = f'"{text}"' if key.isdigit() else f'{key}: "{text}"'
    return f"YAML reads {text} as {kind}; put it in quotes: {example}{where}"


def _range(field: FieldInfo | None) -> str:
    limits = [*_limits(field.annotation), *field.metadata] if field else []
    low = next((limit.ge for limit in limits if isinstance(limit, Ge)), "")
    high = next((limit.le for limit in limits if isinstance(limit, Le)), "")
    return f"{low} to {high}"


def _limits(annotation: object) -> list[object]:
    """Return the limits inside an annotation, for the values of a map or for an optional value."""
    if isinstance(annotation, FieldInfo):
        return annotation.metadata
    return [limit for part in get_args(annotation) for limit in _limits(part)]


def requires_all_keys(block: type[Block]) -> bool:
    """Return whether all keys of a block are required, so that a message can list them."""
    return all(field.is_required() for field in block.model_fields.values())


def names_of(block: type[Block]) -> list[str]:
    """Return the possible keys of a block, as written in a file."""
    return [field.alias or name for name, field in block.model_fields.items()]


def get_choices(field: FieldInfo | None) -> tuple[str, ...]:
    """Return the allowed values of a field; empty if it allows any."""
    options = get_args(field.annotation) if field else ()
    return options if options and all(isinstance(option, str) for option in options) else ()


def field_at(model: type[Block], keys: Keys) -> tuple[type[Block], FieldInfo | None]:
    """Return the block in which `keys` end, and the field there (None for an unknown key)."""
    block: type[Block] = model
    field = None
    steps = iter(keys)
    for step in steps:
        field = {known.alias or name: known for name, known in block.model_fields.items()}.get(str(step))
        inner = block_of(field.annotation) if field else None
        if field is None or inner is None:
            break
        block = inner
        if get_origin(field.annotation) is dict:
            next(steps, None)
    return block, field
