"""The settings of the stack that Pulumi is running, from its configuration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.runtime import is_config_secret

from stacks.errors import SettingsError

if TYPE_CHECKING:
    from stacks.models import Settings


def current_settings() -> Settings:
    """See stacks.current_settings."""
    from stacks import settings

    stack, directory = pulumi.get_stack(), stack_directory(Path(pulumi.get_root_directory()))
    try:
        if is_config_secret(settings.CUSTOMER):
            raise settings.secret_problem(stack, directory)
        config = {key: _value(key) for key in settings.KNOWN}
        return settings.load(
            {k: v for k, v in config.items() if v is not None}, stack=stack, directory=directory
        )
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None


def stack_directory(root: Path) -> Path:
    """Return the folder with the stack files of the project in `root`: `stackConfigDir` of its Pulumi.yaml."""
    import yaml

    for name in ("Pulumi.yaml", "Pulumi.yml"):
        if (root / name).is_file():
            project = yaml.safe_load((root / name).read_text(encoding="utf-8"))
            return root / str(project.get("stackConfigDir") or "")
    return root


def _value(key: str) -> Any:
    """Return one value as the engine hands it over: mappings and lists come as JSON, all else as text."""
    namespace, name = key.split(":")
    text = pulumi.Config(namespace).get(name)
    try:
        value = json.loads(text) if text else None
    except json.JSONDecodeError:
        return text
    return value if isinstance(value, (dict, list)) else text
