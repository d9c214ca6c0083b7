"""`tenantry check`: a check that `pulumi up` can succeed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tenantry.cli.commands import add_command
from tenantry.cli.output import echo, echo_text, fail, print_finding, print_json
from tenantry.cli.progress import READING_FILES, followed, working
from tenantry.cli.projects import current_project, root_of
from tenantry.cli.running import select_stacks, stacks_text
from tenantry.cli.shared import selection, with_options
from tenantry.providers.values.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tenantry.checks.findings import Finding
    from tenantry.fleet.selection import Criteria

LEVELS = ("error", "warning", "ok")
MAX_PLACES = 3
"""How many other places a finding lists."""


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    add_command(app, check, example="check --all")


@with_options(criteria=selection)
def check(
    criteria: Criteria,
    strict: Annotated[bool, typer.Option("--strict", help="Treat warnings as errors.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only warnings and errors.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON, by stack.")] = False,
) -> None:
    """Check whether `pulumi up` can succeed.

    Checks stack files and plans, credentials, the licence, templates, people, role names, and the tenant of
    each stack with its groups and spaces. With an organisation client, also names and numbers of tenants.
    Sends only reads, and each of them once for all stacks. Prints a finding about several stacks once, with
    all of their names. The exit code is 1 if there is an error.
    """
    findings_by_stack = _check_stacks(criteria)
    if quiet:
        findings_by_stack = {
            name: [finding for finding in findings if finding.level != "ok"]
            for name, findings in findings_by_stack.items()
        }
    counts = {level: _count(findings_by_stack, level) for level in ("error", "warning")}
    if as_json:
        rows = {name: [_row(finding) for finding in findings] for name, findings in findings_by_stack.items()}
        print_json({"stacks": rows, **{f"{level}s": count for level, count in counts.items()}})
    else:
        for equal_findings, stacks in _group(findings_by_stack):
            print_finding(equal_findings[0], _lines_below(equal_findings, stacks, len(findings_by_stack)))
        numbers = [counted(count, level) for level, count in counts.items()]
        echo(f"{counted(len(findings_by_stack), 'stack')}: {', '.join(numbers)}")
    if counts["error"] or (strict and counts["warning"]):
        raise typer.Exit(1)


def _check_stacks(criteria: Criteria) -> dict[str, list[Finding]]:
    from tenantry.checks import checks
    from tenantry.providers.lookups.preflight import Preflight
    from tenantry.providers.qlik import Cloud
    from tenantry.state.backend import Backend, NoSuchStack
    from tenantry.state.reading import Reader

    project = current_project()
    with working(READING_FILES):
        members = select_stacks(criteria, project).members
        reader = Reader.of(Backend(root_of(project)), project)
    if criteria.every and not members:
        fail(f"There are no stack files in {project.stacks}.", code=2)

    def state_of(stack: str) -> dict[str, Any]:
        try:
            return reader.state(stack)
        except NoSuchStack:
            return {}

    with Cloud.from_environment() as cloud:
        cloud.notify = lambda line: echo_text(line, err=True)
        files = [member.file for member in members]
        return checks.check(
            files, Preflight(cloud), state_of, lambda items: followed(items, "Checking stacks", len(files))
        )


def _group(findings_by_stack: dict[str, list[Finding]]) -> Iterator[tuple[list[Finding], list[str]]]:
    """Yield each group of findings with the same text, and its stacks. The most severe groups come first."""
    groups: dict[tuple[str, str, str], dict[str, Finding]] = {}
    for stack, findings in findings_by_stack.items():
        for finding in findings:
            groups.setdefault((finding.level, finding.about, finding.text), {})[stack] = finding
    for key in sorted(groups, key=lambda key: LEVELS.index(key[0])):
        yield list(groups[key].values()), list(groups[key])


def _lines_below(equal_findings: list[Finding], stacks: list[str], total: int) -> list[str]:
    """Return the lines below a finding: its stacks, and its other places."""
    is_every_stack = len(stacks) == total > 1
    places = dict.fromkeys(
        f"{finding.place.file}:{finding.place.line}" for finding in equal_findings if finding.place
    )
    listed = list(places)[1 : MAX_PLACES + 1]
    unlisted = len(places) - 1 - len(listed)
    return [
        f"all {counted(total, 'stack')}" if is_every_stack else stacks_text(stacks),
        *(f"also {place}" for place in listed),
        *([f"and {counted(unlisted, 'more place')}"] if unlisted > 0 else []),
    ]


def _count(findings_by_stack: dict[str, list[Finding]], level: str) -> int:
    return sum(finding.level == level for findings in findings_by_stack.values() for finding in findings)


def _row(finding: Finding) -> dict[str, Any]:
    place = finding.place
    row = {"level": finding.level, "about": finding.about, "text": finding.text}
    return row | {
        "file": place.file if place else None,
        "line": (place.line or None) if place else None,
        "path": place.path if place else None,
    }
