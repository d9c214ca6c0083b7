"""From configuration values to checked settings: read the plan, merge, validate, and tell every problem at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from stacks.document import Document, read, shown
from stacks.errors import Problem, SettingsError
from stacks.merge import complete, merge, removals
from stacks.messages import names_of
from stacks.models import Plan, Settings
from stacks.rules import choices, customer_rules, nearest, settings_rules
from stacks.scalars import as_text
from stacks.sources import CUSTOMER, Source, Sources
from stacks.validation import validate
from stacks.values import show

KNOWN = tuple(names_of(Settings))
_OURS = ("qlik:", "tenantry:")
_SECRETS = "tenantry:secrets_"
_SECRET_TEXT = "a secret in here would lie in the state in plain text; keep it in a key of its own: tenantry:secrets_<name>"


def load(config: Mapping[str, Any], *, stack: str, directory: Path) -> Settings:
    """See stacks.load."""
    path = stack_file(stack, directory)
    try:
        document = read(path)
    except OSError:
        document = Document(shown(path))
    return _load(config, stack, directory, document)


def load_file(path: Path) -> Settings:
    """See stacks.load_file."""
    stack = path.name.removeprefix("Pulumi.").removesuffix(path.suffix)
    document = _read_or_tell(path, f"stack {stack}")
    return _load(_config_of(document), stack, path.parent, document)


def check_plan(path: Path) -> None:
    """See stacks.check_plan."""
    subject = f"plan {path.stem}"
    source = _plan_source(_read_or_tell(path, subject))
    problems = _not_a_plan(source)
    if not problems:
        rules = partial(customer_rules, removed=frozenset())
        values = complete(source.values)
        problems = validate(Plan, values, rules, Sources(source, source), root=(CUSTOMER,), whole=False)[1]
    assert source.document
    problems += source.document.problems
    if problems:
        raise SettingsError(subject, problems)


def stack_file(stack: str, directory: Path) -> Path:
    """Return the path of a stack's file, as Pulumi names it."""
    return directory / f"Pulumi.{stack}.yaml"


def plan_names(directory: Path) -> list[str]:
    """Return the names of the plans that there are, sorted."""
    return sorted(path.stem for path in (directory / "plans").glob("*.yaml"))


def secret_problem(stack: str, directory: Path) -> SettingsError:
    """Return the error that says that the customer block holds a secret."""
    return SettingsError(
        f"stack {stack}", [Problem(shown(stack_file(stack, directory)), 0, "customer", _SECRET_TEXT)]
    )


def _load(config: Mapping[str, Any], stack: str, directory: Path, document: Document) -> Settings:
    values = {key: config[key] for key in KNOWN if config.get(key, "") != ""}
    written = {key: value for key, value in _config_of(document).items() if value != ""}
    # Another file (`--config-file`), or one edited meanwhile, would give wrong lines: then rather none.
    same = all(values.get(key) == value for key, value in written.items())
    source = Source(document.name, values, ("config",), document if same and document.readable else None)
    customer = values.get(CUSTOMER)
    plan, problems = _plan_of(customer, directory, Sources(source))
    if source.document:
        problems += [*document.problems, *_misplaced(document)]
    # Without its plan, much would seem to be missing.
    whole = not problems or plan is not None or not (isinstance(customer, dict) and customer.get("plan"))

    sources = Sources(source, plan)
    below = plan.values if plan else {}
    gone = dict(removals(below, customer))
    if plan:
        problems += [_nothing_to_remove(keys, sources) for keys, in_plan in gone.items() if not in_plan]
    merged = {
        key: complete(merge(below, value)) if key == CUSTOMER else value for key, value in values.items()
    }
    rules = partial(settings_rules, removed=frozenset(keys for keys, in_plan in gone.items() if in_plan))
    settings, found = validate(Settings, merged, rules, sources, whole=whole)
    if problems or found:
        raise SettingsError(f"stack {stack}", [*problems, *found])
    return settings


def _plan_of(customer: Any, directory: Path, sources: Sources) -> tuple[Source | None, list[Problem]]:
    name = customer.get("plan") if isinstance(customer, dict) else None
    if not isinstance(name, str) or not name:
        return None, []
    names = plan_names(directory)
    if name not in names:
        text = f'there is no plan "{name}"' + (
            choices(name, names) if names else f" in {shown(directory / 'plans')}"
        )
        return None, [sources.problem((CUSTOMER, "plan"), text)]
    document = read(directory / "plans" / f"{name}.yaml")
    source = _plan_source(document)
    problems = [*document.problems, *_not_a_plan(source)] if document.readable else document.problems
    return (source if isinstance(source.values, dict) and document.readable else None), problems


def _plan_source(document: Document) -> Source:
    values = {} if document.value is None else document.value
    return Source(document.name, values, (), document, is_plan=True)


def _not_a_plan(plan: Source) -> list[Problem]:
    if isinstance(plan.values, dict):
        return []
    return [
        Problem(
            plan.name, 1, "", f"a plan is a mapping of {', '.join(names_of(Plan))}, not {show(plan.values)}"
        )
    ]


def _nothing_to_remove(keys: Any, sources: Sources) -> Problem:
    block, key = keys
    assert sources.plan
    text = f'an empty value removes what the plan has, but {sources.plan.name} has no {block} "{key}"'
    near = nearest(key, sources.plan.values.get(block) or {})
    return sources.problem(
        (CUSTOMER, *keys), f"{text}{near or f'; for one with the defaults write {key}: {{}}'}"
    )


def _misplaced(document: Document) -> Iterator[Problem]:
    config = document.value.get("config") if isinstance(document.value, dict) else None
    for key in config if isinstance(config, dict) else ():
        if key.startswith(_OURS) and key not in KNOWN and not key.startswith(_SECRETS):
            yield Problem(
                document.name, document.line(("config", key)), key, f"unknown key{choices(key, KNOWN)}"
            )
    for keys in document.places:
        if keys[:2] == ("config", CUSTOMER) and keys[-1] == "secure":
            yield Problem(document.name, document.line(keys), "customer", _SECRET_TEXT)


def _config_of(document: Document) -> dict[str, Any]:
    """Return the settings in a stack file as the engine would hand them over: top-level scalars are text."""
    config = document.value.get("config") if isinstance(document.value, dict) else None
    return {
        key: value if isinstance(value, (dict, list)) else "" if value is None else as_text(value)
        for key, value in (config.items() if isinstance(config, dict) else ())
        if key in KNOWN
    }


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
