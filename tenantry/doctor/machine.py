"""What depends on the machine alone: the proxy, and the folders that commands write to."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tenantry.checks.findings import Finding
from tenantry.providers.qlik import folders
from tenantry.settings.project import Project
from tenantry.state.backend import redacted

PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "grpc_proxy")
GRPC_PROXIES = ("grpc_proxy", "https_proxy", "http_proxy")
"""Those that gRPC heeds, also on the way to this very machine."""

NO_PROXY = ("NO_PROXY", "no_proxy")
LOOPBACK = "127.0.0.1"
LEAST_BYTES = 500 << 20


def proxy() -> Finding:
    """Tell which proxy requests go through.

    Pulumi's processes talk to each other over gRPC on the loopback, which must not go through one.
    """
    used = {name: os.environ[name] for name in PROXIES if os.environ.get(name)}
    if not used:
        return Finding("ok", "proxy", "none is set")
    shown = ", ".join(f"{name}={redacted(value)}" for name, value in used.items())
    excepted = [each.strip() for name in NO_PROXY for each in os.environ.get(name, "").split(",")]
    if any(name in used for name in GRPC_PROXIES) and not {"*", LOOPBACK}.intersection(excepted):
        return Finding(
            "error",
            "proxy",
            f"{shown}, and NO_PROXY lacks {LOOPBACK}: Pulumi's own processes cannot reach each other. "
            f"Set NO_PROXY={LOOPBACK},localhost.",
        )
    return Finding("ok", "proxy", shown)


def written_folders(project: Project | None) -> Iterator[Finding]:
    """Yield whether each folder that commands write to can be written to, and whether the disk has room."""
    wanted = {
        "exported templates": folders.cache(),
        "notes and runs": folders.state(),
        "Pulumi's settings": Path(os.path.expanduser(os.environ.get("PULUMI_HOME") or "~/.pulumi")),
        "temporary files": Path(tempfile.gettempdir()),
    }
    if project:
        wanted["stack files"] = project.stacks
    for what, folder in wanted.items():
        yield _folder(what, folder)


def _folder(what: str, folder: Path) -> Finding:
    there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
        free = shutil.disk_usage(there).free
    except OSError as error:
        return Finding(
            "error",
            "folders",
            f"{what}: {folder} cannot be written: {error.strerror}. Change its mode.",
        )
    if free < LEAST_BYTES:
        return Finding("warning", "folders", f"{what}: {folder} has only {free >> 20} MB left")
    return Finding("ok", "folders", f"{what}: {folder}")
