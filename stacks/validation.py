"""Everything that is wrong with values, at once: what pydantic finds, and what the rules find in the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from stacks.document import Keys
from stacks.errors import Problem
from stacks.messages import keys_of, text_of
from stacks.models import SALVAGE, Block
from stacks.rules import Complaint
from stacks.sources import Sources

Model = TypeVar("Model", bound=Block)

_ONLY_IN_STACK_FILE = 2
"""Down to this depth (`qlik:region`, `customer.name`) no plan can supply what is missing."""


def validate(
    model: type[Model],
    values: object,
    rules: Callable[[Model], Iterable[Complaint]],
    sources: Sources,
    *,
    root: Keys = (),
    whole: bool = True,
) -> tuple[Model, list[Problem]]:
    """Return the model made of `values` and its problems; if there are any, it is only what could be read.

    `root` is where `values` are in the keys of `sources`. When not `whole`, something may still be added to
    them: then it is no problem that something is missing which a plan may supply.
    """
    errors: list[ErrorDetails] = []
    try:
        checked = model.model_validate(values)
    except ValidationError as failure:
        errors = failure.errors(include_url=False)
        checked = model.model_validate(values, context=SALVAGE)
    problems = [
        sources.problem(
            (*root, *keys_of(error)), text_of(error, model, sources.written((*root, *keys_of(error))))
        )
        for error in errors
        if whole or error["type"] != "missing" or len(root + keys_of(error)) <= _ONLY_IN_STACK_FILE
    ]
    broken = {keys_of(error) for error in errors}
    problems += [
        sources.problem((*root, *complaint.keys), complaint.text, complaint.item)
        for complaint in rules(checked)
        if (whole or not complaint.incomplete) and not _misled(complaint, broken)
    ]
    return checked, problems


def _misled(complaint: Complaint, broken: set[Keys]) -> bool:
    around = {complaint.keys[:end] for end in range(1, len(complaint.keys) + 1)}
    return bool(broken & (around | {complaint.unless}))
