"""The status and the ids of many stacks, from the backend and without a request to Qlik."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tenantry.fleet.members import Member
from tenantry.fleet.troubles import from_command
from tenantry.providers.values import tokens
from tenantry.pulumi_internals import deployment
from tenantry.pulumi_internals.deployment import State, pending_operations, resources
from tenantry.settings.models import BLOCKS
from tenantry.settings.project import Project
from tenantry.state.backend import NoSuchStack, PulumiFailed
from tenantry.state.reading import Reader

T = TypeVar("T")

LIFECYCLE = tokens.of("TenantLifecycle")
APP = tokens.of("App")
TENANT = tokens.of("Tenant")
IDENTITY_PROVIDER = tokens.of("JwtIdentityProvider")


@dataclass(frozen=True)
class StackStatus:
    """The status of a stack.

    `operation`, `result` and `at` come from its `LastRun`. They are empty if the stack has never been up.
    `unfinished` counts the resources that the next `up` must finish. `versions` are the template versions of
    the apps. `ends_on` and `grace_days` come from the state. `trouble` is the reason if the state cannot be
    read.
    """

    member: Member
    operation: str = ""
    result: str = ""
    at: str = ""
    hostname: str = ""
    resources: int = 0
    unfinished: int = 0
    versions: Mapping[str, str] = field(default_factory=dict)
    kind: str = ""
    ends_on: str = ""
    grace_days: int | None = None
    trouble: str = ""

    @property
    def has_tenant(self) -> bool:
        """Whether the stack has a tenant."""
        return bool(self.hostname)


def stack_statuses(reader: Reader, members: Sequence[Member], at_once: int) -> Iterator[StackStatus]:
    """Yield the status of each stack, in the given order."""
    yield from _in_parallel(members, at_once, lambda member: stack_status(reader, member))


def stack_status(reader: Reader, member: Member) -> StackStatus:
    """Return the status of one stack."""
    state, trouble = _state(reader, member)
    if not state:
        return StackStatus(member, trouble=trouble)
    existing = [
        resource
        for resource in resources(state)
        if not resource["type"].startswith("pulumi:") and not resource.get("delete")
    ]
    lifecycle: dict[str, Any] = next(
        (resource["inputs"] for resource in existing if resource["type"] == LIFECYCLE), {}
    )
    last_run = reader.last_run(member.stack, state)
    return StackStatus(
        member,
        operation=last_run.operation,
        result=last_run.result,
        at=last_run.at,
        hostname=next((str(resource["id"]) for resource in existing if resource["type"] == TENANT), ""),
        resources=sum(bool(resource.get("custom")) for resource in existing),
        unfinished=sum(bool(resource.get("initErrors")) for resource in existing)
        + len(pending_operations(state)),
        versions={
            _name(resource): resource["inputs"]["version"] for resource in existing if resource["type"] == APP
        },
        kind=str(lifecycle.get("kind", "")),
        ends_on=str(lifecycle.get("ends_on", "")),
        grace_days=int(lifecycle["grace_days"]) if "grace_days" in lifecycle else None,
    )


def without_file(reader: Reader, project: Project) -> list[str]:
    """Return the stacks of the project in the backend that have no file here.

    Returns an empty list if the backend cannot list its stacks.
    """
    try:
        return sorted({*reader.stacks()} - project.stack_files().keys())
    except PulumiFailed:
        return []


@dataclass(frozen=True)
class StackOutputs:
    """The outputs of a stack, for a portal.

    `outputs` has no secrets. `alias` is the alias of the tenant. `identity_providers` holds id, issuer and
    kid of each JWT identity provider by key. `trouble` is the reason if the state cannot be read.
    """

    member: Member
    outputs: Mapping[str, Any] = field(default_factory=dict)
    alias: str = ""
    identity_providers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    trouble: str = ""

    @property
    def customer_settings(self) -> dict[str, Any]:
        """The settings that describe the customer."""
        member = self.member
        return {
            "customer": member.customer,
            "plan": member.plan or None,
            "ring": member.ring,
            "tags": dict(member.tags),
        }


def stack_outputs(reader: Reader, members: Sequence[Member], at_once: int) -> Iterator[StackOutputs]:
    """Yield the outputs of each stack, in the given order."""

    def read_outputs(member: Member) -> StackOutputs:
        state, trouble = _state(reader, member)
        existing = [resource for resource in resources(state) if not resource.get("delete")]
        tenant = next((resource for resource in existing if resource["type"] == TENANT), {})
        return StackOutputs(
            member,
            deployment.outputs(state),
            str((tenant.get("inputs") or {}).get("alias") or ""),
            {
                _name(resource): {
                    "id": str(resource["id"]),
                    **{name: resource["inputs"][name] for name in ("issuer", "kid")},
                }
                for resource in existing
                if resource["type"] == IDENTITY_PROVIDER
            },
            trouble,
        )

    yield from _in_parallel(members, at_once, read_outputs)


def _state(reader: Reader, member: Member) -> tuple[State, str]:
    """Return the state of a stack, empty if it has none, and the reason if it cannot be read."""
    try:
        return reader.state(member.stack), ""
    except NoSuchStack:
        return {}, ""
    except PulumiFailed as failure:
        return {}, from_command(member.stack, failure.output, failure.code).line


COLUMNS = (
    *("stack", "customer", "plan", "ring", "tags", "alias"),
    *("kind", "key", "space", "id", "url", "issuer", "kid"),
)


def rows(stack: StackOutputs) -> Iterator[tuple[str, ...]]:
    """Yield one row under COLUMNS for each id of a stack. An app has a row for each space."""
    outputs, member = stack.outputs, stack.member
    if "hostname" not in outputs:
        return
    tags = ";".join(f"{key}={value}" for key, value in sorted(member.tags.items()))
    stack_cells = member.stack, member.customer, member.plan, member.ring, tags, stack.alias

    def row(
        kind: str, key: str, id: str, url: str = "", *, space: str = "", issuer: str = "", kid: str = ""
    ) -> tuple[str, ...]:
        return (*stack_cells, kind, key, space, id, url, issuer, kid)

    yield row("hostname", "", outputs["hostname"], outputs.get("url", ""))
    yield row("tenant", "", outputs.get("tenant_id", ""))
    for block, model in BLOCKS.items():
        if model.mapping and model.mapping.output:
            kind = model.mapping.noun.replace(" ", "_")
            for key, id in sorted((outputs.get(block) or {}).items()):
                yield row(kind, key, id)
    for app, copies in sorted((outputs.get("apps") or {}).items()):
        for space, copy in sorted(copies.items()):
            yield row("app", app, copy["id"], copy.get("url", ""), space=space)
    for key, provider in sorted(stack.identity_providers.items()):
        yield row(
            "jwt_identity_provider", key, provider["id"], issuer=provider["issuer"], kid=provider["kid"]
        )


def _in_parallel(members: Iterable[Member], at_once: int, read: Callable[[Member], T]) -> Iterator[T]:
    with ThreadPoolExecutor(at_once) as pool:
        yield from pool.map(read, members)


def _name(resource: Mapping[str, Any]) -> str:
    return str(resource["urn"]).rpartition("::")[2]
