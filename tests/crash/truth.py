"""The real events at Qlik, which only a test can know, and the promises that always hold."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tenantry.audit.findings import Finding
from tenantry.audit.holdings import holding
from tenantry.audit.tenants import Ledger, Listed, compare, missing
from tenantry.demo.environment import client_environment
from tenantry.providers.framework.facts import nothing_created_in
from tenantry.providers.qlik import Cloud
from tenantry.providers.tenants.tenant_list import DELETED
from tests.crash.clock import SharedClock
from tests.crash.lab import Run
from tests.crash.resources import State
from tests.crash.site import LISTS_LATE_SECONDS, Place, Site, Stack, proof_in, tenants_in
from tests.e2e.customers import SOURCE_TENANT
from tests.e2e.operations import ORGANISATION

ONE_HOLDER = "two stacks hold one tenant"
EVIDENCE = "a tenant is taken without evidence"
ONE_REQUEST = "two requests under one proof"
LOST = "a tenant that nobody names"
NOTHING_MADE = '"nothing was made" under a proof that made a tenant'
NAMESAKE = "a request beside a deactivated tenant of that name"
ASLEEP = "a stack is up, and its tenant is not"
PROGRESS = "a careful person cannot make progress"
READABLE = "an error with a traceback"

Doc = dict[str, Any]
TOO_EARLY = "Run `pulumi up` again after"
NO_LIST = "Only the organisation's list could show"


class PromiseBroken(AssertionError):
    """A broken promise; the text starts with its name."""

    def __init__(self, promise: str, what: str) -> None:
        super().__init__(f"{promise}: {what}")


@dataclass(frozen=True)
class TenantRequest:
    """A request for a tenant: its proof, its customer, and the place of its stack."""

    proof: str
    customer: int
    place: Place


@dataclass(frozen=True)
class CreatedTenant:
    """A tenant and the request that created it."""

    hostname: str
    id: str
    asked: TenantRequest


class RunKnowledge(NamedTuple):
    """The possible knowledge of a run. `elsewhere` are the tenants in the states of other stacks.

    `undisturbed`: the run was an `up` without a fault, so it could find everything.
    """

    organisation: bool
    undisturbed: bool
    elsewhere: set[str]


@dataclass
class Truth:
    """The requests and the tenants that they created.

    `shared` are tenants that came into a state with a copied or former state. `renamed` are tenants whose
    name changed after they got one. `by_hand` are new proofs that a person, not `tenantry up`, wanted.
    """

    site: Site
    asked: dict[str, TenantRequest] = field(default_factory=dict)
    made: dict[str, CreatedTenant] = field(default_factory=dict)
    shared: set[str] = field(default_factory=set)
    renamed: set[str] = field(default_factory=set)
    by_hand: set[str] = field(default_factory=set)
    _late: dict[str, TenantRequest] = field(default_factory=dict, init=False)
    _there: dict[str, Doc] = field(default_factory=dict, init=False)

    def learn(self, stack: Stack | None = None, run: Run | None = None) -> None:
        """Read Qlik's current content, after a run or after some time."""
        requests = [call for call in run.log if _asks(call)] if run else []
        for request in requests:
            assert stack is not None
            assert run is not None
            proof = proof_in(self.site.state_of(stack.place)).get("id", "")
            if not proof or proof in self.asked:
                raise PromiseBroken(
                    ONE_REQUEST, f"{stack.place} under proof {proof or '(none in the state)'}"
                )
            asleep = [tenant for tenant in self._asleep(stack.file["name"]) if not self.young(tenant)]
            if (
                asleep
                and any("/core/tenants" in call["path"] for call in run.log)
                and proof not in self.by_hand
            ):
                raise PromiseBroken(NAMESAKE, f"{asleep}; {stack.place} under proof {proof}")
            self.asked[proof] = TenantRequest(proof, stack.customer, stack.place)
            if "late" in request:
                self._late[request["late"]["at"]] = self.asked[proof]
        there = {tenant["hostnames"][0]: tenant for tenant in self.site.made}
        for hostname, tenant in there.items():
            asked = self._late.get(tenant["created"])
            if hostname not in self.made:
                asked = asked or self.asked[proof]
                self.made[hostname] = CreatedTenant(hostname, tenant["id"], asked)
            before = self._there.get(hostname, tenant)["name"]
            if before not in (tenant["name"], hostname.partition(".")[0]):
                self.renamed.add(hostname)
        self._there = there

    def renewed(self, old: str, new: str, *, by_hand: bool) -> None:
        """Record a proof that replaces another, and whether a person wanted that."""
        if by_hand or old in self.by_hand:
            self.by_hand.add(new)

    def status(self, hostname: str) -> str:
        """Return the status of a tenant; an empty string after its purge."""
        return str(self._there.get(hostname, {}).get("status", ""))

    def under(self, proof: str) -> CreatedTenant | None:
        """Return the tenant that was created under a proof, unless it is purged."""
        found = (tenant for tenant in self.made.values() if tenant.asked.proof == proof)
        return next((tenant for tenant in found if self.status(tenant.hostname)), None)

    def comes(self, proof: str) -> bool:
        """Tell whether a tenant can still be created under a proof."""
        waits = {asked.proof for asked in self._late.values()} - {
            tenant.asked.proof for tenant in self.made.values()
        }
        return proof in waits

    def _asleep(self, name: str) -> list[str]:
        """Return the deactivated tenants with a name, from before the current run."""
        there = self._there.items()
        return [
            hostname for hostname, tenant in there if (tenant["status"], tenant["name"]) == ("disabled", name)
        ]

    def of(self, customer: int) -> list[CreatedTenant]:
        """Return the tenants of a customer that are not purged, newest first."""
        mine = [tenant for tenant in self.made.values() if tenant.asked.customer == customer]
        return [tenant for tenant in mine[::-1] if self.status(tenant.hostname)]

    def young(self, hostname: str) -> bool:
        """Tell whether the organisation's list may not show a tenant yet."""
        made: float = self._there[hostname]["_made_at"]
        return self.site.lists_late and self.site.now() - made <= LISTS_LATE_SECONDS + 5

    def brought(self, stack: Stack, state: State) -> None:
        """Record a state that is about to replace a stack's own state."""
        self.shared |= tenants_in(state)
        stack.may_hold |= tenants_in(state)
        stack.copied |= {proof_in(state).get("id", "")}

    def judge(self, stack: Stack, run: Run, before: State, look: RunKnowledge) -> None:
        """Raise PromiseBroken if a run broke a promise. `before` is the state at its start."""
        text = "\n".join([*run.errors, *run.lines])
        if re.search(r"Traceback|internal error", text):
            raise PromiseBroken(READABLE, text)
        proof = nothing_created_in(text) or self._given_up(stack, before)
        made = self.under(proof)
        if (made and not self._forgiven(made, look)) or self.comes(proof):
            raise PromiseBroken(NOTHING_MADE, f"{stack.place}, {proof}: {made or 'can still be created'}")
        state = self.site.state_of(stack.place)
        for hostname in tenants_in(state) - tenants_in(before):
            self._judge_taken(stack, state, hostname)
        asleep = {
            hostname for hostname in tenants_in(state) - self.shared if self.status(hostname) != "active"
        }
        if asleep and look.undisturbed and run.ok:
            raise PromiseBroken(ASLEEP, f"{stack.place} is up, and not {asleep}")
        if look.undisturbed and not tenants_in(before):
            self._judge_named(stack, state, text, proof_in(before).get("id", ""), look)

    def _forgiven(self, made: CreatedTenant, look: RunKnowledge) -> bool:
        """Tell whether there is no promise that the stack finds its tenant.

        This is so if another state has the tenant, or if the state was rolled back over a change of the name.
        """
        return made.hostname in look.elsewhere or made.hostname in self.renamed & self.shared

    def _given_up(self, stack: Stack, before: State) -> str:
        """Return the proof that a run without a tenant replaced; an empty string if there is none."""
        old, new = (proof_in(state).get("id", "") for state in (before, self.site.state_of(stack.place)))
        made = self.under(old)
        ours = made is not None and made.asked.customer == stack.customer
        return old if ours and new and new != old and not tenants_in(before) else ""

    def _judge_taken(self, stack: Stack, state: State, hostname: str) -> None:
        """Check that a new tenant in a state was created under the proof there, or is in the stack's file."""
        made = self.made[hostname]
        if made.asked.place == stack.place and made.asked.proof in stack.copied:
            self.shared.add(hostname)
            return
        if hostname in stack.may_hold or stack.file.get("revive", {}).get("hostname") == hostname:
            return
        if (made.asked.customer, made.asked.proof) != (stack.customer, proof_in(state).get("id")):
            raise PromiseBroken(EVIDENCE, f"{stack.place} of customer {stack.customer} has {made}")

    def _judge_named(self, stack: Stack, state: State, text: str, proof: str, look: RunKnowledge) -> None:
        """Check that the tenant of the stack's proof is in its state, or that the run names it."""
        made = self.under(proof)
        if not made or made.asked.customer != stack.customer or proof_in(state).get("id") != proof:
            return
        is_named = made.hostname in text or (NO_LIST in text and not look.organisation)
        is_named |= TOO_EARLY in text and self.young(made.hostname)
        if not (is_named or tenants_in(state) or self._forgiven(made, look)):
            raise PromiseBroken(LOST, f"{made}; {stack.place} says: {text}")

    def judge_states(self, states: Mapping[Place, State]) -> None:
        """Raise PromiseBroken if two stacks hold one tenant, or a tenant is in no state and no finding."""
        held = Counter(hostname for state in states.values() for hostname in tenants_in(state))
        twice = {hostname for hostname, count in held.items() if count > 1}
        if wrong := twice - self.shared:
            raise PromiseBroken(ONE_HOLDER, str([self.made[hostname] for hostname in wrong]))
        there = {hostname for hostname in self.made if self.status(hostname) and not self.young(hostname)}
        doubtful = (there - held.keys()) | (there & twice)
        if not doubtful:
            return
        findings = self._orphans(states)
        named = {name for finding in findings for name in _named(finding)}
        if lost := doubtful - named:
            raise PromiseBroken(
                LOST, f"{[self.made[hostname] for hostname in lost]}: not among {sorted(named)}"
            )

    def _orphans(self, states: Mapping[Place, State]) -> list[Finding]:
        """Return the findings of `tenantry orphans` with all states in its backend."""
        holdings = [
            holding("/".join(place), {"deployment": state.as_json()}) for place, state in states.items()
        ]
        environment = client_environment(self.site.qlik.url) | ORGANISATION
        with Cloud(environment, clock=SharedClock(self.site.qlik.control)) as cloud:
            found = cloud.organisation().list("/api/core/tenants", {"sort": "-createdAt"})
            listed = [listed for listed in map(Listed.of, found) if listed.status != DELETED]
        ledger = Ledger(holdings, frozenset({SOURCE_TENANT}))
        return list(compare(listed, missing(listed, ledger), ledger))


def _asks(request: Doc) -> bool:
    return bool(request["method"] == "POST" and request["path"] == "/api/v1/tenants")


def _named(finding: Finding) -> set[str]:
    """Return the tenants that a finding shows to a person."""
    return {finding.about, *(candidate["hostname"] for candidate in finding.facts.get("candidates", []))}
