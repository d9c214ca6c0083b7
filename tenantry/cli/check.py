"""`tenantry check`: would `pulumi up` get through?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tenantry.cli.output import echo, echo_text, fail, heading, print_finding, print_json
from tenantry.cli.projects import current_project, root_of, stack_files
from tenantry.providers.values.words import counted

if TYPE_CHECKING:
    from tenantry.checks.findings import Finding


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(check)


def check(
    stacks: Annotated[
        list[str] | None, typer.Argument(help="Names of the stacks.", show_default=False)
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Check every stack that has a file.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings count as errors.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Say beforehand whether `pulumi up` would get through, for some stacks or for all.

    Looks at the stack file and its plans, the credentials, the licence, the templates, names of roles, and,
    with an organisation client, at names and numbers of tenants. Sends reads only, each once however many
    stacks need it; whether a stack has a tenant is looked up in its state. Exit code 1 if there is an error.
    """
    if every == bool(stacks):
        fail("Name the stacks to check, or give --all.", code=2)
    found = _found(stacks or [], every)
    counts = {level: _count(found, level) for level in ("error", "warning")}
    if as_json:
        told = {name: [_row(each) for each in findings] for name, findings in found.items()}
        print_json({"stacks": told, **{f"{level}s": count for level, count in counts.items()}})
    else:
        for name, findings in found.items():
            heading(name)
            for each in findings:
                print_finding(each)
        numbers = [counted(count, level) for level, count in counts.items()]
        echo(f"{counted(len(found), 'stack')}: {', '.join(numbers)}")
    if counts["error"] or (strict and counts["warning"]):
        raise typer.Exit(1)


def _found(names: list[str], every: bool) -> dict[str, list[Finding]]:
    from tenantry.checks import checks
    from tenantry.providers.lookups.preflight import Preflight
    from tenantry.providers.qlik import Cloud
    from tenantry.state.backend import Backend, NoSuchStack

    project = current_project()
    backend = Backend(root_of(project))

    def state_of(stack: str) -> dict[str, Any]:
        try:
            return backend.state(stack)
        except NoSuchStack:
            return {}

    files = stack_files(project, names, every=every)
    with Cloud.from_environment() as cloud:
        cloud.notify = lambda text: echo_text(text, err=True)
        return checks.check(files.values(), Preflight(cloud), state_of)


def _count(found: dict[str, list[Finding]], level: str) -> int:
    return sum(each.level == level for findings in found.values() for each in findings)


def _row(finding: Finding) -> dict[str, Any]:
    place = finding.place
    row = {"level": finding.level, "about": finding.about, "text": finding.text}
    return row | {
        "file": place.file if place else None,
        "line": (place.line or None) if place else None,
        "path": place.path if place else None,
    }
