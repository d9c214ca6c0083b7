"""Provider processes that are kept from one preview to the next, see `provider_process`."""

from __future__ import annotations

import atexit
import os
import select
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tenantry.pulumi_internals.attaching import attached_to
from tenantry.pulumi_internals.environment import PYTHON_COMMAND

SECONDS_TO_START = 20.0
COLD_VARIABLE = "TENANTRY_COLD"
"""If this variable is set, every preview starts its own provider."""

_idle: list[KeptProvider] = []
_lock = threading.Lock()


@dataclass(frozen=True)
class KeptProvider:
    """A provider process of the project in the folder `root`, and its port."""

    root: Path
    process: subprocess.Popen[bytes]
    port: str


@contextmanager
def provider(root: Path) -> Iterator[Mapping[str, str]]:
    """Yield the environment that makes a preview use a kept provider that is free.

    If there is no such provider, the result is empty, and the engine starts its own provider.
    """
    kept_provider = (
        None
        if os.environ.get(COLD_VARIABLE) or os.environ.get(PYTHON_COMMAND)
        else _take(root) or _start(root)
    )
    if kept_provider is None:
        yield {}
        return
    try:
        yield attached_to(kept_provider.port)
    finally:
        if kept_provider.process.poll() is None:
            with _lock:
                _idle.append(kept_provider)


def _take(root: Path) -> KeptProvider | None:
    with _lock:
        kept_provider = next(
            (idle for idle in _idle if idle.root == root and idle.process.poll() is None), None
        )
        if kept_provider:
            _idle.remove(kept_provider)
    return kept_provider


def _start(root: Path) -> KeptProvider | None:
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "tenantry.fleet.warm.provider_process"],
        cwd=root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert process.stdout is not None  # noqa: S101 (for the type checker)
    ready, _, _ = select.select([process.stdout], [], [], SECONDS_TO_START)
    port = process.stdout.readline().decode().strip() if ready else ""
    if port.isdigit():
        return KeptProvider(root, process, port)
    process.kill()
    process.communicate()
    return None


@atexit.register
def close() -> None:
    """End the kept processes."""
    with _lock:
        while _idle:
            _idle.pop().process.communicate()
