"""The checks that tell whether `pulumi up` can succeed. They send only reads."""

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
"""A region, and the source tenant with the licence."""

StateOf = Callable[[str], State]
"""A function that returns the state of a stack, which is empty if there is none yet. Raises PulumiFailed."""


def check(
    paths: Iterable[Path],
    preflight: Preflight,
    state_of: StateOf,
    follow: Callable[[Iterator[Checked]], Iterable[Checked]] = iter,
) -> dict[str, list[Finding]]:
    """Return the findings for the stacks with these files, by stack. Sends only reads.

    `follow` wraps the iteration over the stacks, for example to show progress.
    """
    paths_by_stack = {stack_of(path): path for path in paths}

    def check_one(stack: str) -> Checked:
        return _check(stack, paths_by_stack[stack], preflight, state_of)

    with ThreadPoolExecutor(STACKS_AT_ONCE) as pool:
        checked_by_stack = dict(zip(paths_by_stack, follow(pool.map(check_one, paths_by_stack)), strict=True))
    new = Counter(
        place
        for checked in checked_by_stack.values()
        if checked.checks and (place := checked.checks.place_of_new)
    )
    return {
        stack: [*checked.findings, *_licence_findings(checked, new)]
        for stack, checked in checked_by_stack.items()
    }


class Checked(NamedTuple):
    """The findings of one stack. `checks` is None if its files have errors."""

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


def _licence_findings(checked: Checked, new: Mapping[Place, int]) -> Iterator[Finding]:
    """Yield a finding on whether the licence has room for the new tenants of all stacks together."""
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
    """The checks of one stack. If its state cannot be read, `unknown` is the reason and `state` is empty."""

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
        credential_findings = list(self.guarded("credentials", self.credentials))
        yield from credential_findings
        if all(finding.level == "ok" for finding in credential_findings):
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
        """The place where the next `up` creates a tenant. None if it creates none, or if that is unknown."""
        if self.tenant or self.unknown or self.customer.revive:
            return None
        return self.settings.region, self.settings.source_tenant

    def count(self, new: Mapping[Place, int]) -> Iterator[Finding]:
        """Yield a finding on whether the licence has room for all new tenants."""
        if self.preflight.has_organisation:
            place = self.place_of_new
            yield organisation.count(self.settings, self.preflight, new[place] if place else 0)

    def lifecycle(self) -> Iterator[Finding]:
        """Yield a warning if the trial has ended."""
        last_day = self.customer.lifecycle.last_day
        if last_day and last_day.has_passed(self.preflight.now):
            text = f"the trial ended on {last_day.shown}"
            yield self.at(("lifecycle", "ends_on"), "warning", "lifecycle", text)

    def credentials(self) -> Iterator[Finding]:
        """Yield a finding on whether the client gets tokens from the source tenant and the register host."""
        for host in (self.settings.source_tenant, f"register.{self.settings.region}.qlikcloud.com"):
            self.preflight.log_in(host)
        yield Finding("ok", "credentials", f"accepted in region {self.settings.region}")
        if self.tenant and region(self.tenant) != self.settings.region:
            text = f"the tenant {self.tenant} of the stack is in another region, and a tenant cannot move"
            yield at(self.sources, ("qlik:region",), "error", "tenant", text)

    def licence(self) -> Iterator[Finding]:
        """Yield a finding on whether the licence allows new tenants. It does so only with the status Ok."""
        host = self.settings.source_tenant
        terms, today = self.preflight.licence(host), self.preflight.today
        if terms.status != "Ok":
            yield Finding(
                "error", "licence", f"has status {terms.status} on {host}, so no tenant can be created"
            )
        elif terms.ends and terms.ends < today:
            yield Finding("error", "licence", f"ended on {terms.ends} ({host})")
        elif terms.ends and terms.ends < today + SOON:
            yield Finding("warning", "licence", f"ends on {terms.ends} ({host})")
        elif terms.trial:
            yield Finding("warning", "licence", f"is a trial{_until(terms.ends)} ({host})")
        else:
            yield Finding("ok", "licence", f"valid{_until(terms.ends)} ({host})")

    def templates(self) -> Iterator[Finding]:
        """Yield findings on whether each template exists exactly once and this client may export it."""
        for key, app in self.customer.apps.items():
            keys: Keys = ("apps", key, "template" if app.template else "template_id")
            template = Template(self.settings.source_tenant, app.template, app.template_id, app.version)
            try:
                located = self.preflight.template(template)
                if located.exportable:
                    yield Finding("ok", "templates", str(template))
                elif app.join_template_space and located.space:
                    text = f"{template}: this client's bot user will join space {located.space} to export it"
                    yield Finding("ok", "templates", text)
                else:
                    text = f"{template}: this client cannot export it. {_advice(located.space)}"
                    yield self.at(keys, "error", "templates", text)
            except QlikError as error:
                yield self.at(keys, "error", "templates", str(error))

    def people(self) -> Iterator[Finding]:
        """Yield findings on whether each administrator is exactly one person of the source tenant."""
        for key, admin in self.customer.admins.items():
            try:
                person = self.preflight.person(self.settings.source_tenant, admin.email, admin.subject)
                yield Finding("ok", "people", f"administrator {key} is {person}")
            except QlikError as error:
                keys: Keys = ("admins", key, "email" if admin.email else "subject")
                yield self.at(keys, "error", "people", str(error))

    def existing_objects(self) -> Iterator[Finding]:
        """Yield findings on whether the tenant is active and its groups and spaces can be managed."""
        yield from existing_objects.findings(self.customer, self.sources, self.state, self.preflight)

    def roles(self) -> Iterator[Finding]:
        """Yield findings on whether role names exist in the tenant, or in a new tenant if there is none."""
        roles_by_keys = dict(self.role_settings())
        if not any(roles_by_keys.values()):
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
            for keys, roles in roles_by_keys.items()
            for role in roles
            if role not in known.built_in
        ]
        findings = [finding for finding in results if finding]
        yield from findings or [Finding("ok", "roles", f"all known on {host or self.settings.source_tenant}")]

    def role_settings(self) -> Iterator[tuple[Keys, list[str]]]:
        """Yield the keys of settings that hold role names, each with the names."""
        for keys, block in parts(self.customer):
            for key in marked(type(block), TENANT_ROLES):
                yield (*keys, key), getattr(block, key) or []

    def role(self, keys: Keys, role: str, known: Roles, host: str | None) -> Finding | None:
        """Return the finding about a role that is not built in, if there is one."""
        existing = known.built_in | known.custom
        hostname = host or self.settings.source_tenant
        if role not in existing:
            hint = nearest(role, existing)
            text = f'role "{role}" does not exist on {hostname}; names are case-sensitive{hint}'
            return self.at(keys, "error", "roles", text)
        if host:
            return None
        text = (
            f'role "{role}" is custom on {hostname}. The new tenant has only built-in roles: create it there'
        )
        return self.at(keys, "warning", "roles", text)

    def organisation(self) -> Iterator[Finding]:
        """Yield findings about names and counts, from the list of all tenants."""
        if not self.preflight.has_organisation:
            yield Finding(
                "ok", "organisation", "names and counts are not checked: no organisation client is set"
            )
            return
        yield from organisation.findings(
            self.settings, self.sources, self.preflight, self.tenant, has_state=not self.unknown
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
