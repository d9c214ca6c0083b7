"""The conditions that the files of a project must meet for a comparison without the engine."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tenantry.fleet.unchanged.doubt import require
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
"""The allowed keys of a Pulumi.yaml. Others, such as `options` or `main`, may make the engine do more."""


def check_files(
    project: Project,
    stack_file: Path,
    recorded: RecordedState,
    cli: tuple[int, ...],
    assumptions: Assumptions,
) -> dict[str, Any]:
    """Return the configuration that the engine would pass to the program, with a stand-in for each secret.

    `cli` is the version of the Pulumi CLI. Raises Doubt unless the state has the same configuration. This
    adds to `assumptions` that each secret is the same.
    """
    assert project.file is not None  # noqa: S101 (a project in use has its file)
    settings = _mapping(project.file)
    require(settings.keys() <= PROJECT_KEYS, "Pulumi.yaml has an unknown key")
    require(_is_new_enough(cli, settings.get(REQUIRED)), f"{REQUIRED} of Pulumi.yaml")
    content = _mapping(stack_file)
    require(content.keys() <= {"config", SALT}, "the stack file has more than a configuration")
    require(content.get(SALT) == recorded.salt, "the salt of the stack file differs from the state's")
    file_config = project.values_of(content.get("config"))
    require(file_config.keys() == recorded.config.keys(), "the configuration has other keys")
    config: dict[str, Any] = {}
    for key, value in file_config.items():
        config[key] = recorded_value = recorded.config[key]
        if is_secret(recorded_value):
            require(
                isinstance(value, dict) and value.keys() == {SECURE},
                f"{key} is not a secret in the stack file",
            )
            config[key] = as_secret(stand_in(value[SECURE]))
            assumptions.assume(key, recorded_value, value[SECURE])
        else:
            require(_same(value, recorded_value), f"{key} differs")
    return config


def _is_new_enough(cli: tuple[int, ...], required: object) -> bool:
    """Tell whether a CLI meets the requirement of Pulumi.yaml. Only minimum versions can be met."""
    if required is None:
        return True
    lowest = re.fullmatch(r">= ?(\d+)\.(\d+)\.(\d+)", str(required))
    return lowest is not None and cli >= tuple(map(int, lowest.groups()))


def _mapping(file: Path) -> dict[str, Any]:
    document = read(file)
    require(isinstance(document.value, dict) and not document.problems, f"{file.name} has problems")
    return dict(document.value)


def _same(value: Any, recorded: str) -> bool:
    """Tell whether a value of a file equals the engine's value: JSON, or the text of a scalar."""
    if not isinstance(value, (dict, list)):
        return bool(value == recorded)
    try:
        return canonical(value) == canonical(json.loads(recorded))
    except ValueError:
        return False
