"""Everything that `tenantry doctor` looks at, in the order in which one thing needs the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tenantry.checks.findings import Finding
from tenantry.doctor import machine, processes, qlik, software
from tenantry.pulumi_internals.commands import find_pulumi
from tenantry.settings.project import Project


def examine(project: Project | None, *, offline: bool = False) -> Iterator[Finding]:
    """Yield findings as they are made; `offline` leaves out what needs Qlik Cloud or a backend elsewhere.

    Without a project, what belongs to one is left out. Changes nothing.
    """
    if project is None:
        yield Finding(
            "warning", "project", "there is no Pulumi.yaml here or above: only this machine is checked"
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
