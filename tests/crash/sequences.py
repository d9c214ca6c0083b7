"""Random sequences of all that is done to several stacks, and what must hold after each step.

python -m tests.crash.sequences --examples 500          # other sequences each time
python -m tests.crash.sequences --examples 500 --seed 7 # the same again
python -m tests.crash.sequences --mutations             # whether it finds out each broken product
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import randrange

from hypothesis import HealthCheck, Phase, note, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.crash.deeds import CALLED, SETTLED, Deeds
from tests.crash.mutations import MUTATIONS
from tests.crash.site import STRIKES, STRIKES_OF_DESTROY, Place, Site, Stack
from tests.crash.truth import Broken

BACKENDS = ("east", "west")
NAMES = ("globex", "initech", "hooli")
MACHINES = ("a", "b")

SHORT = 70
LONG = 40 * 24 * 3600
"""Longer than the days of grace."""

BATCH = 12

a_stack = st.integers(0, len(NAMES) - 1)
a_machine = st.sampled_from(MACHINES)
has_organisation = st.sampled_from((True, True, True, False))


class Sequences(RuleBasedStateMachine):
    """Three customers' stacks, each of which was run once, and all that can be done to them."""

    def __init__(self, site: Site) -> None:
        super().__init__()
        self._site = site
        site.tell = note

    @initialize(lists_late=st.booleans(), strikes=st.tuples(*[st.sampled_from((*STRIKES,))] * len(NAMES)))
    def begin(self, lists_late: bool, strikes: tuple[str, ...]) -> None:
        places = tuple(Place(BACKENDS[0], name) for name in NAMES)
        self._deeds = Deeds(self._site, places, lists_late=lists_late)
        self._deeds.stacks[-1].file["groups"] = {"Analysts": {}}
        for stack, strike in zip(self._deeds.stacks, strikes, strict=True):
            self._deeds.up(stack, strike=STRIKES[strike])

    @rule(stack=a_stack, machine=a_machine, organisation=has_organisation)
    def up(self, stack: int, machine: str, organisation: bool) -> None:
        self._deeds.up(self._stack(stack), machine=machine, organisation=organisation)

    @rule(
        stack=a_stack,
        strike=st.sampled_from((*STRIKES,)[1:]),
        machine=a_machine,
        organisation=has_organisation,
    )
    def up_struck(self, stack: int, strike: str, machine: str, organisation: bool) -> None:
        struck = STRIKES[strike]
        self._deeds.up(self._stack(stack), machine=machine, organisation=organisation, strike=struck)

    @rule(
        stack=a_stack,
        machine=a_machine,
        organisation=has_organisation,
        comes_back=st.booleans(),
        strike=st.one_of(st.just("nothing"), st.sampled_from((*STRIKES,))),
        twice=st.booleans(),
    )
    def answer(
        self, stack: int, machine: str, organisation: bool, comes_back: bool, strike: str, twice: bool
    ) -> None:
        """With `twice` the last command that renews a proof is pasted once more."""
        current, where = self._stack(stack), {"machine": machine, "organisation": organisation}
        self._deeds.answer(current, comes_back=comes_back, strike=STRIKES[strike], **where)
        if twice and current.renewed:
            self._deeds.up(current, renew=current.renewed, **where)

    @rule(stack=a_stack, machine=a_machine)
    def see_to(self, stack: int, machine: str) -> None:
        self._deeds.see_to(self._stack(stack), machine=machine)

    @rule(
        stack=a_stack,
        strike=st.sampled_from((*STRIKES_OF_DESTROY,)),
        machine=a_machine,
        organisation=has_organisation,
    )
    def destroy(self, stack: int, strike: str, machine: str, organisation: bool) -> None:
        struck = STRIKES_OF_DESTROY[strike]
        self._deeds.run(
            self._stack(stack), "destroy", machine=machine, organisation=organisation, strike=struck
        )

    @rule(stack=a_stack, called=st.sampled_from(CALLED))
    def call_the_customer(self, stack: int, called: str) -> None:
        self._stack(stack).file["name"] = called

    @rule(stack=a_stack)
    def take_the_line_out(self, stack: int) -> None:
        self._stack(stack).file.pop("revive", None)

    @rule(stack=a_stack, name=st.sampled_from((*NAMES, "umbrella")))
    def rename(self, stack: int, name: str) -> None:
        self._deeds.rename(self._stack(stack), name)

    @rule(stack=a_stack, backend=st.sampled_from(BACKENDS), name=st.sampled_from(NAMES), back=st.booleans())
    def replace(self, stack: int, backend: str, name: str, back: bool) -> None:
        self._deeds.replace(self._stack(stack), Place(backend, name), back=back)

    @rule(source=a_stack, taker=a_stack, age=st.integers(0, 3), machine=st.sampled_from((*MACHINES, "")))
    def copy_or_roll_back(self, source: int, taker: int, age: int, machine: str) -> None:
        """With a machine it is run there at once."""
        if history := self._stack(source).history[-1 - age :]:
            self._deeds.bring(self._stack(taker), history[0])
            if machine:
                self._deeds.up(self._stack(taker), machine=machine)

    @rule(machine=a_machine, then=st.sampled_from(("lost", "kept", "put back")))
    def notes(self, machine: str, then: str) -> None:
        self._deeds.notes(machine, then)

    @rule(seconds=st.sampled_from((SETTLED, SHORT, LONG)))
    def wait(self, seconds: int) -> None:
        self._deeds.wait(seconds)

    def teardown(self) -> None:
        violations, self._site.violations[:] = list(self._site.violations), []
        assert not violations, "\n".join(violations)

    def _stack(self, number: int) -> Stack:
        return self._deeds.stacks[number]


