"""The settings of a stack: one file per customer, product plans, and the checks that both must pass.

Importing this package costs next to nothing; pydantic is loaded when settings are asked for.
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

    Raises pulumi.RunError with every problem of the stack file and its plan; Pulumi shows its text and
    nothing else.
    """
    from tenantry.settings import current as engine

    return engine.current_settings()


def load(config: Mapping[str, Any], *, stack: str, directory: Path) -> Settings:
    """Return the checked settings made of `config`, the values as Pulumi's engine hands them over.

    `config` has the keys `qlik:region`, `qlik:source_tenant` and `tenantry:customer`. `directory` is the
    folder with the stack files and `plans/`; the file of `stack` there supplies nothing but line numbers,
    and may be missing.
    Raises SettingsError with every problem at once.
    """
    from tenantry.settings import loading as settings

    return settings.load(config, stack=stack, directory=directory)


def load_file(path: Path) -> Settings:
    """Return the checked settings of one stack file, exactly as the engine would hand them to the program.

    `path` is a `Pulumi.<stack>.yaml`; plans are looked for in `plans/` beside it. Raises SettingsError.
    """
    from tenantry.settings import loading as settings

    return settings.load_file(path)


def check_plan(path: Path) -> None:
    """Check one plan file on its own; what a customer's file may still add is not missed here.

    Raises SettingsError with every problem at once.
    """
    from tenantry.settings import loading as settings

    settings.check_plan(path)
