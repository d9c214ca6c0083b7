"""Whether `pulumi up` can succeed, checked with reads only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from tenantry.checks import existing_objects, held_names, logins, lookalikes, organisation
from tenantry.checks.findings import Finding, Level, at
from tenantry.providers.lookups.preflight import Preflight, Roles
from tenantry.providers.lookups.templates import Template
from tenantry.providers.qlik import QlikError, TenantDisabled
from tenantry.providers.qlik.hostnames import region
from tenantry.pulumi_internals.deployment import State
from tenantry.settings.document import Keys
from tenantry.settings.errors import SettingsError
from tenantry.settings.loading import Resolved, resolve, stack_of
from tenantry.settings.models import Customer, Settings, parts
from tenantry.settings.models.block import TENANT_ROLES, marked
from tenantry.settings.rules import nearest
from tenantry.settings.sources import CUSTOMER, Sources
from tenantry.state.backend import PulumiFailed
from tenantry.state.entries import hostname_of

SOON = timedelta(days=30)
STACKS_AT_ONCE = 8

Place = tuple[str, str]
"""A region, and the source tenant whose licence counts."""

StateOf = Callable[[str], State]
"""Returns the state of a stack, an empty one if there is none yet; raises PulumiFailed."""


def check(
    paths: Iterable[Path],
    preflight: Preflight,
    state_of: StateOf,
    follow: Callable[[Iterator[Checked]], Iterable[Checked]] = iter,
) -> dict[str, list[Finding]]:
    """Return the findings for the stacks with these files, by stack. Sends only reads.

    `follow` wraps the iteration over the stacks, for example to show progress.
    """
    named = {stack_of(path): path for path in paths}

    def check_one(stack: str) -> Checked:
        return _check(stack, named[stack], preflight, state_of)

    with ThreadPoolExecutor(STACKS_AT_ONCE) as pool:
        found = dict(zip(named, follow(pool.map(check_one, named)), strict=True))
    new = Counter(
        place for checked in found.values() if checked.checks and (place := checked.checks.place_of_new)
    )
    return {stack: [*checked.findings, *_counted(checked, new)] for stack, checked in found.items()}


class Checked(NamedTuple):
    """The findings of one stack; `checks` is None if its files have errors."""

    findings: list[Finding]
    checks: Checks | None


def _check(stack: str, path: Path, preflight: Preflight, state_of: StateOf) -> Checked:
    try:
        resolved = resolve(path)
    except SettingsError as problems:
        return Checked(
            [Finding("error", "settings", problem.text, problem) for problem in problems.problems], None
        )
    checks = Checks(resolved, preflight, *_state(stack, state_of))
    return Checked([Finding("ok", "settings", "valid"), *checks.all()], checks)


def _counted(checked: Checked, new: Mapping[Place, int]) -> Iterator[Finding]:
    """Yield whether the licence has room for the new tenants of all stacks together."""
    if checks := checked.checks:
        with suppress(QlikError):  # `Checks.organisation` has reported it
            yield from checks.count(new)


def _state(stack: str, state_of: StateOf) -> tuple[State, str]:
    try:
        return state_of(stack), ""
    except PulumiFailed as failure:
        return {}, str(failure)


@dataclass(frozen=True)
class Checks:
    """The checks of one stack. `unknown` says why its state could not be read; `state` is empty then."""

    resolved: Resolved
    preflight: Preflight
    state: State
    unknown: str = ""

    @property
    def tenant(self) -> str | None:
        """The hostname of the stack's tenant, if it has one."""
        return hostname_of(self.state)

    @property
    def settings(self) -> Settings:
        """The settings of the stack."""
        return self.resolved.settings

    @property
    def customer(self) -> Customer:
        """The customer of the stack."""
        return self.settings.customer

    @property
    def sources(self) -> Sources:
        """The file and line of each setting."""
        return self.resolved.sources

    def all(self) -> Iterator[Finding]:
        """Yield the findings of each check. Skips checks whose credentials do not work."""
        yield from self.lifecycle()
        yield from lookalikes.findings(self.customer, self.sources)
        if self.unknown:
            text = f"cannot be read, so the tenant of the stack is not checked. {self.unknown}"
            yield Finding("warning", "state", text)
        yield from held_names.findings(self.customer, self.sources, self.state)
        refused = list(self.guarded("credentials", self.credentials))
        yield from refused
        if all(finding.level == "ok" for finding in refused):
            yield from self.guarded("licence", self.licence)
            yield from self.templates()
            yield from self.people()
            yield from self.guarded("roles", self.roles)
            yield from self.guarded("tenant", self.existing_objects)
        else:
            yield Finding(
                "warning",
                "credentials",
                "licence, templates, people and roles cannot be checked without them",
            )
        yield from logins.findings(self.customer, self.sources, self.preflight.cloud)
        yield from self.guarded("organisation", self.organisation)

    def guarded(self, about: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
        """Yield the findings of a check. An error from Qlik becomes a finding."""
        try:
            yield from check()
        except QlikError as error:
            yield Finding("error", about, str(error))

    def at(self, keys: Keys, level: Level, about: str, text: str) -> Finding:
        """Return a finding about a value of the customer."""
        return at(self.sources, (CUSTOMER, *keys), level, about, text)

    @property
    def place_of_new(self) -> Place | None:
        """Where the next `up` creates a tenant; None if it creates none, or if that is unknown."""
        if self.tenant or self.unknown or self.customer.revive:
            return None
        return self.settings.region, self.settings.source_tenant

    def count(self, new: Mapping[Place, int]) -> Iterator[Finding]:
        """Yield whether the licence has room for all new tenants."""
        if self.preflight.has_organisation:
            place = self.place_of_new
            yield organisation.count(self.settings, self.preflight, new[place] if place else 0)

    def lifecycle(self) -> Iterator[Finding]:
        """Yield a warning if the trial has ended."""
        last = self.customer.lifecycle.last_day
        if last and last.has_passed(self.preflight.now):
            text = f"the trial ended on {last.shown}"
            yield self.at(("lifecycle", "ends_on"), "warning", "lifecycle", text)

    def credentials(self) -> Iterator[Finding]:
        """Yield whether the client of the region gets tokens from the source tenant and the register host."""
        for host in (self.settings.source_tenant, f"register.{self.settings.region}.qlikcloud.com"):
            self.preflight.log_in(host)
        yield Finding("ok", "credentials", f"accepted in region {self.settings.region}")
        if self.tenant and region(self.tenant) != self.settings.region:
            text = f"the tenant {self.tenant} of the stack is in another region, and a tenant cannot move"
            yield at(self.sources, ("qlik:region",), "error", "tenant", text)

    def licence(self) -> Iterator[Finding]:
        """Yield whether the licence allows new tenants: only with status Ok."""
        host = self.settings.source_tenant
        found, today = self.preflight.licence(host), self.preflight.today
        if found.status != "Ok":
            yield Finding(
                "error", "licence", f"has status {found.status} on {host}, so no tenant can be created"
            )
        elif found.ends and found.ends < today:
            yield Finding("error", "licence", f"ended on {found.ends} ({host})")
        elif found.ends and found.ends < today + SOON:
            yield Finding("warning", "licence", f"ends on {found.ends} ({host})")
        elif found.trial:
            yield Finding("warning", "licence", f"is a trial{_until(found.ends)} ({host})")
        else:
            yield Finding("ok", "licence", f"valid{_until(found.ends)} ({host})")

    def templates(self) -> Iterator[Finding]:
        """Yield whether each template exists exactly once, and whether this client may export it."""
        for key, app in self.customer.apps.items():
            keys: Keys = ("apps", key, "template" if app.template else "template_id")
            template = Template(self.settings.source_tenant, app.template, app.template_id, app.version)
            try:
                found = self.preflight.template(template)
                if found.exportable:
                    yield Finding("ok", "templates", str(template))
                elif app.join_template_space and found.space:
                    text = f"{template}: this client's bot user will join space {found.space} to export it"
                    yield Finding("ok", "templates", text)
                else:
                    text = f"{template}: this client cannot export it. {_advice(found.space)}"
                    yield self.at(keys, "error", "templates", text)
            except QlikError as error:
                yield self.at(keys, "error", "templates", str(error))

    def people(self) -> Iterator[Finding]:
        """Yield whether each administrator is exactly one person of the source tenant."""
        for key, admin in self.customer.admins.items():
            try:
                found = self.preflight.person(self.settings.source_tenant, admin.email, admin.subject)
                yield Finding("ok", "people", f"administrator {key} is {found}")
            except QlikError as error:
                keys: Keys = ("admins", key, "email" if admin.email else "subject")
                yield self.at(keys, "error", "people", str(error))

    def existing_objects(self) -> Iterator[Finding]:
        """Yield whether the tenant is active, and whether its groups and spaces can be managed."""
        yield from existing_objects.findings(self.customer, self.sources, self.state, self.preflight)

    def roles(self) -> Iterator[Finding]:
        """Yield whether role names exist in the tenant, or in a new tenant if there is none yet."""
        wanted = dict(self.wanted_roles())
        if not any(wanted.values()):
            return
        revived = self.customer.revive
        host = self.tenant or (revived.hostname if revived else None)
        try:
            known = self.preflight.roles(host or self.settings.source_tenant)
        except TenantDisabled:
            text = f"{host} is deactivated, so roles are checked on {self.settings.source_tenant} instead"
            yield Finding("warning", "tenant", text)
            host, known = None, self.preflight.roles(self.settings.source_tenant)
        results = [
            self.role(keys, role, known, host)
            for keys, roles in wanted.items()
            for role in roles
            if role not in known.built_in
        ]
        found = [finding for finding in results if finding]
        yield from found or [Finding("ok", "roles", f"all known on {host or self.settings.source_tenant}")]

    def wanted_roles(self) -> Iterator[tuple[Keys, list[str]]]:
        """Yield the keys that hold role names, and the names."""
        for keys, block in parts(self.customer):
            for key in marked(type(block), TENANT_ROLES):
                yield (*keys, key), getattr(block, key) or []

    def role(self, keys: Keys, role: str, known: Roles, host: str | None) -> Finding | None:
        """Return the finding about a role that is not built in, if there is one."""
        every = known.built_in | known.custom
        where = host or self.settings.source_tenant
        if role not in every:
            text = f'role "{role}" does not exist on {where}; names are case-sensitive{nearest(role, every)}'
            return self.at(keys, "error", "roles", text)
        if host:
            return None
        text = f'role "{role}" is custom on {where}. The new tenant has only built-in roles: create it there'
        return self.at(keys, "warning", "roles", text)

    def organisation(self) -> Iterator[Finding]:
        """Yield findings about names and counts, from the list of all tenants."""
        if not self.preflight.has_organisation:
            yield Finding(
                "ok", "organisation", "names and counts are not checked: no organisation client is set"
            )
            return
        yield from organisation.findings(
            self.settings, self.sources, self.preflight, self.tenant, sure=not self.unknown
        )


def _advice(space: str | None) -> str:
    if space is None:
        return "It is in a personal space. Move it to a shared space in which the bot user can edit"
    return (
        f"Give its bot user an edit role, such as `producer`, in space {space} of the source tenant, or set "
        "`join_template_space: true`"
    )


def _until(day: date | None) -> str:
    return f" until {day}" if day else ""
