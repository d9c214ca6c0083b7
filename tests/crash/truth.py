"""What really happened at Qlik, which only a test can know, and what must hold whatever happens."""

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
from tenantry.providers.framework.facts import nothing_made_in
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
PROGRESS = "a careful person does not get on"
READABLE = "an error with a traceback"

Doc = dict[str, Any]
TOO_EARLY = "Run `pulumi up` again after"
NO_LIST = "Only the organisation's list could show"


class Broken(AssertionError):
    """A promise does not hold; the text begins with which."""

    def __init__(self, promise: str, what: str) -> None:
        super().__init__(f"{promise}: {what}")


@dataclass(frozen=True)
class Asked:
    """A request for a tenant: under which proof, for which customer, by the stack of which place."""

    proof: str
    customer: int
    place: Place


@dataclass(frozen=True)
class Made:
    """A tenant and the request that made it."""

    hostname: str
    id: str
    asked: Asked


class Look(NamedTuple):
    """What a run could know. `elsewhere` are the tenants in the states of other stacks.

    `undisturbed`: it was an `up` that nothing kept from finding out what there is.
    """

    organisation: bool
    undisturbed: bool
    elsewhere: set[str]


@dataclass
class Truth:
    """Which request made which tenant.

    `shared` are tenants that came into a state by a copy, or back into it. `renamed` are those that had their
    name changed after they had got one. `by_hand` are proofs that a person, rather than `tenantry up`, wanted
    in the place of others.
    """

    site: Site
    asked: dict[str, Asked] = field(default_factory=dict)
    made: dict[str, Made] = field(default_factory=dict)
    shared: set[str] = field(default_factory=set)
    renamed: set[str] = field(default_factory=set)
    by_hand: set[str] = field(default_factory=set)
    _late: dict[str, Asked] = field(default_factory=dict, init=False)
    _there: dict[str, Doc] = field(default_factory=dict, init=False)

    def learn(self, stack: Stack | None = None, run: Run | None = None) -> None:
        """Take in what Qlik holds now, after a run or after some time."""
        requests = [call for call in run.log if _asks(call)] if run else []
        for request in requests:
            assert stack is not None
            assert run is not None
            proof = proof_in(self.site.state_of(stack.place)).get("id", "")
            if not proof or proof in self.asked:
                raise Broken(ONE_REQUEST, f"{stack.place} under proof {proof or '(none in the state)'}")
            asleep = [tenant for tenant in self._asleep(stack.file["name"]) if not self.young(tenant)]
            if (
                asleep
                and any("/core/tenants" in call["path"] for call in run.log)
                and proof not in self.by_hand
            ):
                raise Broken(NAMESAKE, f"{asleep}; {stack.place} under proof {proof}")
            self.asked[proof] = Asked(proof, stack.customer, stack.place)
            if "late" in request:
                self._late[request["late"]["at"]] = self.asked[proof]
        there = {tenant["hostnames"][0]: tenant for tenant in self.site.made}
        for hostname, tenant in there.items():
            asked = self._late.get(tenant["created"])
            if hostname not in self.made:
                asked = asked or self.asked[proof]
                self.made[hostname] = Made(hostname, tenant["id"], asked)
            before = self._there.get(hostname, tenant)["name"]
            if before not in (tenant["name"], hostname.partition(".")[0]):
                self.renamed.add(hostname)
        self._there = there

    def renewed(self, old: str, new: str, *, by_hand: bool) -> None:
        """Take note of a proof that takes the place of another, and who wanted that."""
        if by_hand or old in self.by_hand:
            self.by_hand.add(new)

    def status(self, hostname: str) -> str:
        """Status of a tenant; nothing if it is purged."""
        return str(self._there.get(hostname, {}).get("status", ""))

    def under(self, proof: str) -> Made | None:
        """The tenant that was made under a proof and is not purged."""
        found = (tenant for tenant in self.made.values() if tenant.asked.proof == proof)
        return next((tenant for tenant in found if self.status(tenant.hostname)), None)

    def comes(self, proof: str) -> bool:
        """Tell whether one can still come of it."""
        waits = {asked.proof for asked in self._late.values()} - {
            tenant.asked.proof for tenant in self.made.values()
        }
        return proof in waits

    def _asleep(self, name: str) -> list[str]:
        """The deactivated tenants of a name, as they were before the run that is being looked at."""
        there = self._there.items()
        return [
            hostname for hostname, tenant in there if (tenant["status"], tenant["name"]) == ("disabled", name)
        ]

    def of(self, customer: int) -> list[Made]:
        """The tenants of a customer that are not purged, the newest first."""
        mine = [tenant for tenant in self.made.values() if tenant.asked.customer == customer]
        return [tenant for tenant in mine[::-1] if self.status(tenant.hostname)]

    def young(self, hostname: str) -> bool:
        """Tell whether the organisation's list may not show it yet."""
        made: float = self._there[hostname]["_made_at"]
        return self.site.lists_late and self.site.now() - made <= LISTS_LATE_SECONDS + 5

    def brought(self, stack: Stack, state: State) -> None:
        """Take note of a state that is about to be put in the place of a stack's own."""
        self.shared |= tenants_in(state)
        stack.may_hold |= tenants_in(state)
        stack.copied |= {proof_in(state).get("id", "")}

    def judge(self, stack: Stack, run: Run, before: State, look: Look) -> None:
        """Raise Broken if a run did or said what it must not. `before` is the state that it began with."""
        text = "\n".join([*run.errors, *run.lines])
        if re.search(r"Traceback|internal error", text):
            raise Broken(READABLE, text)
        proof = nothing_made_in(text) or self._given_up(stack, before)
        made = self.under(proof)
        if (made and not self._forgiven(made, look)) or self.comes(proof):
            raise Broken(NOTHING_MADE, f"{stack.place}, {proof}: {made or 'is still to come'}")
        state = self.site.state_of(stack.place)
        for hostname in tenants_in(state) - tenants_in(before):
            self._judge_taken(stack, state, hostname)
        asleep = {
            hostname for hostname in tenants_in(state) - self.shared if self.status(hostname) != "active"
        }
        if asleep and look.undisturbed and run.ok:
            raise Broken(ASLEEP, f"{stack.place} is up, and not {asleep}")
        if look.undisturbed and not tenants_in(before):
            self._judge_named(stack, state, text, proof_in(before).get("id", ""), look)

    def _forgiven(self, made: Made, look: Look) -> bool:
        """Tell whether nobody promises that its stack finds a tenant: another state has it, or the state was
        rolled back over a change of the customer's name.
        """
        return made.hostname in look.elsewhere or made.hostname in self.renamed & self.shared

    def _given_up(self, stack: Stack, before: State) -> str:
        """The proof that gave way to another one in a run that had no tenant; nothing if none did."""
        old, new = (proof_in(state).get("id", "") for state in (before, self.site.state_of(stack.place)))
        made = self.under(old)
        ours = made is not None and made.asked.customer == stack.customer
        return old if ours and new and new != old and not tenants_in(before) else ""

    def _judge_taken(self, stack: Stack, state: State, hostname: str) -> None:
        """What came into the state of a stack was made for it under the proof there, or is in its file."""
        made = self.made[hostname]
        if made.asked.place == stack.place and made.asked.proof in stack.copied:
            self.shared.add(hostname)
            return
        if hostname in stack.may_hold or stack.file.get("revive", {}).get("hostname") == hostname:
            return
        if (made.asked.customer, made.asked.proof) != (stack.customer, proof_in(state).get("id")):
            raise Broken(EVIDENCE, f"{stack.place} of customer {stack.customer} has {made}")

    def _judge_named(self, stack: Stack, state: State, text: str, proof: str, look: Look) -> None:
        """A tenant that the stack asked for under its proof is in its state, or the run names it."""
        made = self.under(proof)
        if not made or made.asked.customer != stack.customer or proof_in(state).get("id") != proof:
            return
        is_named = made.hostname in text or (NO_LIST in text and not look.organisation)
        is_named |= TOO_EARLY in text and self.young(made.hostname)
        if not (is_named or tenants_in(state) or self._forgiven(made, look)):
            raise Broken(LOST, f"{made}; {stack.place} says: {text}")

    def judge_states(self, states: Mapping[Place, State]) -> None:
        """Raise Broken if two stacks hold one tenant, or a tenant is in no state and no finding."""
        held = Counter(hostname for state in states.values() for hostname in tenants_in(state))
        twice = {hostname for hostname, count in held.items() if count > 1}
        if wrong := twice - self.shared:
            raise Broken(ONE_HOLDER, str([self.made[hostname] for hostname in wrong]))
        there = {hostname for hostname in self.made if self.status(hostname) and not self.young(hostname)}
        doubtful = (there - held.keys()) | (there & twice)
        if not doubtful:
            return
        findings = self._orphans(states)
        named = {name for finding in findings for name in _named(finding)}
        if lost := doubtful - named:
            raise Broken(LOST, f"{[self.made[hostname] for hostname in lost]}: not among {sorted(named)}")

    def _orphans(self, states: Mapping[Place, State]) -> list[Finding]:
        """What `tenantry orphans` finds, if all states are in its backend."""
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
    """The tenants that a finding is about, so that a person sees them."""
    return {finding.about, *(candidate["hostname"] for candidate in finding.facts.get("candidates", []))}
