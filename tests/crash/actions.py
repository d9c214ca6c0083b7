"""Actions on several customers' stacks, with a check of the invariants after each action."""

from __future__ import annotations

import re
import shutil
from typing import Any

from tenantry.providers.framework.facts import RENEW, nothing_created_in
from tenantry.state.entries import split
from tests.crash.invariants import (
    NO_LIST,
    PROGRESS,
    TOO_EARLY,
    CreatedTenant,
    InvariantChecker,
    InvariantViolated,
    RunContext,
)
from tests.crash.lab import Run
from tests.crash.multi_stack_lab import (
    NO_DISRUPTION,
    Disruption,
    MultiStackLab,
    Stack,
    StackLocation,
    proof_in,
    tenants_in,
)
from tests.crash.resources import State

CUSTOMER_NAMES = ("Globex", "Initech", "Hooli")
LIFECYCLE = {"kind": "trial", "ends_on": "2999-12-31", "grace_days": 10}

SETTLED_SECONDS = 900
"""Seconds after which a request can have no effect any more."""
MAX_RUNS = 8
"""The maximum number of runs of a careful person."""

REVIVE = re.compile(r"revive: \{hostname: ([\w.-]+), tenant_id: (\w+)\}")


class Actions:
    """Actions on stacks, starting with one stack per location. All methods raise InvariantViolated."""

    def __init__(
        self, lab: MultiStackLab, locations: tuple[StackLocation, ...], *, late_lists: bool = False
    ) -> None:
        lab.clear(late_lists=late_lists)
        self.lab, self.checker = lab, InvariantChecker(lab)
        self._customers = 0
        self.stacks = [self._new_stack(location) for location in locations]
        self._removed: list[Stack] = []

    def up(self, stack: Stack, **options: Any) -> Run:
        """Run `pulumi up`, with the options of `MultiStackLab.run`."""
        return self.run(stack, "up", **options)

    def run(
        self,
        stack: Stack,
        command: str,
        *,
        disruption: Disruption = NO_DISRUPTION,
        by_hand: bool = True,
        **options: Any,
    ) -> Run:
        """Run a command of a stack. `by_hand`: a person, not `tenantry up`, renews the proof."""
        before = self.lab.state_of(stack.location)
        run = self.lab.run(stack, command, disruption=disruption, **options)
        after = self.lab.state_of(stack.location)
        stack.errors = "\n".join(run.errors)
        if after.as_json() != before.as_json():
            stack.history.append(after)
        old, new = (proof_in(state).get("id", "") for state in (before, after))
        if new != old and options.get("renew") == old:
            self.checker.record_renewal(old, new, by_hand=by_hand)
        self.checker.read_qlik(stack, run)
        other_states = [
            self.lab.state_of(other_stack.location) for other_stack in self.stacks if other_stack is not stack
        ]
        context = RunContext(
            has_organisation=options.get("organisation", True),
            is_undisrupted=command == "up" and disruption is NO_DISRUPTION,
            held_elsewhere={hostname for state in other_states for hostname in tenants_in(state)},
        )
        self.checker.check_run(stack, run, before, context)
        self.check_states()
        return run

    def follow_message(
        self,
        stack: Stack,
        *,
        wants_old_tenant: bool = True,
        disruption: Disruption = NO_DISRUPTION,
        **options: Any,
    ) -> Run:
        """Follow the message of the last run, as a careful person who knows the owner of each tenant.

        `wants_old_tenant`: the person wants the deactivated tenant again, and not a new one. The person uses
        `tenantry up`: if a run is certain that nothing was created, another run renews the proof at once.
        """
        message, proof_to_renew = stack.errors, ""
        if nothing_created_in(message):
            message = "\n".join(self.up(stack, **options).errors)
            if unused_proof := nothing_created_in(message):
                return self._renew(stack, unused_proof, by_hand=False, disruption=disruption, **options)
        if TOO_EARLY in message:
            self.wait(SETTLED_SECONDS)
        elif "tenantry forget" in message or "No tenant answers at" in message:
            remaining = split({"deployment": self.lab.state_of(stack.location).as_json()}).rest["deployment"]
            self._set_state(stack, State.from_json(remaining))
        elif RENEW in message:
            self.wait(SETTLED_SECONDS)  # the person waits for a certain result
            (proof,) = set(re.findall(rf"{RENEW}=([0-9a-f]+)", message))
            tenant = self._tenant_to_revive(stack, message, proof)
            if tenant and (wants_old_tenant or tenant.request.proof == proof):
                stack.file["revive"] = {"hostname": tenant.hostname, "tenant_id": tenant.id}
            else:
                proof_to_renew = proof
        return self._renew(stack, proof_to_renew, by_hand=True, disruption=disruption, **options)

    def _renew(self, stack: Stack, proof: str, **options: Any) -> Run:
        stack.renewed_proof = proof or stack.renewed_proof
        return self.up(stack, renew=proof, **options)

    def follow_until_done(self, stack: Stack, **options: Any) -> None:
        """Follow the messages, without mishaps, until the stack has its tenant."""
        for _ in range(MAX_RUNS):
            if self.follow_message(stack, **options).ok:
                break
        else:
            raise InvariantViolated(
                PROGRESS, f"{stack.location} still fails after {MAX_RUNS} runs: {stack.errors}"
            )
        if len(tenants := tenants_in(self.lab.state_of(stack.location))) != 1:
            raise InvariantViolated(PROGRESS, f"{stack.location} has the tenants {tenants}")

    def rename(self, stack: Stack, name: str) -> None:
        """Run `pulumi stack rename` and rename the file, if no stack has that name."""
        location = StackLocation(stack.location.backend, name)
        if location not in self._locations:
            state = self.lab.state_of(stack.location)
            self.lab.remove_state(stack.location)
            stack.location = location
            self._set_state(stack, state)

    def replace(self, stack: Stack, location: StackLocation, *, bring_back: bool = False) -> Stack:
        """Run `pulumi stack rm --force`, and use another customer's stack instead of this one.

        The other stack gets `location` if no stack is there, and otherwise the location of the removed stack.
        `bring_back`: it is the stack that was removed first, with its former state.
        """
        self._removed.append(stack)
        stack.last_state = self.lab.state_of(stack.location)
        self.lab.remove_state(stack.location)
        free_location = stack.location if location in self._locations else location
        removed_earlier = [removed for removed in self._removed if removed is not stack]
        returns = bring_back and bool(removed_earlier)
        new = removed_earlier[0] if returns else self._new_stack(free_location)
        self.stacks[self.stacks.index(stack)] = new
        if returns:
            self._removed.remove(new)
            new.location = free_location
            self._set_state(new, new.last_state)
        return new

    def import_state(self, stack: Stack, state: State) -> None:
        """Run `pulumi stack import` with a former state of this stack or of another one."""
        self.checker.record_import(stack, state)
        self._set_state(stack, state)

    def change_notes(self, machine: str, change: str) -> None:
        """Change the notes of a machine: they are "lost", "saved" to a copy, or "restored" from that copy."""
        notes, copy = self.lab.notes_of(machine), self.lab.notes_of(f"{machine}-saved")
        target, source = {"saved": (copy, notes), "restored": (notes, copy)}.get(change, (notes, None))
        shutil.rmtree(target, ignore_errors=True)
        if source and source.exists():
            shutil.copytree(source, target)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.lab.advance(seconds=seconds)
        self.checker.read_qlik()
        self.check_states()

    def check_states(self) -> None:
        """Check that each tenant is in exactly one state, or is named."""
        self.checker.check_states(
            {stack.location: self.lab.state_of(stack.location) for stack in self.stacks}
        )

    @property
    def _locations(self) -> set[StackLocation]:
        return {stack.location for stack in self.stacks}

    def _new_stack(self, location: StackLocation) -> Stack:
        name = CUSTOMER_NAMES[self._customers % len(CUSTOMER_NAMES)]
        self._customers += 1
        return Stack(location, self._customers, {"name": name, "lifecycle": LIFECYCLE})

    def _set_state(self, stack: Stack, state: State) -> None:
        self.lab.import_state(stack.location, state)
        stack.errors = ""
        stack.history.append(state)
        self.check_states()

    def _tenant_to_revive(self, stack: Stack, message: str, proof: str) -> CreatedTenant | None:
        """Return the customer's tenant created under that proof, or the newest one that the message shows.

        If the message shows none because the run has no list, the person looks in My Qlik.
        """
        shown = {hostname for hostname, _ in REVIVE.findall(message)}
        tenants = self.checker.tenants_of(stack.customer)
        under_proof = [tenant for tenant in tenants if tenant.request.proof == proof]
        visible = [tenant for tenant in tenants if tenant.hostname in shown or NO_LIST in message]
        return next(iter([*under_proof, *visible]), None)
