"""The secrets of a stack that a block names with keys of type `SecretName`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args, get_origin

from tenantry.settings.document import Keys
from tenantry.settings.models.block import Block, declared_type
from tenantry.settings.values import SECRET, SECRET_NAME


def named_secrets(model: type[Block], value: Any, keys: Keys = ()) -> Iterator[tuple[Keys, str]]:
    """Yield each name of a secret in the raw value of a block, with the keys under which it is written.

    `keys` is the path of the block. It skips invalid values, because the validation reports them.
    """
    if isinstance(value, dict):
        for key, field in model.model_fields.items():
            if key in value:
                yield from _inside(declared_type(field), value[key], (*keys, key))


def _inside(annotation: Any, value: Any, keys: Keys) -> Iterator[tuple[Keys, str]]:
    parts = get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Block):
        yield from named_secrets(annotation, value, keys)
    elif SECRET in getattr(annotation, "__metadata__", ()):
        if isinstance(value, str) and SECRET_NAME.fullmatch(value):
            yield keys, value
    elif get_origin(annotation) is dict:
        for key, item in value.items() if isinstance(value, dict) else ():
            yield from _inside(parts[1], item, (*keys, key))
    else:
        for part in parts:
            yield from _inside(part, value, keys)