def search(site: Site, *, examples: int, steps: int, number: int, shrink: bool = True) -> None:
    """Try sequences of so many steps; raise what the shortest ends with that shows something wrong.

    They are the same for the same `number`. Without `shrink` it is the first, and not the shortest.
    """

    def begin() -> Sequences:
        return Sequences(site)

    # Hypothesis varies what it has tried: to try something else it has to begin anew now and then.
    for batch, done in enumerate(range(0, examples, BATCH)):
        run_state_machine_as_test(
            seed(number * 10_000 + batch)(begin),  # type: ignore[arg-type]  # whatever returns one will do
            settings=settings(
                max_examples=min(BATCH, examples - done),
                stateful_step_count=steps,
                phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
                database=None,
                deadline=None,
                derandomize=True,
                suppress_health_check=list(HealthCheck),
                report_multiple_bugs=False,
                print_blob=False,
            ),
        )


def main() -> int:
    """Search; the sequence that fails is the end of what is printed."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--examples", type=int, default=500, help="how many sequences")
    options.add_argument("--steps", type=int, default=15, help="how long they are")
    options.add_argument("--seed", type=int, default=randrange(100_000), help="the same sequences each time")
    options.add_argument(
        "--mutations", action="store_true", help="break the product instead, in one place each"
    )
    given = options.parse_args()
    print(f"--seed {given.seed}", flush=True)
    if given.mutations:
        return max(_misses(name, given.examples, given.steps, given.seed) for name in MUTATIONS)
    with _place() as folder, Site(folder) as site:
        search(site, examples=given.examples, steps=given.steps, number=given.seed)
    return 0


def _misses(name: str, examples: int, steps: int, number: int) -> int:
    try:
        with _place() as folder, Site(folder, MUTATIONS[name].breaks) as site:
            search(site, examples=examples, steps=steps, number=number, shrink=False)
    except Broken as found:
        print(f"{name}: {found}\n", flush=True)
        return 0
    print(f"{name}: NOT FOUND\n", flush=True)
    return 1


@contextmanager
def _place() -> Iterator[Path]:
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="sequences-", dir=memory if memory.is_dir() else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
