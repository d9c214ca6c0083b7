"""The parts of Pulumi.yaml that concern stack files: their folder, and values that all stacks share."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tenantry.settings.document import read
from tenantry.settings.scalars import as_text

STACK_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
"""The form of a stack name. It is a part of paths and an argument of commands."""

_FILES = ("Pulumi.yaml", "Pulumi.yml")


@dataclass(frozen=True)
class Project:
    """A Pulumi project: its name, the folder with its stack files, the values in its own `config:`, its file.

    `file` is the Pulumi.yaml, or None for a stand-in for a project. `runtime_options` are the options of its
    `runtime`. `has_plugins`: it names its own plugins or packages.
    """

    name: str
    stacks: Path
    config: dict[str, Any] = field(default_factory=dict)
    file: Path | None = None
    runtime_options: dict[str, Any] = field(default_factory=dict)
    has_plugins: bool = False

    @classmethod
    def at(cls, root: Path) -> Project | None:
        """Return the project whose Pulumi.yaml is in the folder `root`, if there is one."""
        path = next((root / name for name in _FILES if (root / name).is_file()), None)
        values = read(path).value if path else None
        if not isinstance(values, dict):
            return None
        name = str(values.get("name"))
        stacks = root / str(values.get("stackConfigDir") or "")
        runtime = values.get("runtime")
        options = runtime.get("options") if isinstance(runtime, dict) else None
        config = dict(_config(values.get("config"), name))
        has_plugins = any(values.get(key) for key in ("packages", "plugins"))
        return cls(name, stacks, config, path, options if isinstance(options, dict) else {}, has_plugins)

    @classmethod
    def of(cls, stack_file: Path) -> Project | None:
        """Return the project that a stack file belongs to: the nearest one around it."""
        around = map(cls.at, stack_file.absolute().parents)
        return next((project for project in around if project), None)

    @property
    def environment(self) -> Path | None:
        """The virtual environment that Pulumi.yaml names for the program; None if it names none."""
        named = self.runtime_options.get("virtualenv")
        return self.file.parent.absolute() / str(named) if self.file and named else None

    def interpreter_problem(self) -> str:
        """Return the error if this process does not run in the virtual environment of the project, else "".

        The program, the provider process and the commands need the same environment. Otherwise they could
        have different versions.
        """
        environment = self.environment
        if environment is None or os.path.realpath(environment) == os.path.realpath(sys.prefix):
            return ""
        named = f"Pulumi.yaml names {environment} as `virtualenv`"
        if not (environment / "bin" / "python").exists():
            return (
                f"{named}, which is not a Python environment. Create it with `python3 -m venv "
                f"{environment}`, and install the requirements of pyproject.toml there."
            )
        return (
            f"{named}, but this command runs in {sys.prefix}. Run {environment / 'bin' / 'tenantry'} instead."
        )

    def stack_files(self) -> dict[str, Path]:
        """Return the files of all stacks, by stack name, in the order of names."""
        files = sorted(self.stacks.glob("Pulumi.*.yaml"))
        return {file.name.removeprefix("Pulumi.").removesuffix(".yaml"): file for file in files}

    def values_of(self, stack_config: Any) -> dict[str, Any]:
        """Return the configuration that the engine derives from a stack's `config:` in this project."""
        return {**self.config, **dict(_values(stack_config, self.name))}


def _config(config: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield the values that a project declares: `key: value`, `key: {value: …}` or `key: {default: …}`."""
    for key, declared in _values(config, name):
        if not isinstance(declared, dict):
            yield key, declared
        for word in ("value", "default"):
            if isinstance(declared, dict) and declared.get(word) is not None:
                yield key, as_config(declared[word])
                break


def _values(config: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield keys with their namespace (default: the project), and values as the engine passes them."""
    for key, value in config.items() if isinstance(config, dict) else ():
        yield key if ":" in key else f"{name}:{key}", as_config(value)


def as_config(value: Any) -> Any:
    """Return one value of a `config:` as the engine passes it: everything but mappings and lists is text."""
    if isinstance(value, (dict, list)):
        return value
    return "" if value is None else as_text(value)
