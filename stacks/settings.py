"""From configuration values to settings: read the plan, merge, validate, and tell every problem at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from stacks.document import Document, Keys, path_text, read, shown
from stacks.errors import Problem, SettingsError
from stacks.merge import complete, merge, removals
from stacks.messages import names_of
from stacks.models import Plan, Settings
from stacks.project import Project
from stacks.rules import choices, customer_rules, nearest, settings_rules
from stacks.sources import CUSTOMER, Source, Sources
from stacks.validation import validate
from stacks.values import show

KNOWN = tuple(names_of(Settings))
"""The keys of a stack's configuration that are read."""

_OF_PLANS = tuple(names_of(Plan))
_OURS = ("qlik:", "tenantry:")
_KEYS_OF_THEIR_OWN = "tenantry:secrets_"
_ENCRYPTED = (
    "an encrypted value here would lie in the state in plain text; "
    f"keep it in a key of its own, {_KEYS_OF_THEIR_OWN}<name>"
)


def load(config: Mapping[str, Any], *, stack: str, directory: Path) -> Settings:
    """See stacks.load."""
    return _load(config, stack, directory, _read_if_there(stack_file(stack, directory)))


def load_file(path: Path) -> Settings:
    """See stacks.load_file."""
    stack = path.name.removeprefix("Pulumi.").removesuffix(path.suffix)
    document = _read_or_tell(path, f"stack {stack}")
    project = Project.of(path) or Project("tenantry", path.parent)
    return _load(project.values_of(_config_of(document)), stack, path.parent, document)


def check_plan(path: Path) -> None:
    """See stacks.check_plan."""
    subject = f"plan {path.stem}"
    document = _read_or_tell(path, subject)
    plan = _plan_source(document)
    problems = [*document.problems, *_not_of_a_plan(document)]
    if isinstance(plan.values, dict):
        rules = partial(customer_rules, removed=frozenset())
        sources = Sources(plan, plan)
        problems += validate(Plan, complete(plan.values), rules, sources, root=(CUSTOMER,), whole=False)[1]
    if problems:
        raise SettingsError(subject, problems)


def stack_file(stack: str, directory: Path) -> Path:
    """Return the path of a stack's file, as Pulumi names it."""
    return directory / f"Pulumi.{stack}.yaml"


def plan_names(directory: Path) -> list[str]:
    """Return the names of the plans that there are, sorted."""
    return sorted(path.stem for path in (directory / "plans").glob("*.yaml"))


def secret_error(stack: str, directory: Path) -> SettingsError:
    """Return the error for a customer block with encrypted values; it says nothing of what they hold."""
    path = stack_file(stack, directory)
    found = list(_encrypted(_read_if_there(path)))
    return SettingsError(f"stack {stack}", found or [Problem(shown(path), 0, "customer", _ENCRYPTED)])


def _load(config: Mapping[str, Any], stack: str, directory: Path, document: Document) -> Settings:
    values = {key: config[key] for key in KNOWN if config.get(key) not in (None, "")}
    written = Project("tenantry", directory).values_of(_config_of(document))
    # Another file (`--config-file`), or one edited meanwhile, would give wrong lines: then rather none.
    same = document.readable and all(config.get(key) == written[key] for key in KNOWN if key in written)
    source = Source(document.name, values, ("config",), document if same else None)
    problems = [*document.problems, *_unknown(document), *_encrypted(document)] if same else []

    customer = values.get(CUSTOMER)
    plan, plan_problems = _plan_of(customer, directory, Sources(source))
    sources = Sources(source, plan)
    below = plan.values if plan else {}
    gone = dict(removals(below, customer))
    if plan:
        not_there = [keys for keys, in_plan in gone.items() if not in_plan]
        problems += [_nothing_to_remove(keys, plan, sources) for keys in not_there]
    if CUSTOMER in values:
        values = {**values, CUSTOMER: complete(merge(below, customer))}
    rules = partial(settings_rules, removed=frozenset(keys for keys, in_plan in gone.items() if in_plan))
    # Without the plan that it names, much of a customer would only seem to be missing.
    settings, found = validate(Settings, values, rules, sources, whole=not plan_problems)
    problems += plan_problems + found
    if problems:
        raise SettingsError(f"stack {stack}", problems)
    return settings


def _plan_of(customer: Any, directory: Path, sources: Sources) -> tuple[Source | None, list[Problem]]:
    """Return the plan that a customer names, and what keeps it from being used."""
    name = customer.get("plan") if isinstance(customer, dict) else None
    if not isinstance(name, str) or not name:
        return None, []
    names = plan_names(directory)
    if name not in names:
        there = choices(name, names) if names else f"; no plan is in {shown(directory / 'plans')}"
        return None, [sources.problem((CUSTOMER, "plan"), f'there is no plan "{name}"{there}')]
    document = read(directory / "plans" / f"{name}.yaml")
    plan = _plan_source(document)
    problems = [*document.problems, *_not_of_a_plan(document)]
    return (plan if isinstance(plan.values, dict) else None), problems


def _plan_source(document: Document) -> Source:
    values = {} if document.value is None else document.value
    if isinstance(values, dict):
        values = {key: value for key, value in values.items() if key in _OF_PLANS}
    return Source(document.name, values, (), document, is_plan=True)


def _not_of_a_plan(document: Document) -> Iterator[Problem]:
    values = document.value
    if isinstance(values, dict):
        for key in values.keys() - set(_OF_PLANS):
            text = f"unknown key{choices(key, _OF_PLANS)}"
            yield Problem(document.name, document.line((key,)), key, text)
    elif values is not None:
        text = f"a plan is a mapping of {', '.join(_OF_PLANS)}, not {show(values)}"
        yield Problem(document.name, 1, "", text)


def _nothing_to_remove(keys: Keys, plan: Source, sources: Sources) -> Problem:
    block, key = map(str, keys)
    declared = plan.values.get(block)
    advice = nearest(key, declared or ()) or f"; for one with nothing but defaults write {key}: {{}}"
    text = f"an empty value removes what the plan has, but {plan.name} has no such key{advice}"
    return sources.problem((CUSTOMER, *keys), text)


def _unknown(document: Document) -> Iterator[Problem]:
    for key in _config_of(document):
        if key.startswith(_OURS) and key not in KNOWN and not key.startswith(_KEYS_OF_THEIR_OWN):
            yield Problem(
                document.name, document.line(("config", key)), key, f"unknown key{choices(key, KNOWN)}"
            )


def _encrypted(document: Document) -> Iterator[Problem]:
    for keys in _encrypted_keys(_config_of(document).get(CUSTOMER), ("config", CUSTOMER)):
        yield Problem(document.name, document.line(keys), path_text(keys), _ENCRYPTED)


def _encrypted_keys(value: Any, keys: Keys) -> Iterator[Keys]:
    if isinstance(value, dict) and set(value) == {"secure"} and isinstance(value["secure"], str):
        yield keys
    elif isinstance(value, (dict, list)):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _encrypted_keys(part, (*keys, key))


def _config_of(document: Document) -> dict[str, Any]:
    config = document.value.get("config") if isinstance(document.value, dict) else None
    return config if isinstance(config, dict) else {}


def _read_if_there(path: Path) -> Document:
    try:
        return read(path)
    except OSError:
        return Document(shown(path))


def _read_or_tell(path: Path, subject: str) -> Document:
    try:
        document = read(path)
    except OSError as error:
        raise SettingsError(
            subject, [Problem(shown(path), 0, "", f"cannot be read: {error.strerror}")]
        ) from None
    if not document.readable:
        raise SettingsError(subject, document.problems)
    return document
