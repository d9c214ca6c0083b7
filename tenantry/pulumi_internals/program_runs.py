"""Runs the program of a project in this process, with objects of our own in the place of the engine.

Relies on: `pulumi.runtime.run_in_stack` runs a program, and `pulumi.runtime.settings.configure` takes any
objects as `monitor` and `engine`. The program calls their methods by the names of the gRPC services, with the
messages that the engine would get (pulumi/resource.proto, pulumi/engine.proto). `set_all_config` takes the
configuration as the engine hands it over.

Seen to hold: SDK 3.272.0.

When it breaks: no stack is found to be unchanged without the engine, and the engine looks at each.
"""

from __future__ import annotations

import asyncio
import runpy
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def run_program(
    root: Path,
    *,
    project: str,
    stack: str,
    config: Mapping[str, str],
    organisation: str,
    preview: bool,
    monitor: Any,
    engine: Any,
) -> None:
    """Run the program in the folder `root` as the engine would for a stack. Raises whatever it raises."""
    from pulumi.runtime import run_in_stack, set_all_config, settings

    settings.configure(
        settings.Settings(
            project=project,
            stack=stack,
            monitor=monitor,
            engine=engine,
            parallel=1,
            dry_run=preview,
            organization=organisation,
            root_directory=str(root),
        )
    )
    set_all_config(dict(config), [])
    sys.path.insert(0, str(root))

    async def program() -> None:
        runpy.run_path(str(root), run_name="__main__")

    asyncio.run(run_in_stack(program))
