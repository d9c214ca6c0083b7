"""The requirements for a worker, checked by the worker itself.

All workers of a run must have the same versions and the same backend. They use the credentials of their own
environment. This module reveals only whether there are credentials.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from tenantry.fleet.cluster.errors import ClusterUnusable
from tenantry.fleet.job import Job
from tenantry.providers.qlik.credentials import COMMAND, GENERAL
from tenantry.providers.qlik.settings import ENDPOINT
from tenantry.pulumi_internals.commands import find_pulumi
from tenantry.state.addresses import FILE, address_of, folder_of
from tenantry.state.backend import Backend, PulumiFailed, redacted

PASSPHRASES = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")

PROBE_PREFIX = "tenantry-run-"
"""The prefix of the file by which workers recognise the run's backend if it is a folder."""


def versions() -> dict[str, str]:
    """Return the versions that must be the same everywhere, by name."""
    return {
        "Tenantry": version("tenantry"),
        "Python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "Dask": version("distributed"),
    }


def version_differences(other_versions: Mapping[str, str]) -> str:
    """Return the differences between another process's versions and those of this process, as text."""
    return ", ".join(
        f"{name} {other_versions.get(name, 'none')}, not {own_version}"
        for name, own_version in versions().items()
        if other_versions.get(name) != own_version
    )


@dataclass(frozen=True)
class WorkerRequirements:
    """The requirements of a run for its workers, without secrets.

    `root` is the project's folder in the bundle. `backend` is its address without user, password and other
    secrets. `probe` is the name of a file in a backend that is a folder. `credentials`: the run sends
    requests to Qlik. `passphrase`: the run has a passphrase. `endpoint` is the address of the API if it is
    not Qlik's.
    """

    sha256: str
    root: str
    backend: str
    probe: str
    credentials: bool
    passphrase: bool
    endpoint: str


def has_credentials(environ: Mapping[str, str]) -> bool:
    """Tell whether there is an OAuth client for any region, or a command that may return one."""
    return any(value and name.startswith(GENERAL[0]) for name, value in environ.items()) or bool(
        environ.get(COMMAND, "").strip()
    )


def has_passphrase(environ: Mapping[str, str]) -> bool:
    """Tell whether a passphrase for the secrets of stacks is set. It may be empty."""
    return any(name in environ for name in PASSPHRASES)


def machine_problem(requirements: WorkerRequirements) -> str:
    """Return why this machine cannot take part, or an empty string. This does not need the bundle."""
    if find_pulumi() is None:
        return "`pulumi` is not on its PATH: run `tenantry install-pulumi` there"
    if os.environ.get(ENDPOINT, "") != requirements.endpoint:
        return f"its {ENDPOINT} differs from the run's"
    if requirements.credentials and not has_credentials(os.environ):
        return f"it has no Qlik credentials ({' and '.join(GENERAL)}) in its environment"
    if requirements.passphrase and not has_passphrase(os.environ):
        return f"it has no passphrase ({' or '.join(PASSPHRASES)}) in its environment"
    return ""


def backend_problem(requirements: WorkerRequirements, root: Path) -> str:
    """Return why the backend of this process is not the run's backend, or an empty string."""
    backend = Backend(root)
    try:
        address = address_of(backend)
    except PulumiFailed as failure:
        return f"its backend cannot be read: {' '.join(str(failure).split())[:300]}"
    shown_address = without_secrets(address)
    if requirements.probe:
        folder = folder_of(address, root)
        if folder is None or not (folder.parent / requirements.probe).is_file():
            return f"its backend {shown_address} is not the run's folder {requirements.backend}"
        return ""
    if shown_address == requirements.backend:
        return ""
    return f"its backend is {shown_address}, the run's backend is {requirements.backend}"


def without_secrets(address: str) -> str:
    """Return the address of a backend without user, password and parameters that may be secret."""
    return redacted(address).replace("://***@", "://")


@contextmanager
def backend_of(root: Path) -> Iterator[tuple[str, str]]:
    """Yield the address of the run's backend without secrets, and the name of the probe file.

    There is a probe file only if the backend is a folder, because the same path may be a different folder on
    another machine. Raises ClusterUnusable.
    """
    try:
        address = address_of(Backend(root))
    except PulumiFailed as failure:
        raise ClusterUnusable(f"the backend cannot be read: {' '.join(str(failure).split())}") from None
    folder = folder_of(address, root)
    if folder is None:
        yield without_secrets(address), ""
        return
    if not address.removeprefix(FILE).startswith(("/", "~")):
        raise ClusterUnusable(
            f"the backend {address} is relative to the project's folder, which differs on each worker: "
            "use an absolute path on a disk that all workers share"
        )
    probe = folder.parent / f"{PROBE_PREFIX}{secrets.token_hex(8)}"
    try:
        probe.touch(mode=0o644, exist_ok=False)
    except OSError as error:
        raise ClusterUnusable(f"the backend's folder {folder.parent}: {error.strerror}") from None
    try:
        yield without_secrets(address), probe.name
    finally:
        probe.unlink(missing_ok=True)


def sends_requests(job: Job) -> bool:
    """Tell whether a job sends requests to Qlik."""
    return job.operation != "preview" or "--refresh" in job.arguments
