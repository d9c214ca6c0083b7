"""All problems of values: the errors from pydantic, and the violations of the rules about the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from tenantry.settings.document import Keys
from tenantry.settings.errors import Problem
from tenantry.settings.messages import keys_of, text_of
from tenantry.settings.models.block import Block, block_of
from tenantry.settings.sources import Sources
from tenantry.settings.violations import Violation

Model = TypeVar("Model", bound=Block)

_ONLY_IN_STACK_FILE = 2
"""Down to this depth (`qlik:region`, `customer.name`) no plan can supply what is missing."""


def validate(
    model: type[Model],
    values: object,
    rules: Callable[[Model], Iterable[Violation]],
    sources: Sources,
    *,
    root: Keys = (),
    is_complete: bool = True,
) -> tuple[Model, list[Problem]]:
    """Return the model of `values` and its problems. With problems, the model has only the readable values.

    `root` is the path of `values` in the keys of `sources`. If `is_complete` is false, another file can still
    add keys, so missing keys that a plan can supply are not problems.
    """
    errors: list[ErrorDetails] = []
    try:
        checked = model.model_validate(values)
    except ValidationError as failure:
        errors = failure.errors(include_url=False)
        checked = salvage(model, values, {keys_of(error) for error in errors})
    problems = [
        sources.problem(
            (*root, *keys_of(error)), text_of(error, model, sources.written((*root, *keys_of(error))))
        )
        for error in errors
        if is_complete or error["type"] != "missing" or len(root + keys_of(error)) <= _ONLY_IN_STACK_FILE
    ]
    broken = {keys_of(error) for error in errors}
    problems += [
        sources.problem((*root, *violation.keys), violation.text, violation.item)
        for violation in rules(checked)
        if (is_complete or not violation.incomplete) and not _is_misleading(violation, broken)
    ]
    return checked, problems


def salvage(model: type[Model], values: object, broken: set[Keys], at: Keys = ()) -> Model:
    """Return the readable part of `values` for the rules. `broken` are the paths of errors.

    An invalid or missing value is None, or empty if it is a list or mapping. Nothing is converted.
    """
    mapping = values if isinstance(values, dict) else {}
    sound = {}
    for name, field in model.model_fields.items():
        key = field.alias or name
        sound[name] = _sound(field, mapping.get(key), broken, (*at, key))
    return model.model_construct(**sound)


def _sound(field: FieldInfo, value: Any, broken: set[Keys], at: Keys) -> Any:
    inner = block_of(field.annotation)
    if inner and isinstance(value, dict) and get_origin(field.annotation) is dict:
        return {key: salvage(inner, entry, broken, (*at, key)) for key, entry in value.items()}
    if inner and (isinstance(value, dict) or field.is_required()):
        return salvage(inner, value, broken, at)
    if value is None or at in broken:
        # An invalid word gets no default, because rules that depend on it cannot decide.
        absent = value is None and at not in broken and not field.is_required()
        return field.get_default(call_default_factory=True) if absent or field.default_factory else None
    if isinstance(value, dict):
        return {
            key: _sound_items(item, broken, (*at, key))
            if isinstance(item, list) or (*at, key) in broken
            else item
            for key, item in value.items()
        }
    return _sound_items(value, broken, at) if isinstance(value, list) else value


def _sound_items(value: Any, broken: set[Keys], at: Keys) -> list[Any]:
    items = value if isinstance(value, list) else []
    return [item for index, item in enumerate(items) if (*at, index) not in broken]


def _is_misleading(violation: Violation, broken: set[Keys]) -> bool:
    around = {violation.keys[:end] for end in range(1, len(violation.keys) + 1)}
    return bool(broken & (around | {violation.unless}))
