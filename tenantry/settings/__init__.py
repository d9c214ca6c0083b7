"""The settings of a stack: one file per customer, product plans, and the checks of both.

The import of this package is cheap: it loads pydantic on the first call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenantry.settings.errors import Problem, SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from tenantry.settings.models import Settings

__all__ = ["Problem", "SettingsError", "check_plan", "current_settings", "load", "load_file"]


def current_settings() -> Settings:
    """Return the checked settings of the stack that Pulumi is running.

    Raises pulumi.RunError with every problem of the stack file and its plan. Pulumi shows only its text.
    """
    from tenantry.settings import current as engine

    return engine.current_settings()


def load(config: Mapping[str, Any], *, stack: str, directory: Path) -> Settings:
    """Return the checked settings from `config`, the values that Pulumi's engine passes to the program.

    `config` has the keys `qlik:region`, `qlik:source_tenant` and `tenantry:customer`. `directory` is the
    folder with the stack files and `plans/`. The file of `stack` there supplies only line numbers, and can be
    missing. Raises SettingsError with all problems.
    """
    from tenantry.settings import loading as settings

    return settings.load(config, stack=stack, directory=directory)


def load_file(path: Path) -> Settings:
    """Return the checked settings of one stack file, exactly as the engine would pass them to the program.

    `path` is a `Pulumi.<stack>.yaml`. Plans are in `plans/` beside it. Raises SettingsError.
    """
    from tenantry.settings import loading as settings

    return settings.load_file(path)


def check_plan(path: Path) -> None:
    """Check one plan file by itself. Keys that a customer's file can still add are not required.

    Raises SettingsError with all problems.
    """
    from tenantry.settings import loading as settings

    settings.check_plan(path)
