"""All that is done to several customers' stacks, and after each a look at whether what is promised holds."""

from __future__ import annotations

import re
import shutil
from typing import Any

from tenantry.providers.framework.facts import RENEW, nothing_made_in
from tenantry.state.entries import split
from tests.crash.lab import Run
from tests.crash.resources import State
from tests.crash.site import NOTHING, Place, Site, Stack, Strike, proof_in, tenants_in
from tests.crash.truth import NO_LIST, PROGRESS, TOO_EARLY, Broken, Look, Made, Truth

CALLED = ("Globex", "Initech", "Hooli")
LIFECYCLE = {"kind": "trial", "ends_on": "2999-12-31", "grace_days": 10}

SETTLED = 900
"""Seconds after which nothing can come of a request any more."""
RUNS = 8
"""How many runs a careful person may need."""

REVIVE = re.compile(r"revive: \{hostname: ([\w.-]+), tenant_id: (\w+)\}")


class Deeds:
    """Some stacks, beginning with one for each of the places. Everything raises Broken."""

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
        self, stack: Stack, command: str, *, strike: Strike = NOTHING, by_hand: bool = True, **options: Any
    ) -> Run:
        """Run a command of a stack. `by_hand`: if a proof is renewed, it is a person who wants that."""
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
        undisturbed = command == "up" and strike is NOTHING
        self.truth.judge(stack, run, before, Look(options.get("organisation", True), undisturbed, elsewhere))
        self.look()
        return run

    def answer(
        self, stack: Stack, *, comes_back: bool = True, strike: Strike = NOTHING, **options: Any
    ) -> Run:
        """Do what the last run's message says, as a careful person who knows which tenant is whose.

        `comes_back`: a tenant that was taken down is wanted again, rather than a new one. The person uses
        `tenantry up`: where a run is certain that nothing was made, another one renews the proof at once.
        """
        text, renew = stack.errors, ""
        if nothing_made_in(text):
            text = "\n".join(self.up(stack, **options).errors)
            if certain := nothing_made_in(text):
                return self._renew(stack, certain, by_hand=False, strike=strike, **options)
        if TOO_EARLY in text:
            self.wait(SETTLED)
        elif "tenantry forget" in text or "No tenant answers at" in text:
            left = split({"deployment": self.site.state_of(stack.place).as_json()}).rest["deployment"]
            self._put(stack, State.from_json(left))
        elif RENEW in text:
            self.wait(SETTLED)  # nobody answers before it is certain what came of the request
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

    def see_to(self, stack: Stack, **options: Any) -> None:
        """Answer until the stack has its tenant, with nothing going wrong meanwhile."""
        for _ in range(RUNS):
            if self.answer(stack, **options).ok:
                break
        else:
            raise Broken(PROGRESS, f"{stack.place} still says after {RUNS} runs: {stack.errors}")
        if len(has := tenants_in(self.site.state_of(stack.place))) != 1:
            raise Broken(PROGRESS, f"{stack.place} has the tenants {has}")

    def rename(self, stack: Stack, name: str) -> None:
        """`pulumi stack rename`, and of the file with it, if there is no stack of that name."""
        place = Place(stack.place.backend, name)
        if place not in self._places:
            state = self.site.state_of(stack.place)
            self.site.remove_state(stack.place)
            stack.place = place
            self._put(stack, state)

    def replace(self, stack: Stack, place: Place, *, back: bool = False) -> Stack:
        """`pulumi stack rm --force`, and the stack of another customer in its place.

        It is at `place` if that is free. `back`: it is the one that was removed the longest time ago, and has
        its state again.
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

    def bring(self, stack: Stack, state: State) -> None:
        """`pulumi stack import` of a former state, its own or another stack's."""
        self.truth.brought(stack, state)
        self._put(stack, state)

    def notes(self, machine: str, then: str) -> None:
        """The notes of a machine are "lost", "kept" somewhere, or "put back" as they were then."""
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
        """See whether each tenant is held once, or named."""
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

    def _mine(self, stack: Stack, text: str, proof: str) -> Made | None:
        """The tenant that was made for this customer under that proof, or the newest that a message shows.

        Where it shows none for want of a list, the person looks in My Qlik.
        """
        shown = {hostname for hostname, _ in REVIVE.findall(text)}
        mine = self.truth.of(stack.customer)
        asked = [tenant for tenant in mine if tenant.asked.proof == proof]
        others = [tenant for tenant in mine if tenant.hostname in shown or NO_LIST in text]
        return next(iter([*asked, *others]), None)
