"""Plans: the files in `plans/` beside the stack files. A plan can extend another plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenantry.settings.document import Document, Keys, display_path, read
from tenantry.settings.errors import Problem
from tenantry.settings.merge import merge, removals
from tenantry.settings.messages import names_of
from tenantry.settings.models import Content, Plan
from tenantry.settings.rules import choices, nearest
from tenantry.settings.sources import CUSTOMER, Source, Sources
from tenantry.settings.values import show

EXTENDS = "extends"

_PLAN_KEYS = tuple(names_of(Plan))
_CONTENT = frozenset(names_of(Content))


@dataclass(frozen=True)
class Chain:
    """A plan and all plans that it extends, nearest first, and the problems of their files.

    `broken`: a named plan does not exist, so keys can seem to be missing.
    """

    plans: tuple[Source, ...] = ()
    problems: tuple[Problem, ...] = ()
    broken: bool = False


@dataclass(frozen=True)
class Merged:
    """Merged layers: the values, the removed entries with who removed them, and the problems."""

    values: Any
    removed: dict[Keys, str]
    problems: list[Problem]


def plan_names(directory: Path) -> list[str]:
    """Return the names of the plans in a folder of stack files, sorted."""
    return sorted(path.stem for path in (directory / "plans").glob("*.yaml"))


def missing_plan(name: str, directory: Path) -> str | None:
    """Return the error if no plan has that name, else None."""
    names = plan_names(directory)
    if name in names:
        return None
    there = choices(name, names) if names else f"; {display_path(directory / 'plans')} contains no plan"
    return f'there is no plan "{name}"{there}'


def read_chain(path: Path) -> Chain:
    """Return the plan in `path` with all plans that it extends. Raises OSError if it cannot be read."""
    plans: list[Source] = []
    problems: list[Problem] = []
    seen: list[str] = []
    name: str | None = path.stem
    while name:
        seen.append(name)
        document = read(path.with_stem(name))
        problems += [*document.problems, *_unknown_keys(document)]
        plans += _source(document)
        name, wrong = _extended(document, seen, path.parent.parent)
        if wrong:
            problems.append(Problem(document.name, document.line((EXTENDS,)), EXTENDS, wrong))
            return Chain(tuple(plans), tuple(problems), broken=True)
    return Chain(tuple(plans), tuple(problems))


def merge_layers(layers: Sequence[Source], *, broken: bool = False) -> Merged:
    """Return a customer or plan merged over the plans below it. `layers` has the highest priority first.

    `broken`: a layer is missing, and may have contained the entries that are removed.
    """
    values: Any = {}
    removed: dict[Keys, str] = {}
    problems: list[Problem] = []
    for index in range(len(layers) - 1, -1, -1):
        layer = layers[index]
        own = layer.values if layer.is_plan else layer.values.get(CUSTOMER)
        for keys, was_there in removals(values, own):
            if was_there:
                removed[keys] = _title(layer)
            elif layer is not layers[-1] and not broken:
                problems.append(_nothing_to_remove(keys, values, layers[index:]))
        values = merge(values, own)
    return Merged(values, removed, problems)


def _title(layer: Source) -> str:
    return f'plan "{Path(layer.name).stem}"' if layer.is_plan else "the customer"


def _source(document: Document) -> list[Source]:
    values = {} if document.value is None else document.value
    if not isinstance(values, dict):
        return []
    content = {key: value for key, value in values.items() if key in _CONTENT}
    return [Source(document.name, content, (), document, is_plan=True)]


def _extended(document: Document, seen: list[str], directory: Path) -> tuple[str | None, str | None]:
    """Return the name of the plan that a plan extends, or the error."""
    name = document.value.get(EXTENDS) if isinstance(document.value, dict) else None
    if name is None:
        return None, None
    if not isinstance(name, str):
        return None, f"must be the name of a plan, in quotes if it looks like a number, not {show(name)}"
    if name in seen:
        circle = " -> ".join([*seen[seen.index(name) :], name])
        return None, f"plans extend each other in a circle: {circle}; remove one of these steps"
    wrong = missing_plan(name, directory)
    return (None, wrong) if wrong else (name, None)


def _unknown_keys(document: Document) -> Iterator[Problem]:
    values = document.value
    if isinstance(values, dict):
        for key in values.keys() - set(_PLAN_KEYS):
            text = f"unknown key{choices(key, _PLAN_KEYS)}"
            yield Problem(document.name, document.line((key,)), key, text)
    elif values is not None:
        text = f"a plan is a mapping of {', '.join(_PLAN_KEYS)}, not {show(values)}"
        yield Problem(document.name, 1, "", text)


def _nothing_to_remove(keys: Keys, below: Any, layers: Sequence[Source]) -> Problem:
    block, key = map(str, keys)
    declared = below.get(block) if isinstance(below, dict) else None
    advice = (
        nearest(key, declared if isinstance(declared, dict) else ())
        or f"; for an entry with only defaults, write {key}: {{}}"
    )
    others = ", and neither does any plan that it extends" if len(layers) > 2 else ""
    text = "an empty value removes what the plan has, but "
    text += f"{layers[1].name} does not have this key{others}{advice}"
    return Sources(tuple(layers)).problem((CUSTOMER, *keys), text)
