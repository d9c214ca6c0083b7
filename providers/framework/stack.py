"""The stack of a call, and the content of that stack's state.

The URN of the resource names the project and the stack. The backend comes from the same sources as in
`pulumi`: PULUMI_BACKEND_URL, Pulumi.yaml, or the login.
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
    """A stack: a digest of its backend's address, its project and its name. Empty outside the engine."""

    backend: str = ""
    project: str = ""
    name: str = ""


def current_stack() -> StackId:
    """Return the stack that the current call works for."""
    return stack_of(run.current().urn)


def stack_of(urn: str, root: Path | None = None) -> StackId:
    """Return the stack of a URN.

    `root` is the folder of the project, whose Pulumi.yaml may name the backend. The default is the working
    directory, as in a provider process.
    """
    parts = urn.split("::")
    if len(parts) < 3:
        return StackId()
    return StackId(backend_digest(str(root or Path.cwd())), parts[1], parts[0].rpartition(":")[2])


@cache
def backend_digest(root: str) -> str:
    """Return a digest of the backend's address, because the address may contain a password."""
    return hashlib.sha256(_backend(Path(root)).encode()).hexdigest()[:16]


def _backend(root: Path) -> str:
    return os.environ.get("PULUMI_BACKEND_URL") or _project_backend(root) or login() or ""


def _project_backend(root: Path) -> str:
    import yaml

    try:
        project = yaml.safe_load((root / "Pulumi.yaml").read_text("utf-8"))
        return str(project["backend"]["url"])
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
        return ""


def state_resources() -> list[dict[str, Any]]:
    """Return the resources in the current state of the stack, even while it is locked.

    The state is read once per run of the engine, and only for information that the engine does not pass to a
    provider. The list is empty outside the engine. Raises StateUnreadable.
    """
    stack = current_stack()
    if not stack.name:
        return []
    cached = run.current().state
    with run.current().state_lock:
        if not cached:
            cached.append(_export(stack.name))
        return cached[0]


def _export(stack: str) -> list[dict[str, Any]]:
    command = find_pulumi()
    if command is None:
        raise StateUnreadable(stack, "`pulumi` is not on PATH")
    try:
        process = subprocess.run(
            [command, "stack", "export", "--stack", stack, "--non-interactive"],
            env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=EXPORT_SECONDS,
            check=False,
        )
        resources = deployment.resources(json.loads(process.stdout))
    except subprocess.TimeoutExpired:
        raise StateUnreadable(stack, f"it took more than {EXPORT_SECONDS:g} s") from None
    except (OSError, ValueError, AttributeError):
        raise StateUnreadable(stack, "`pulumi stack export` failed") from None
    return [resource for resource in resources if isinstance(resource, dict)]


def holder(id: str, resource_type: str) -> str:
    """Return the URN of another resource of the type that manages the object `id`, or an empty string.

    Both the state and the actions of this run count. Resources of different types may share an object, for
    example a user who is also an administrator. Raises StateUnreadable.
    """
    current = run.current()
    return min(_holders(id, resource_type) - {current.urn}, default="")


def holds(id: str, resource_type: str) -> bool:
    """Tell whether a resource of the type in this stack, including the current one, manages the object `id`.

    Raises StateUnreadable.
    """
    return bool(_holders(id, resource_type))


def _holders(id: str, resource_type: str) -> set[str]:
    """Return the URNs of the resources of the type that manage an object, from this run and the state."""
    current = run.current()
    if not current.urn:
        return set()
    holders = current.holders.get(id, set()) | {
        str(resource.get("urn")) for resource in state_resources() if resource.get("id") == id
    }
    type_token = f"dynamic/qlik:{resource_type}::"
    return {urn for urn in holders if type_token in urn}
