"""What the files of a project must say for a stack to be compared without the engine."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tenantry.fleet.unchanged.doubt import must
from tenantry.fleet.unchanged.recorded import RecordedState, canonical
from tenantry.fleet.unchanged.secrets import Assumptions, as_secret, is_secret, stand_in
from tenantry.settings.document import read
from tenantry.settings.project import Project

SALT = "encryptionsalt"
SECURE = "secure"
REQUIRED = "requiredPulumiVersion"
PROJECT_KEYS = frozenset(
    (
        "name",
        "description",
        "runtime",
        "stackConfigDir",
        REQUIRED,
        "config",
        "author",
        "website",
        "license",
        "tags",
        "template",
    )
)
"""What a Pulumi.yaml may have. Anything else, such as `options` or `main`, may have the engine do more."""


def check_files(
    project: Project,
    stack_file: Path,
    recorded: RecordedState,
    cli: tuple[int, ...],
    assumptions: Assumptions,
) -> dict[str, Any]:
    """Return the configuration that the engine would pass to the program, with a stand-in for each secret.

    `cli` is the version of the Pulumi CLI. Raises Doubt unless the state has the same configuration. Whether
    a secret is the same becomes one of the `assumptions`.
    """
    assert project.file is not None  # noqa: S101 (a project that runs has its file)
    settings = _mapping(project.file)
    must(settings.keys() <= PROJECT_KEYS, "Pulumi.yaml has more than is known here")
    must(_is_new_enough(cli, settings.get(REQUIRED)), f"{REQUIRED} of Pulumi.yaml")
    written = _mapping(stack_file)
    must(written.keys() <= {"config", SALT}, "the stack file has more than a configuration")
    must(written.get(SALT) == recorded.salt, "the stack file has another salt than the state")
    wanted = project.values_of(written.get("config"))
    must(wanted.keys() == recorded.config.keys(), "the configuration has other keys")
    config: dict[str, Any] = {}
    for key, value in wanted.items():
        config[key] = held = recorded.config[key]
        if is_secret(held):
            must(
                isinstance(value, dict) and value.keys() == {SECURE}, f"{key} is no secret in the stack file"
            )
            config[key] = as_secret(stand_in(value[SECURE]))
            assumptions.assume(key, held, value[SECURE])
        else:
            must(_same(value, held), f"{key} is another one")
    return config


def _is_new_enough(cli: tuple[int, ...], required: object) -> bool:
    """Tell whether a CLI is what Pulumi.yaml asks for, as far as that is a lowest version alone."""
    if required is None:
        return True
    lowest = re.fullmatch(r">= ?(\d+)\.(\d+)\.(\d+)", str(required))
    return lowest is not None and cli >= tuple(map(int, lowest.groups()))


def _mapping(file: Path) -> dict[str, Any]:
    document = read(file)
    must(isinstance(document.value, dict) and not document.problems, f"{file.name} has problems")
    return dict(document.value)


def _same(value: Any, recorded: str) -> bool:
    """Tell whether a value of a file is what the engine handed over: JSON, or text if it is a scalar."""
    if not isinstance(value, (dict, list)):
        return bool(value == recorded)
    try:
        return canonical(value) == canonical(json.loads(recorded))
    except ValueError:
        return False
