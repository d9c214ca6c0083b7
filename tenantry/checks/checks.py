"""Whether `pulumi up` would get through: what Qlik can tell of it beforehand, by reads alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from tenantry.checks import held_names, living, lookalikes, organisation
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
    follow: Callable[[Iterator[Looked]], Iterable[Looked]] = iter,
) -> dict[str, list[Finding]]:
    """Return all that is to be said of the stacks with these files, by stack. Sends reads only.

    `follow` is given what is found of each stack as it comes, and gives it back.
    """
    named = {stack_of(path): path for path in paths}

    def one(stack: str) -> Looked:
        return _look(stack, named[stack], preflight, state_of)

    with ThreadPoolExecutor(STACKS_AT_ONCE) as pool:
        found = dict(zip(named, follow(pool.map(one, named)), strict=True))
    new = Counter(place for each in found.values() if each.checks and (place := each.checks.place_of_new))
    return {stack: [*each.findings, *_counted(each, new)] for stack, each in found.items()}


class Looked(NamedTuple):
    """What was found of one stack; `checks` is None where its files are broken."""

    findings: list[Finding]
    checks: Checks | None


def _look(stack: str, path: Path, preflight: Preflight, state_of: StateOf) -> Looked:
    try:
        resolved = resolve(path)
    except SettingsError as problems:
        return Looked([Finding("error", "settings", each.text, each) for each in problems.problems], None)
    checks = Checks(resolved, preflight, *_state(stack, state_of))
    return Looked([Finding("ok", "settings", "valid"), *checks.all()], checks)


def _counted(looked: Looked, new: Mapping[Place, int]) -> Iterator[Finding]:
    """Yield whether the licence has room for the tenants that all stacks together are about to make."""
    if checks := looked.checks:
        with suppress(QlikError):  # which `Checks.organisation` has told
            yield from checks.count(new)


def _state(stack: str, state_of: StateOf) -> tuple[State, str]:
    try:
        return state_of(stack), ""
    except PulumiFailed as failure:
        return {}, str(failure)


@dataclass(frozen=True)
class Checks:
    """The checks of one stack. `unknown` says why its state cannot be told, which is empty then."""

    resolved: Resolved
    preflight: Preflight
    state: State
    unknown: str = ""

    @property
    def tenant(self) -> str | None:
        """The hostname of the tenant that the stack has already, if it has one."""
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
        """Where the settings are from."""
        return self.resolved.sources

    def all(self) -> Iterator[Finding]:
        """Yield what each check finds; what needs credentials that do not work is not checked."""
        yield from self.lifecycle()
        yield from lookalikes.findings(self.customer, self.sources)
        if self.unknown:
            text = f"cannot be read, so a tenant that the stack has is not looked at. {self.unknown}"
            yield Finding("warning", "state", text)
        yield from held_names.findings(self.customer, self.sources, self.state)
        refused = list(self.guarded("credentials", self.credentials))
        yield from refused
        if all(each.level == "ok" for each in refused):
            yield from self.guarded("licence", self.licence)
            yield from self.templates()
            yield from self.people()
            yield from self.guarded("roles", self.roles)
            yield from self.guarded("tenant", self.living)
        else:
            yield Finding(
                "warning", "credentials", "licence, templates, people and roles are not checked without them"
            )
        yield from self.guarded("organisation", self.organisation)

    def guarded(self, about: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
        """Yield what a check finds; an error of Qlik's is one of its findings."""
        try:
            yield from check()
        except QlikError as error:
            yield Finding("error", about, str(error))

    def at(self, keys: Keys, level: Level, about: str, text: str) -> Finding:
        """Return a finding about a value of the customer."""
        return at(self.sources, (CUSTOMER, *keys), level, about, text)

    @property
    def place_of_new(self) -> Place | None:
        """Where the next `up` makes a tenant; None if it makes none, or nobody can tell."""
        if self.tenant or self.unknown or self.customer.revive:
            return None
        return self.settings.region, self.settings.source_tenant

    def count(self, new: Mapping[Place, int]) -> Iterator[Finding]:
        """The licence has room for all tenants that are about to be made."""
        if self.preflight.has_organisation:
            place = self.place_of_new
            yield organisation.count(self.settings, self.preflight, new[place] if place else 0)

    def lifecycle(self) -> Iterator[Finding]:
        """A trial whose last day has passed is worth a look."""
        last = self.customer.lifecycle.last_day
        if last and last.has_passed(self.preflight.now):
            text = f"the trial ended on {last.shown}"
            yield self.at(("lifecycle", "ends_on"), "warning", "lifecycle", text)

    def credentials(self) -> Iterator[Finding]:
        """The client of the region gets a token from the source tenant and from the register host."""
        for host in (self.settings.source_tenant, f"register.{self.settings.region}.qlikcloud.com"):
            self.preflight.log_in(host)
        yield Finding("ok", "credentials", f"accepted in region {self.settings.region}")
        if self.tenant and region(self.tenant) != self.settings.region:
            text = f"the stack's tenant {self.tenant} is in another region, and a tenant stays in its region"
            yield at(self.sources, ("qlik:region",), "error", "tenant", text)

    def licence(self) -> Iterator[Finding]:
        """Only a licence with status Ok lets a tenant be made."""
        host = self.settings.source_tenant
        found, today = self.preflight.licence(host), self.preflight.today
        if found.status != "Ok":
            yield Finding("error", "licence", f"has status {found.status} on {host}: no tenant can be made")
        elif found.ends and found.ends < today:
            yield Finding("error", "licence", f"ended on {found.ends} ({host})")
        elif found.ends and found.ends < today + SOON:
            yield Finding("warning", "licence", f"ends on {found.ends} ({host})")
        elif found.trial:
            yield Finding("warning", "licence", f"is a trial{_until(found.ends)} ({host})")
        else:
            yield Finding("ok", "licence", f"valid{_until(found.ends)} ({host})")

    def templates(self) -> Iterator[Finding]:
        """Each template is there exactly once, and this client may export it."""
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
                    text = f"{template}: this client may not export it. {_advice(found.space)}"
                    yield self.at(keys, "error", "templates", text)
            except QlikError as error:
                yield self.at(keys, "error", "templates", str(error))

    def people(self) -> Iterator[Finding]:
        """Each administrator is exactly one person of the source tenant."""
        for key, admin in self.customer.admins.items():
            try:
                found = self.preflight.person(self.settings.source_tenant, admin.email, admin.subject)
                yield Finding("ok", "people", f"administrator {key} is {found}")
            except QlikError as error:
                keys: Keys = ("admins", key, "email" if admin.email else "subject")
                yield self.at(keys, "error", "people", str(error))

    def living(self) -> Iterator[Finding]:
        """The tenant that the stack has is active, and what is in it is there, or nobody else's."""
        yield from living.findings(self.customer, self.sources, self.state, self.preflight)

    def roles(self) -> Iterator[Finding]:
        """Names of roles are those of the tenant, or of any tenant while there is none."""
        wanted = dict(self.wanted_roles())
        if not any(wanted.values()):
            return
        revived = self.customer.revive
        host = self.tenant or (revived.hostname if revived else None)
        try:
            known = self.preflight.roles(host or self.settings.source_tenant)
        except TenantDisabled:
            text = f"{host} is deactivated; roles are looked up on {self.settings.source_tenant} instead"
            yield Finding("warning", "tenant", text)
            host, known = None, self.preflight.roles(self.settings.source_tenant)
        complaints = [
            self.role(keys, role, known, host)
            for keys, roles in wanted.items()
            for role in roles
            if role not in known.built_in
        ]
        found = [each for each in complaints if each]
        yield from found or [Finding("ok", "roles", f"all known on {host or self.settings.source_tenant}")]

    def wanted_roles(self) -> Iterator[tuple[Keys, list[str]]]:
        """Yield the places that name roles of the tenant, and the names."""
        for keys, block in parts(self.customer):
            for key in marked(type(block), TENANT_ROLES):
                yield (*keys, key), getattr(block, key) or []

    def role(self, keys: Keys, role: str, known: Roles, host: str | None) -> Finding | None:
        """Return what to say of a role that is not one of those which every tenant has."""
        every = known.built_in | known.custom
        where = host or self.settings.source_tenant
        if role not in every:
            text = (
                f'role "{role}" is not known on {where}, and names are case-sensitive{nearest(role, every)}'
            )
            return self.at(keys, "error", "roles", text)
        if host:
            return None
        text = f'role "{role}" is {where}\'s own; make it on the new tenant, which has only the built-in ones'
        return self.at(keys, "warning", "roles", text)

    def organisation(self) -> Iterator[Finding]:
        """What the list of all tenants tells of names and counts."""
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
        return "It is in somebody's personal space: move it to a shared one in which its bot user may edit"
    return (
        f"Give its bot user an edit role, such as `producer`, in space {space} of the source tenant, or set "
        "`join_template_space: true`"
    )


def _until(day: date | None) -> str:
    return f" until {day}" if day else ""
