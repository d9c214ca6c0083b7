"""The settings of the stack that Pulumi is running, from its configuration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi

from tenantry.garbage import paused_collection
from tenantry.pulumi_internals.config_values import is_secret
from tenantry.settings.errors import SettingsError
from tenantry.settings.project import Project
from tenantry.settings.sources import CUSTOMER

if TYPE_CHECKING:
    from tenantry.settings.models import Settings


def current_settings() -> Settings:
    """See tenantry.settings.current_settings."""
    with paused_collection():
        return _settings()


def _settings() -> Settings:
    from tenantry.settings import loading

    root = Path(pulumi.get_root_directory())
    project = Project.at(root)
    stack, directory = pulumi.get_stack(), project.stacks if project else root
    try:
        if is_secret(CUSTOMER):
            raise loading.secret_error(stack, directory)
        config = {key: _value(key) for key in loading.KNOWN}
        return loading.load(config, stack=stack, directory=directory)
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None


def _value(key: str) -> Any:
    """Return one value. The engine passes mappings and lists as JSON, and everything else as text."""
    namespace, name = key.split(":")
    text = pulumi.Config(namespace).get(name) or ""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, (dict, list)) else text
