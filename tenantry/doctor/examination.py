"""All checks of `tenantry doctor`, each after the checks that it depends on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tenantry.checks.findings import Finding
from tenantry.doctor import machine, processes, qlik, software
from tenantry.pulumi_internals.commands import find_pulumi
from tenantry.settings.project import Project


def examine(project: Project | None, *, offline: bool = False) -> Iterator[Finding]:
    """Yield the findings one by one. `offline` skips checks that need Qlik Cloud or a remote backend.

    Without a project, skips the checks of the project. Changes nothing.
    """
    if project is None:
        yield Finding(
            "warning",
            "project",
            "there is no Pulumi.yaml in this folder or above it, so only this machine is checked",
        )
    yield processes.own_interpreter(project)
    command = find_pulumi()
    works = True
    for finding in software.pulumi_cli(command):
        works = finding.level != "error"
        yield finding
    if command and works:
        yield software.language_host(command)
    yield machine.proxy()
    if command and works:
        yield from processes.findings(command, project)
        root = project.file.parent if project and project.file else Path.cwd()
        if project:
            yield from software.backend(root, offline=offline)
    if project:
        yield software.secrets(project)
    yield from machine.written_folders(project)
    yield from qlik.findings(project, offline=offline)
