"""Checks of the machine: the proxy, and the folders that commands write to."""

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
"""The variables that gRPC uses, even for connections to this machine."""

NO_PROXY = ("NO_PROXY", "no_proxy")
LOOPBACK = "127.0.0.1"
MIN_FREE_BYTES = 500 << 20


def proxy() -> Finding:
    """Return which proxy requests use.

    Pulumi's processes use gRPC on the loopback interface, which must not go through a proxy.
    """
    used = {name: os.environ[name] for name in PROXIES if os.environ.get(name)}
    if not used:
        return Finding("ok", "proxy", "no proxy is set")
    shown = ", ".join(f"{name}={redacted(value)}" for name, value in used.items())
    excepted = [host.strip() for name in NO_PROXY for host in os.environ.get(name, "").split(",")]
    if any(name in used for name in GRPC_PROXIES) and not {"*", LOOPBACK}.intersection(excepted):
        return Finding(
            "error",
            "proxy",
            f"{shown}, but NO_PROXY lacks {LOOPBACK}, so Pulumi's processes cannot reach each other. "
            f"Set NO_PROXY={LOOPBACK},localhost.",
        )
    return Finding("ok", "proxy", shown)


def written_folders(project: Project | None) -> Iterator[Finding]:
    """Yield for each folder whether commands can write to it, and whether the disk has enough space."""
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
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
        free = shutil.disk_usage(existing).free
    except OSError as error:
        return Finding(
            "error",
            "folders",
            f"{what}: {folder} cannot be written: {error.strerror}. Change its permissions.",
        )
    if free < MIN_FREE_BYTES:
        return Finding("warning", "folders", f"{what}: {folder} has only {free >> 20} MB left")
    return Finding("ok", "folders", f"{what}: {folder}")
