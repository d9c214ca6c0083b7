"""Loads settings: reads the plans, merges and validates the values, and reports all problems."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tenantry.errors import TenantryError
from tenantry.settings.document import Document, Keys, display_path, path_text, read
from tenantry.settings.errors import Problem, SettingsError
from tenantry.settings.merge import complete
from tenantry.settings.messages import names_of
from tenantry.settings.models import Content, Customer, Settings
from tenantry.settings.named_files import locate_files
from tenantry.settings.pem_files import with_pem_files
from tenantry.settings.plans import Chain, merge_layers, missing_plan, read_chain
from tenantry.settings.project import STACK_NAME, Project
from tenantry.settings.rules import choices, customer_rules, settings_rules
from tenantry.settings.secrets import named_secrets
from tenantry.settings.sources import CUSTOMER, Source, Sources
from tenantry.settings.validation import validate

KNOWN = tuple(names_of(Settings))
"""The keys of a stack's configuration that Tenantry reads."""

_OUR_NAMESPACES = ("qlik:", "tenantry:")
SECRETS_PREFIX = "tenantry:secrets_"
_ENCRYPTED = (
    "an encrypted value here would be in the state in plain text; keep it in its own key, "
    f"{SECRETS_PREFIX}<name>"
)


@dataclass(frozen=True)
class Resolved:
    """The settings of a stack, the merged values behind them, and the place of each value."""

    settings: Settings
    values: Mapping[str, Any]
    sources: Sources


def load(config: Mapping[str, Any], *, stack: str, directory: Path) -> Settings:
    """See tenantry.settings.load."""
    path = stack_file(stack, directory)
    with unexpected_errors_as_problems(f"stack {stack}", path):
        return _load(config, stack, directory, _read_if_there(path)).settings


def load_file(path: Path) -> Settings:
    """See tenantry.settings.load_file."""
    return resolve(path).settings


def resolve(path: Path) -> Resolved:
    """Return the settings of one stack file, with their sources. Raises SettingsError."""
    stack = stack_of(path)
    with unexpected_errors_as_problems(f"stack {stack}", path):
        document = _read_or_fail(path, f"stack {stack}")
        project = Project.of(path) or Project("tenantry", path.parent)
        return _load(project.values_of(config_of(document)), stack, path.parent, document)


def check_plan(path: Path) -> None:
    """See tenantry.settings.check_plan."""
    with unexpected_errors_as_problems(f"plan {path.stem}", path):
        _check_plan(path, f"plan {path.stem}")


def _check_plan(path: Path, subject: str) -> None:
    _read_or_fail(path, subject)
    chain = read_chain(path)
    problems = list(chain.problems)
    if chain.plans:
        merged = merge_layers(chain.plans, broken=chain.broken)
        rules = partial(customer_rules, removed=merged.removed)
        sources = Sources(chain.plans)
        values, pem_problems = with_pem_files(complete(merged.values), sources, path.parent.parent)
        _, file_problems = locate_files(values, sources, path.parent.parent, is_complete=False)
        _, found = validate(Content, values, rules, sources, root=(CUSTOMER,), is_complete=False)
        problems += [*merged.problems, *pem_problems, *file_problems, *found]
    if problems:
        raise SettingsError(subject, problems)


@contextmanager
def unexpected_errors_as_problems(subject: str, path: Path) -> Iterator[None]:
    """Convert unexpected exceptions about the file `path` to a SettingsError about `subject`.

    One file must not stop a run over many, even if Tenantry has a bug. The text of the exception can quote
    the file, so the problem contains only its type and place.
    """
    try:
        yield
    except TenantryError:
        raise
    except Exception as error:
        code = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(code.filename).name}:{code.lineno}"
        text = (
            f"Tenantry cannot process this file ({type(error).__name__} in {where}). This is a bug in "
            "Tenantry. Undo your last change to the file, and report the bug, with the file if you can"
        )
        raise SettingsError(subject, [Problem(display_path(path), 0, "", text)]) from error


def stack_of(path: Path) -> str:
    """Return the name of the stack that a stack file describes."""
    return path.name.removeprefix("Pulumi.").removesuffix(path.suffix)


def stack_file(stack: str, directory: Path) -> Path:
    """Return the path of the file of a stack."""
    return directory / f"Pulumi.{stack}.yaml"


def secret_error(stack: str, directory: Path) -> SettingsError:
    """Return the error for a customer block with encrypted values. It does not contain the values."""
    path = stack_file(stack, directory)
    found = list(_encrypted(_read_if_there(path)))
    return SettingsError(f"stack {stack}", found or [Problem(display_path(path), 0, "customer", _ENCRYPTED)])


