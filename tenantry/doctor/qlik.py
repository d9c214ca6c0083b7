"""Checks at Qlik Cloud: the OAuth client of each region, the organisation client, and the clock."""

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
"""How many seconds this machine's clock may be off. Beyond the second value, proofs and tokens fail."""


def findings(project: Project | None, *, offline: bool) -> Iterator[Finding]:
    """Yield for each region of the project and its customers whether the credentials work.

    Requests one token with each client. `offline` only checks that a client is configured.
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
            yield Finding("ok", "credentials", f"region {region}: {source}, not tested")
            continue
        hosts = [f"register.{region}.qlikcloud.com", *sorted(sources.get(region, ()))]
        yield from _test(region, source, hosts)
    if not regions:
        yield Finding("warning", "credentials", "neither Pulumi.yaml nor any stack file names a region")


def _test(region: str, source: str, hosts: list[str]) -> Iterator[Finding]:
    try:
        with Cloud.from_environment() as cloud:
            for host in hosts:
                cloud.authenticate(host)
            here, at_qlik = time.time(), cloud.time_at(hosts[0])
            if cloud.has_organisation:
                cloud.authenticate(hostnames.ORGANISATION)
    except (QlikError, ConfigurationError) as error:
        yield Finding("error", "credentials", f"region {region}: {source} are refused: {error}")
        return
    yield Finding("ok", "credentials", f"region {region}: {source} work at {', '.join(hosts)}")
    yield _clock(region, None if at_qlik is None else here - at_qlik)


def _clock(region: str, ahead: float | None) -> Finding:
    if ahead is None:
        return Finding("warning", "clock", f"Qlik in region {region} did not send its time")
    shown = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} Qlik's clock in region {region}"
    if abs(ahead) > SKEW_ERROR:
        return Finding(
            "error",
            "clock",
            f"{shown}. Synchronise it with a time server, because tokens and proofs contain the time.",
        )
    level: Level = "warning" if abs(ahead) > SKEW_WARNING else "ok"
    return Finding(
        level, "clock", shown if abs(ahead) >= 1 else f"agrees with Qlik's clock in region {region}"
    )


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
                continue  # `tenantry check` reports it with file and line
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
