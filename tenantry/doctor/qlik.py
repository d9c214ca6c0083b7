"""Qlik Cloud: an OAuth client for each region, the organisation's, and the clock."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from tenantry.checks.findings import Finding, Level
from tenantry.providers.qlik import Cloud, ConfigurationError, QlikError, hostnames
from tenantry.providers.qlik.credentials import CredentialSource
from tenantry.settings.document import read
from tenantry.settings.project import Project
from tenantry.settings.sources import REGION, SOURCE_TENANT

SKEW_WARNING, SKEW_ERROR = 30.0, 120.0
"""By how many seconds this machine's clock may be off; beyond the second, a proof may count as too old."""


def findings(project: Project | None, *, offline: bool) -> Iterator[Finding]:
    """Yield how the credentials do, for each region that a customer or the project names.

    Each client is asked for one token. Offline, only whether there is a client is told.
    """
    regions, sources = _named(project)
    clients = CredentialSource(os.environ)
    for region in sorted(regions):
        try:
            source = clients.region(region).source
        except QlikError as error:
            yield Finding("error", "credentials", f"region {region}: {error}")
            continue
        if offline:
            yield Finding("ok", "credentials", f"region {region}: {source}, not tried")
            continue
        hosts = [f"register.{region}.qlikcloud.com", *sorted(sources.get(region, ()))]
        yield from _tried(region, source, hosts)
    if not regions:
        yield Finding("warning", "credentials", "neither Pulumi.yaml nor a stack file names a region yet")


def _tried(region: str, source: str, hosts: list[str]) -> Iterator[Finding]:
    try:
        with Cloud.from_environment() as cloud:
            for host in hosts:
                cloud.authenticate(host)
            here, there = time.time(), cloud.time_at(hosts[0])
            if cloud.has_organisation:
                cloud.authenticate(hostnames.ORGANISATION)
    except (QlikError, ConfigurationError) as error:
        yield Finding("error", "credentials", f"region {region}: {source} are refused: {error}")
        return
    yield Finding("ok", "credentials", f"region {region}: {source} work at {', '.join(hosts)}")
    yield _clock(region, None if there is None else here - there)


def _clock(region: str, ahead: float | None) -> Finding:
    if ahead is None:
        return Finding("warning", "clock", f"Qlik in region {region} did not tell its time")
    shown = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} Qlik's in region {region}"
    if abs(ahead) > SKEW_ERROR:
        return Finding("error", "clock", f"{shown}. Set it by a time server: tokens and proofs have a time.")
    level: Level = "warning" if abs(ahead) > SKEW_WARNING else "ok"
    return Finding(level, "clock", shown if abs(ahead) >= 1 else f"agrees with Qlik's in region {region}")


def _named(project: Project | None) -> tuple[set[str], dict[str, set[str]]]:
    """Return the regions that the project and its stack files name, and the source tenants in each."""
    regions: set[str] = set()
    sources: dict[str, set[str]] = {}
    for values in _configurations(project) if project else ():
        if isinstance(region := values.get(REGION), str) and region:
            regions.add(region)
        if isinstance(tenant := values.get(SOURCE_TENANT), str) and tenant:
            try:
                region = hostnames.region(hostnames.checked(tenant))
            except QlikError:
                continue  # `tenantry check` tells it, with file and line
            regions.add(region)
            sources.setdefault(region, set()).add(tenant)
    return regions, sources


def _configurations(project: Project) -> Iterator[dict[str, object]]:
    yield project.config
    for file in project.stack_files().values():
        try:
            values = read(file).value
        except OSError:
            continue
        if isinstance(values, dict):
            yield project.values_of(values.get("config"))
