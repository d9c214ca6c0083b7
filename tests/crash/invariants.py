"""A checker that knows what really happened at Qlik, as no run does, and the invariants that it checks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tenantry.audit.findings import Finding
from tenantry.audit.holdings import holding
from tenantry.audit.tenants import Ledger, ListedTenant, compare, missing
from tenantry.demo.environment import client_environment
from tenantry.providers.framework.facts import nothing_created_in
from tenantry.providers.qlik import Cloud
from tenantry.providers.tenants.tenant_list import DELETED
from tests.crash.clock import SharedClock
from tests.crash.lab import Run
from tests.crash.multi_stack_lab import (
    LIST_LAG_SECONDS,
    MultiStackLab,
    Stack,
    StackLocation,
    proof_in,
    tenants_in,
)
from tests.crash.resources import State
from tests.e2e.customers import SOURCE_TENANT
from tests.e2e.operations import ORGANISATION

ONE_HOLDER = "two stacks hold one tenant"
EVIDENCE = "a stack takes over a tenant without evidence"
ONE_REQUEST = "two requests under one proof"
LOST = "no message names a tenant that is in no state"
NOTHING_CREATED = '"nothing was created" under a proof that created a tenant'
DEACTIVATED = "a request although there is a deactivated tenant of that name"
ACTIVE = "a run succeeds although its tenant is not active"
PROGRESS = "a careful person cannot make progress"
READABLE = "an error with a traceback"

Doc = dict[str, Any]
TOO_EARLY = "Run `pulumi up` again after"
NO_LIST = "Only the organisation's list could show"


class InvariantViolated(AssertionError):
    """A violated invariant; the text starts with its name."""

    def __init__(self, invariant: str, details: str) -> None:
        super().__init__(f"{invariant}: {details}")


@dataclass(frozen=True)
class TenantRequest:
    """A request for a tenant: its proof, its customer, and the location of its stack."""

    proof: str
    customer: int
    location: StackLocation


@dataclass(frozen=True)
class CreatedTenant:
    """A tenant and the request that created it."""

    hostname: str
    id: str
    request: TenantRequest


class RunContext(NamedTuple):
    """What a run could know. `held_elsewhere` are the tenants in the states of other stacks.

    `is_undisrupted`: the run was an `up` without a fault, so it could find everything.
    """

    has_organisation: bool
    is_undisrupted: bool
    held_elsewhere: set[str]


@dataclass
class InvariantChecker:
    """The requests and the tenants that they created.

    `requests` are keyed by proof, and `tenants` by hostname. `shared` are tenants that came into a state with
    a copied or former state. `renamed` are tenants whose name changed after they got one. `by_hand` are new
    proofs that a person, not `tenantry up`, wanted.
    """

    lab: MultiStackLab
    requests: dict[str, TenantRequest] = field(default_factory=dict)
    tenants: dict[str, CreatedTenant] = field(default_factory=dict)
    shared: set[str] = field(default_factory=set)
    renamed: set[str] = field(default_factory=set)
    by_hand: set[str] = field(default_factory=set)
    _late: dict[str, TenantRequest] = field(default_factory=dict, init=False)
    _at_qlik: dict[str, Doc] = field(default_factory=dict, init=False)

    def read_qlik(self, stack: Stack | None = None, run: Run | None = None) -> None:
        """Read Qlik's current content, after a run or after some time."""
        for call in [call for call in run.log if _requests_tenant(call)] if run else []:
            assert stack is not None
            assert run is not None
            proof = proof_in(self.lab.state_of(stack.location)).get("id", "")
            if not proof or proof in self.requests:
                raise InvariantViolated(
                    ONE_REQUEST, f"{stack.location} under proof {proof or '(none in the state)'}"
                )
            deactivated = [
                tenant for tenant in self._deactivated(stack.file["name"]) if not self.may_be_unlisted(tenant)
            ]
            if (
                deactivated
                and any("/core/tenants" in request["path"] for request in run.log)
                and proof not in self.by_hand
            ):
                raise InvariantViolated(DEACTIVATED, f"{deactivated}; {stack.location} under proof {proof}")
            self.requests[proof] = TenantRequest(proof, stack.customer, stack.location)
            if "late" in call:
                self._late[call["late"]["at"]] = self.requests[proof]
        at_qlik = {tenant["hostnames"][0]: tenant for tenant in self.lab.created_tenants}
        for hostname, tenant in at_qlik.items():
            late_request = self._late.get(tenant["created"])
            if hostname not in self.tenants:
                request = late_request or self.requests[proof]
                self.tenants[hostname] = CreatedTenant(hostname, tenant["id"], request)
            former_name = self._at_qlik.get(hostname, tenant)["name"]
            if former_name not in (tenant["name"], hostname.partition(".")[0]):
                self.renamed.add(hostname)
        self._at_qlik = at_qlik

    def record_renewal(self, old: str, new: str, *, by_hand: bool) -> None:
        """Record a proof that replaces another, and whether a person wanted that."""
        if by_hand or old in self.by_hand:
            self.by_hand.add(new)

    def status(self, hostname: str) -> str:
        """Return the status of a tenant; an empty string after its purge."""
        return str(self._at_qlik.get(hostname, {}).get("status", ""))

    def tenant_of_proof(self, proof: str) -> CreatedTenant | None:
        """Return the tenant that was created under a proof, unless it is purged."""
        found = (tenant for tenant in self.tenants.values() if tenant.request.proof == proof)
        return next((tenant for tenant in found if self.status(tenant.hostname)), None)

    def is_pending(self, proof: str) -> bool:
        """Tell whether a tenant can still be created under a proof."""
        pending = {request.proof for request in self._late.values()} - {
            tenant.request.proof for tenant in self.tenants.values()
        }
        return proof in pending

    def _deactivated(self, name: str) -> list[str]:
        """Return the deactivated tenants with a name, from before the current run."""
        return [
            hostname
            for hostname, tenant in self._at_qlik.items()
            if (tenant["status"], tenant["name"]) == ("disabled", name)
        ]

    def tenants_of(self, customer: int) -> list[CreatedTenant]:
        """Return the tenants of a customer that are not purged, newest first."""
        tenants = [tenant for tenant in self.tenants.values() if tenant.request.customer == customer]
        return [tenant for tenant in tenants[::-1] if self.status(tenant.hostname)]

    def may_be_unlisted(self, hostname: str) -> bool:
        """Tell whether the organisation's list may not show a tenant yet."""
        created_at: float = self._at_qlik[hostname]["_created_at"]
        return self.lab.late_lists and self.lab.now() - created_at <= LIST_LAG_SECONDS + 5

    def record_import(self, stack: Stack, state: State) -> None:
        """Record a state that is about to replace a stack's own state."""
        self.shared |= tenants_in(state)
        stack.imported_tenants |= tenants_in(state)
        stack.imported_proofs |= {proof_in(state).get("id", "")}

    def check_run(self, stack: Stack, run: Run, before: State, context: RunContext) -> None:
        """Raise InvariantViolated if a run violated an invariant. `before` is the state at its start."""
        output = "\n".join([*run.errors, *run.lines])
        if re.search(r"Traceback|internal error", output):
            raise InvariantViolated(READABLE, output)
        proof = nothing_created_in(output) or self._replaced_proof(stack, before)
        tenant = self.tenant_of_proof(proof)
        if (tenant and not self._is_exempt(tenant, context)) or self.is_pending(proof):
            raise InvariantViolated(
                NOTHING_CREATED, f"{stack.location}, {proof}: {tenant or 'can still be created'}"
            )
        state = self.lab.state_of(stack.location)
        for hostname in tenants_in(state) - tenants_in(before):
            self._check_evidence(stack, state, hostname)
        inactive = {
            hostname for hostname in tenants_in(state) - self.shared if self.status(hostname) != "active"
        }
        if inactive and context.is_undisrupted and run.ok:
            raise InvariantViolated(ACTIVE, f"{stack.location} succeeded, but {inactive} is not active")
        if context.is_undisrupted and not tenants_in(before):
            self._check_tenant_is_named(stack, state, output, proof_in(before).get("id", ""), context)

    def _is_exempt(self, tenant: CreatedTenant, context: RunContext) -> bool:
        """Tell whether the stack need not find its tenant.

        This applies if another state has the tenant, or if the state was rolled back over a change of the
        name.
        """
        return tenant.hostname in context.held_elsewhere or tenant.hostname in self.renamed & self.shared

    def _replaced_proof(self, stack: Stack, before: State) -> str:
        """Return the proof that a run without a tenant replaced; an empty string if there is none."""
        old, new = (proof_in(state).get("id", "") for state in (before, self.lab.state_of(stack.location)))
        tenant = self.tenant_of_proof(old)
        is_own = tenant is not None and tenant.request.customer == stack.customer
        return old if is_own and new and new != old and not tenants_in(before) else ""

    def _check_evidence(self, stack: Stack, state: State, hostname: str) -> None:
        """Check that a new tenant in a state was created under the proof there, or is in the stack's file."""
        tenant = self.tenants[hostname]
        request = tenant.request
        if request.location == stack.location and request.proof in stack.imported_proofs:
            self.shared.add(hostname)
            return
        if hostname in stack.imported_tenants or stack.file.get("revive", {}).get("hostname") == hostname:
            return
        if (request.customer, request.proof) != (stack.customer, proof_in(state).get("id")):
            raise InvariantViolated(EVIDENCE, f"{stack.location} of customer {stack.customer} has {tenant}")

    def _check_tenant_is_named(
        self, stack: Stack, state: State, output: str, proof: str, context: RunContext
    ) -> None:
        """Check that the tenant of the stack's proof is in its state, or that the run names it."""
        tenant = self.tenant_of_proof(proof)
        if not tenant or tenant.request.customer != stack.customer or proof_in(state).get("id") != proof:
            return
        is_named = tenant.hostname in output or (NO_LIST in output and not context.has_organisation)
        is_named |= TOO_EARLY in output and self.may_be_unlisted(tenant.hostname)
        if not (is_named or tenants_in(state) or self._is_exempt(tenant, context)):
            raise InvariantViolated(LOST, f"{tenant}; the output of {stack.location}: {output}")

    def check_states(self, states: Mapping[StackLocation, State]) -> None:
        """Raise InvariantViolated if two stacks hold a tenant, or it is in no state and no finding."""
        holders = Counter(hostname for state in states.values() for hostname in tenants_in(state))
        held_twice = {hostname for hostname, count in holders.items() if count > 1}
        if violating := held_twice - self.shared:
            raise InvariantViolated(ONE_HOLDER, str([self.tenants[hostname] for hostname in violating]))
        listed = {
            hostname
            for hostname in self.tenants
            if self.status(hostname) and not self.may_be_unlisted(hostname)
        }
        expected = (listed - holders.keys()) | (listed & held_twice)
        if not expected:
            return
        findings = self._orphans(states)
        reported = {hostname for finding in findings for hostname in _tenants_of(finding)}
        if lost := expected - reported:
            raise InvariantViolated(
                LOST, f"{[self.tenants[hostname] for hostname in lost]}: not among {sorted(reported)}"
            )

    def _orphans(self, states: Mapping[StackLocation, State]) -> list[Finding]:
        """Return the findings of `tenantry orphans` with all states in its backend."""
        holdings = [
            holding("/".join(location), {"deployment": state.as_json()}) for location, state in states.items()
        ]
        environment = client_environment(self.lab.qlik.url) | ORGANISATION
        with Cloud(environment, clock=SharedClock(self.lab.qlik.control)) as cloud:
            tenants = cloud.organisation().list("/api/core/tenants", {"sort": "-createdAt"})
            listed = [tenant for tenant in map(ListedTenant.of, tenants) if tenant.status != DELETED]
        ledger = Ledger(holdings, frozenset({SOURCE_TENANT}))
        return list(compare(listed, missing(listed, ledger), ledger))


def _requests_tenant(call: Doc) -> bool:
    return bool(call["method"] == "POST" and call["path"] == "/api/v1/tenants")


def _tenants_of(finding: Finding) -> set[str]:
    """Return the tenants that a finding shows to a person."""
    return {finding.about, *(candidate["hostname"] for candidate in finding.facts.get("candidates", []))}
