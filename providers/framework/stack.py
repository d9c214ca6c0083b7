"""Which stack a call works for, and what the state of that stack holds.

The engine tells a provider the URN of the resource, which names project and stack. The backend comes from
where `pulumi` itself takes it: PULUMI_BACKEND_URL, Pulumi.yaml, or the login.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from tenantry.providers.framework import run
from tenantry.providers.framework.errors import StateUnreadable
from tenantry.pulumi_internals import deployment
from tenantry.pulumi_internals.commands import find_pulumi, login

EXPORT_SECONDS = 120.0


class StackId(NamedTuple):
    """A stack: a digest of its backend's address, its project and its name. All are empty outside the
    engine.
    """

    backend: str = ""
    project: str = ""
    name: str = ""


def current_stack() -> StackId:
    """Return the stack that the current call works for."""
    return stack_of(run.current().urn)


def stack_of(urn: str, root: Path | None = None) -> StackId:
    """Return the stack that a URN belongs to, in the backend of the project in the folder `root` (default:
    the working directory, as in a provider process).
    """
    parts = urn.split("::")
    if len(parts) < 3:
        return StackId()
    return StackId(backend_digest(str(root or Path.cwd())), parts[1], parts[0].rpartition(":")[2])


@cache
def backend_digest(root: str) -> str:
    """Return a digest of the backend's address: the address itself may hold a password."""
    return hashlib.sha256(_backend(Path(root)).encode()).hexdigest()[:16]


def _backend(root: Path) -> str:
    return os.environ.get("PULUMI_BACKEND_URL") or _of_project(root) or login() or ""


def _of_project(root: Path) -> str:
    import yaml

    try:
        project = yaml.safe_load((root / "Pulumi.yaml").read_text("utf-8"))
        return str(project["backend"]["url"])
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
        return ""


def state_resources() -> list[dict[str, Any]]:
    """Return the resources in the state of the current stack as of this moment, also while it is locked.

    Read once per run of the engine, and only where something must be known that the engine does not tell a
    provider. Empty outside the engine. Raises StateUnreadable.
    """
    stack = current_stack()
    if not stack.name:
        return []
    known = run.current().state
    with run.current().state_lock:
        if not known:
            known.append(_export(stack.name))
        return known[0]


def _export(stack: str) -> list[dict[str, Any]]:
    command = find_pulumi()
    if command is None:
        raise StateUnreadable(stack, "there is no `pulumi` on PATH")
    try:
        done = subprocess.run(
            [command, "stack", "export", "--stack", stack, "--non-interactive"],
            env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=EXPORT_SECONDS,
            check=False,
        )
        resources = deployment.resources(json.loads(done.stdout))
    except subprocess.TimeoutExpired:
        raise StateUnreadable(stack, f"no end after {EXPORT_SECONDS:g} s") from None
    except (OSError, ValueError, AttributeError):
        raise StateUnreadable(stack, "`pulumi stack export` failed") from None
    return [each for each in resources if isinstance(each, dict)]


def holder(id: str, kind: str) -> str:
    """Return the URN of another resource of that kind in this stack that holds the object `id`; nothing if
    there is none.

    What this run itself has done counts, and then the state. A resource of another kind may share an
    object: a user is also an administrator. Raises StateUnreadable.
    """
    current = run.current()
    return min(_holders(id, kind) - {current.urn}, default="")


def holds(id: str, kind: str) -> bool:
    """Tell whether a resource of that type in this stack, the current one included, has the object `id`.

    Raises StateUnreadable.
    """
    return bool(_holders(id, kind))


def _holders(id: str, kind: str) -> set[str]:
    """Return the URNs of the resources of a type that hold an object: of this run, and of the state."""
    current = run.current()
    if not current.urn:
        return set()
    holders = current.holders.get(id, set()) | {
        str(each.get("urn")) for each in state_resources() if each.get("id") == id
    }
    ours = f"dynamic/qlik:{kind}::"
    return {urn for urn in holders if ours in urn}
