"""Actions on several customers' stacks, with a check of the promises after each action."""

from __future__ import annotations

import re
import shutil
from typing import Any

from tenantry.providers.framework.facts import RENEW, nothing_created_in
from tenantry.state.entries import split
from tests.crash.lab import Run
from tests.crash.resources import State
from tests.crash.site import NO_STRIKE, Place, Site, Stack, Strike, proof_in, tenants_in
from tests.crash.truth import NO_LIST, PROGRESS, TOO_EARLY, CreatedTenant, PromiseBroken, RunKnowledge, Truth

CALLED = ("Globex", "Initech", "Hooli")
LIFECYCLE = {"kind": "trial", "ends_on": "2999-12-31", "grace_days": 10}

SETTLED_SECONDS = 900
"""Seconds after which a request can have no effect any more."""
MAX_RUNS = 8
"""The maximum number of runs of a careful person."""

REVIVE = re.compile(r"revive: \{hostname: ([\w.-]+), tenant_id: (\w+)\}")


class Actions:
    """Actions on stacks, starting with one stack per place. All methods raise PromiseBroken."""

    def __init__(self, site: Site, places: tuple[Place, ...], *, lists_late: bool = False) -> None:
        site.clear(lists_late=lists_late)
        self.site, self.truth = site, Truth(site)
        self._customers = 0
        self.stacks = [self._new(place) for place in places]
        self._removed: list[Stack] = []

    def up(self, stack: Stack, **options: Any) -> Run:
        """`pulumi up`, with the options of `Site.run`."""
        return self.run(stack, "up", **options)

    def run(
        self, stack: Stack, command: str, *, strike: Strike = NO_STRIKE, by_hand: bool = True, **options: Any
    ) -> Run:
        """Run a command of a stack. `by_hand`: a person, not `tenantry up`, renews the proof."""
        before = self.site.state_of(stack.place)
        run = self.site.run(stack, command, strike=strike, **options)
        after = self.site.state_of(stack.place)
        stack.errors = "\n".join(run.errors)
        if after.as_json() != before.as_json():
            stack.history.append(after)
        old, new = (proof_in(state).get("id", "") for state in (before, after))
        if new != old and options.get("renew") == old:
            self.truth.renewed(old, new, by_hand=by_hand)
        self.truth.learn(stack, run)
        others = [
            self.site.state_of(other_stack.place) for other_stack in self.stacks if other_stack is not stack
        ]
        elsewhere = {hostname for state in others for hostname in tenants_in(state)}
        undisturbed = command == "up" and strike is NO_STRIKE
        self.truth.judge(
            stack, run, before, RunKnowledge(options.get("organisation", True), undisturbed, elsewhere)
        )
        self.look()
        return run

    def answer(
        self, stack: Stack, *, comes_back: bool = True, strike: Strike = NO_STRIKE, **options: Any
    ) -> Run:
        """Follow the message of the last run, as a careful person who knows the owner of each tenant.

        `comes_back`: the person wants the deactivated tenant again, and not a new one. The person uses
        `tenantry up`: if a run is certain that nothing was made, another run renews the proof at once.
        """
        text, renew = stack.errors, ""
        if nothing_created_in(text):
            text = "\n".join(self.up(stack, **options).errors)
            if certain := nothing_created_in(text):
                return self._renew(stack, certain, by_hand=False, strike=strike, **options)
        if TOO_EARLY in text:
            self.wait(SETTLED_SECONDS)
        elif "tenantry forget" in text or "No tenant answers at" in text:
            left = split({"deployment": self.site.state_of(stack.place).as_json()}).rest["deployment"]
            self._put(stack, State.from_json(left))
        elif RENEW in text:
            self.wait(SETTLED_SECONDS)  # the person waits for a certain result
            (proof,) = set(re.findall(rf"{RENEW}=([0-9a-f]+)", text))
            mine = self._mine(stack, text, proof)
            if mine and (comes_back or mine.asked.proof == proof):
                stack.file["revive"] = {"hostname": mine.hostname, "tenant_id": mine.id}
            else:
                renew = proof
        return self._renew(stack, renew, by_hand=True, strike=strike, **options)

    def _renew(self, stack: Stack, proof: str, **options: Any) -> Run:
        stack.renewed = proof or stack.renewed
        return self.up(stack, renew=proof, **options)

    def follow_until_done(self, stack: Stack, **options: Any) -> None:
        """Follow the messages, without mishaps, until the stack has its tenant."""
        for _ in range(MAX_RUNS):
            if self.answer(stack, **options).ok:
                break
        else:
            raise PromiseBroken(PROGRESS, f"{stack.place} still fails after {MAX_RUNS} runs: {stack.errors}")
        if len(has := tenants_in(self.site.state_of(stack.place))) != 1:
            raise PromiseBroken(PROGRESS, f"{stack.place} has the tenants {has}")

    def rename(self, stack: Stack, name: str) -> None:
        """Run `pulumi stack rename` and rename the file, if no stack has that name."""
        place = Place(stack.place.backend, name)
        if place not in self._places:
            state = self.site.state_of(stack.place)
            self.site.remove_state(stack.place)
            stack.place = place
            self._put(stack, state)

    def replace(self, stack: Stack, place: Place, *, back: bool = False) -> Stack:
        """Run `pulumi stack rm --force`, and put the stack of another customer in its place.

        The new stack is at `place` if that is free. `back`: it is the stack that was removed first, with its
        former state.
        """
        self._removed.append(stack)
        stack.kept = self.site.state_of(stack.place)
        self.site.remove_state(stack.place)
        free = stack.place if place in self._places else place
        others = [name for name in self._removed if name is not stack]
        new = others[0] if back and others else self._new(free)
        self.stacks[self.stacks.index(stack)] = new
        if new in others:
            self._removed.remove(new)
            new.place = free
            self._put(new, new.kept)
        return new

    def import_state(self, stack: Stack, state: State) -> None:
        """Run `pulumi stack import` with a former state of this stack or of another one."""
        self.truth.brought(stack, state)
        self._put(stack, state)

    def notes(self, machine: str, then: str) -> None:
        """Change the notes of a machine: they are "lost", "kept" in a copy, or "put back" from that copy."""
        there, kept = self.site.notes_of(machine), self.site.notes_of(f"{machine}-kept")
        old, new = {"kept": (kept, there), "put back": (there, kept)}.get(then, (there, None))
        shutil.rmtree(old, ignore_errors=True)
        if new and new.exists():
            shutil.copytree(new, old)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.site.advance(seconds=seconds)
        self.truth.learn()
        self.look()

    def look(self) -> None:
        """Check that each tenant is in exactly one state, or is named."""
        self.truth.judge_states(
            {other_stack.place: self.site.state_of(other_stack.place) for other_stack in self.stacks}
        )

    @property
    def _places(self) -> set[Place]:
        return {other_stack.place for other_stack in self.stacks}

    def _new(self, place: Place) -> Stack:
        called = CALLED[self._customers % len(CALLED)]
        self._customers += 1
        return Stack(place, self._customers, {"name": called, "lifecycle": LIFECYCLE})

    def _put(self, stack: Stack, state: State) -> None:
        self.site.put_state(stack.place, state)
        stack.errors = ""
        stack.history.append(state)
        self.look()

    def _mine(self, stack: Stack, text: str, proof: str) -> CreatedTenant | None:
        """Return the customer's tenant created under that proof, or the newest one that the message shows.

        If the message shows none because the run has no list, the person looks in My Qlik.
        """
        shown = {hostname for hostname, _ in REVIVE.findall(text)}
        mine = self.truth.of(stack.customer)
        asked = [tenant for tenant in mine if tenant.asked.proof == proof]
        others = [tenant for tenant in mine if tenant.hostname in shown or NO_LIST in text]
        return next(iter([*asked, *others]), None)
