"""The import: read the tenant, write the settings, create the state, save both."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tenantry.importing import other_stacks, state
from tenantry.importing.errors import ImportRefused
from tenantry.importing.finders import find_all
from tenantry.importing.findings import Findings
from tenantry.importing.minimal import as_text, minimal
from tenantry.importing.scratch import scratch
from tenantry.importing.tenant_reader import TenantReader
from tenantry.providers.qlik import Cloud
from tenantry.pulumi_internals.deployment import without_encryption
from tenantry.settings import Problem, SettingsError, load_file
from tenantry.settings.document import read
from tenantry.settings.loading import stack_file
from tenantry.settings.merge import complete
from tenantry.settings.pem_files import with_pem_files
from tenantry.settings.plans import merge_layers, missing_plan, read_chain
from tenantry.settings.project import STACK_NAME, Project
from tenantry.settings.sources import CUSTOMER, REGION, SOURCE_TENANT, Sources
from tenantry.state.backend import Backend, PulumiFailed
from tenantry.text import for_line


@dataclass(frozen=True)
class ImportResult:
    """The result of an import: the stack, its file, the number of objects per type, unmanaged objects."""

    stack: str
    file: Path
    counts: dict[str, int] = field(default_factory=dict)
    unmanaged: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ImportRequest:
    """The arguments of an import: the hostname, and optionally stack, plan and source tenant."""

    hostname: str
    stack: str | None = None
    plan: str | None = None
    source_tenant: str | None = None


def import_tenant(
    cloud: Cloud, project: Project, backend: Backend, request: ImportRequest, say: Callable[[str], None]
) -> ImportResult:
    """Import an existing tenant as a stack of the project. `say` gets progress messages.

    Raises ImportRefused, QlikError and PulumiFailed. Then neither stack file nor state exists.
    """
    cloud.tenant(request.hostname)  # raises an error if this is not a host of Qlik
    plan = _plan(project, request.plan)
    if request.stack:
        _check_free(project, request.stack)
    reader = TenantReader(cloud, request.hostname, _source_tenant(project, request))
    stack = request.stack or reader.tenant["hostnames"][-1].partition(".")[0]
    _check_free(project, stack)
    _check_unmanaged(backend, stack, reader.hostname, say)

    say(f"reading {reader.hostname}")
    findings = Findings(plan)
    find_all(reader, findings)
    text = _text(project, reader, findings, request.plan)
    with scratch(project, backend.root) as (copy, folder):
        file = stack_file(stack, folder)
        file.write_text(text, "utf-8")
        _check_settings(file)
        imported_state = _make_state(copy, stack, findings, say)
    file = stack_file(stack, project.stacks)
    say(f"writing {file.name} and the state of stack {stack}")
    _put_in_place(backend, stack, file, text, imported_state)
    counts: dict[str, int] = {}
    for found in findings.objects:
        counts[found.kind] = counts.get(found.kind, 0) + 1
    return ImportResult(stack, file, counts, findings.unmanaged)


def _plan(project: Project, name: str | None) -> dict[str, Any]:
    """Return the values of a plan with all plans that it extends."""
    if name is None:
        return {}
    if wrong := missing_plan(name, project.stacks):
        raise ImportRefused(wrong)
    chain = read_chain(project.stacks / "plans" / f"{name}.yaml")
    merged = merge_layers(chain.plans, broken=chain.broken)
    values, unread = with_pem_files(complete(merged.values), Sources(chain.plans), project.stacks)
    problems: list[Problem] = [*chain.problems, *merged.problems, *unread]
    if problems:
        raise ImportRefused(str(SettingsError(f"plan {name}", problems)))
    return dict(values or {})


def _source_tenant(project: Project, request: ImportRequest) -> str:
    """Return the source tenant of the request, of the project, or of all its stacks in the region."""
    named = request.source_tenant or project.config.get(SOURCE_TENANT)
    if named:
        return str(named)
    region = request.hostname.partition(".")[2].partition(".")[0]
    configs = [(read(file).value or {}).get("config") or {} for file in project.stack_files().values()]
    found = {
        config[SOURCE_TENANT]
        for config in configs
        if config.get(REGION) == region and config.get(SOURCE_TENANT)
    }
    if len(found) == 1:
        return str(found.pop())
    why = (
        f"the stacks in region {region} name {len(found)} different ones"
        if found
        else f"no stack in region {region} names one"
    )
    raise ImportRefused(f"the source tenant is not known: {why}. Name it with --source-tenant HOSTNAME")


def _check_free(project: Project, stack: str) -> None:
    if not STACK_NAME.fullmatch(stack):
        raise ImportRefused(
            f'"{for_line(stack)}" is not a valid stack name; allowed: letters, digits, and . _ - between them'
        )
    file = stack_file(stack, project.stacks)
    if file.exists():
        raise ImportRefused(f"{file} already exists; choose another name with --stack NAME")


def _check_unmanaged(backend: Backend, stack: str, hostname: str, say: Callable[[str], None]) -> None:
    stacks = other_stacks.names(backend)
    if stack in (name.rpartition("/")[2] for name in stacks):
        raise ImportRefused(f"the backend already has a stack {stack}; choose another name with --stack NAME")
    if stacks:
        say(f"looking for {hostname} in the state of {len(stacks)} other stacks")
    if manager := other_stacks.manager_of(backend, hostname, stacks):
        raise ImportRefused(f"stack {manager} already manages {hostname}")


def _text(project: Project, reader: TenantReader, findings: Findings, plan: str | None) -> str:
    customer = minimal(findings)
    if plan:
        customer = {"name": customer.pop("name"), "plan": plan} | customer
    config = {REGION: reader.region, SOURCE_TENANT: reader.source_tenant}
    config = {key: value for key, value in config.items() if project.config.get(key) != value}
    head = f"Written by `tenantry import` from {reader.hostname}."
    for schema in ("schema.json", "../tenantry/settings/schema.json"):
        if (project.stacks / schema).is_file():
            head = f"yaml-language-server: $schema={schema}\n{head}"
            break
    return as_text({**config, CUSTOMER: customer}, head=head)


def _check_settings(file: Path) -> None:
    try:
        load_file(file)
    except SettingsError as error:
        raise ImportRefused(f"a stack file cannot describe this tenant. {error}") from error


def _make_state(copy: Backend, stack: str, findings: Findings, say: Callable[[str], None]) -> dict[str, Any]:
    """Return the state of the stack with all found objects and no differences. Sends no request."""
    say(f"creating the state of {len(findings.objects)} objects")
    copy.run("stack", "init", stack, "--no-select")
    file = copy.root.parent / "objects.json"
    preview = json.loads(copy.run("preview", "--json", "--import-file", str(file), "--stack", stack))
    filled = state.fill(json.loads(file.read_text("utf-8")), preview, findings.objects)
    file.write_text(json.dumps(filled), "utf-8")
    options = "--generate-code=false", "--protect=false", "--skip-preview", "--yes"
    copy.run("import", "--file", str(file), *options, "--stack", stack)
    say("checking that the next `pulumi up` has nothing to do")
    _check_no_difference(json.loads(copy.run("preview", "--json", "--stack", stack)))
    # Only `up` writes the order of deletion and the protection.
    copy.run("up", "--skip-preview", "--yes", "--stack", stack)
    return without_encryption(json.loads(copy.run("stack", "export", "--show-secrets", "--stack", stack)))


def _check_no_difference(preview: dict[str, Any]) -> None:
    changed = [
        f"{step['op']} {step['urn'].rpartition('::')[2]} ({', '.join(step.get('detailedDiff') or ['all'])})"
        for step in preview["steps"]
        if step["op"] != "same"
    ]
    if changed:
        raise ImportRefused(f"the next `pulumi up` would still make changes: {'; '.join(changed)}")


def _put_in_place(
    backend: Backend, stack: str, file: Path, text: str, imported_state: dict[str, Any]
) -> None:
    with file.open("x", encoding="utf-8") as opened:
        opened.write(text)
    created = False
    try:
        backend.run("stack", "init", stack, "--no-select")
        created = True
        backend.replace_state(stack, imported_state)
    except BaseException:
        if created:
            with suppress(PulumiFailed):
                backend.run("stack", "rm", stack, "--force", "--preserve-config", "--yes")
        file.unlink()
        raise