def _load(config: Mapping[str, Any], stack: str, directory: Path, document: Document) -> Resolved:
    values = {key: config[key] for key in KNOWN if config.get(key) not in (None, "")}
    written = Project("tenantry", directory).values_of(config_of(document))
    # If the values come from another file (`--config-file`), or the file has changed, show no line numbers.
    from_file = document.readable and all(config.get(key) == written[key] for key in KNOWN if key in written)
    source = Source(document.name, values, ("config",), document if from_file else None)
    problems = [*document.problems, *_unknown(document), *_encrypted(document)] if from_file else []
    if not STACK_NAME.fullmatch(stack):
        text = (
            f'"{stack}" is not a valid stack name; allowed: letters, digits and . _ - with a letter or digit '
            "first. Rename the file"
        )
        problems.append(Problem(document.name, 0, "", text))

    chain = _chain_of(values.get(CUSTOMER), directory, Sources((source,)))
    sources = Sources((source, *chain.plans))
    merged = merge_layers(sources.layers, broken=chain.broken)
    if CUSTOMER in values:
        values = {**values, CUSTOMER: complete(merged.values)}
    customer, pem_problems = with_pem_files(values.get(CUSTOMER), sources, directory)
    files, file_problems = locate_files(customer, sources, directory)
    rules = partial(settings_rules, removed=merged.removed)
    # If the named plan is missing, many keys would only seem to be missing.
    to_validate = {**values, CUSTOMER: customer} if CUSTOMER in values else values
    settings, found = validate(Settings, to_validate, rules, sources, is_complete=not chain.problems)
    problems += [*chain.problems, *merged.problems, *pem_problems, *file_problems, *found]
    if from_file:
        problems += _secrets(customer, written, sources)
    if problems:
        raise SettingsError(f"stack {stack}", problems)
    for (block, entry, key), file in files.items():
        getattr(settings.customer, block)[entry].locate(key, file)
    return Resolved(settings, values, sources)


def _chain_of(customer: Any, directory: Path, sources: Sources) -> Chain:
    """Return the plan of a customer with all plans that it extends, and their problems."""
    name = customer.get("plan") if isinstance(customer, dict) else None
    if not isinstance(name, str) or not name:
        return Chain()
    if wrong := missing_plan(name, directory):
        return Chain((), (sources.problem((CUSTOMER, "plan"), wrong),), broken=True)
    return read_chain(directory / "plans" / f"{name}.yaml")


def _unknown(document: Document) -> Iterator[Problem]:
    for key in config_of(document):
        if key.startswith(_OUR_NAMESPACES) and key not in KNOWN and not key.startswith(SECRETS_PREFIX):
            yield Problem(
                document.name, document.line(("config", key)), key, f"unknown key{choices(key, KNOWN)}"
            )


def _secrets(customer: Any, written: Mapping[str, Any], sources: Sources) -> Iterator[Problem]:
    """Yield a problem for each named secret that the stack does not have, or has in plain text."""
    for keys, name in named_secrets(Customer, customer):
        set_it = f"set it with `pulumi config set --secret {SECRETS_PREFIX}{name}`"
        value = written.get(f"{SECRETS_PREFIX}{name}")
        if value in (None, ""):
            text = f"this stack has no secret with this name; {set_it}"
            yield sources.problem((CUSTOMER, *keys), text)
        elif not (isinstance(value, dict) and set(value) == {"secure"}):
            text = f"the value of {SECRETS_PREFIX}{name} is not encrypted; {set_it}"
            yield sources.problem((CUSTOMER, *keys), text)


def _encrypted(document: Document) -> Iterator[Problem]:
    for keys in _encrypted_keys(config_of(document).get(CUSTOMER), ("config", CUSTOMER)):
        yield Problem(document.name, document.line(keys), path_text(keys), _ENCRYPTED)


def _encrypted_keys(value: Any, keys: Keys) -> Iterator[Keys]:
    if isinstance(value, dict) and set(value) == {"secure"} and isinstance(value["secure"], str):
        yield keys
    elif isinstance(value, (dict, list)):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _encrypted_keys(part, (*keys, key))


def config_of(document: Document) -> dict[str, Any]:
    """Return the mapping under `config:`."""
    config = document.value.get("config") if isinstance(document.value, dict) else None
    return config if isinstance(config, dict) else {}


def _read_if_there(path: Path) -> Document:
    try:
        return read(path)
    except OSError:
        return Document(display_path(path))


def _read_or_fail(path: Path, subject: str) -> Document:
    try:
        document = read(path)
    except OSError as error:
        raise SettingsError(
            subject, [Problem(display_path(path), 0, "", f"cannot be read: {error.strerror}")]
        ) from None
    if not document.readable:
        raise SettingsError(subject, document.problems)
    return document
