"""Random sequences of actions on several stacks, with a check of the promises after each step.

python -m tests.crash.sequences --examples 500          # other sequences each time
python -m tests.crash.sequences --examples 500 --seed 7 # the same again
python -m tests.crash.sequences --mutations             # check that it finds each broken product
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

from tests.crash.deeds import CALLED, SETTLED_SECONDS, Actions
from tests.crash.mutations import MUTATIONS
from tests.crash.site import STRIKES, STRIKES_OF_DESTROY, Place, Site, Stack
from tests.crash.truth import PromiseBroken

BACKENDS = ("east", "west")
NAMES = ("globex", "initech", "hooli")
MACHINES = ("a", "b")

SHORT = 70
LONG = 40 * 24 * 3600
"""Longer than the grace period."""

BATCH = 12

a_stack = st.integers(0, len(NAMES) - 1)
a_machine = st.sampled_from(MACHINES)
has_organisation = st.sampled_from((True, True, True, False))


class Sequences(RuleBasedStateMachine):
    """The stacks of three customers after one run each, and all actions on them."""

    def __init__(self, site: Site) -> None:
        super().__init__()
        self._site = site
        site.tell = note

    @initialize(lists_late=st.booleans(), strikes=st.tuples(*[st.sampled_from((*STRIKES,))] * len(NAMES)))
    def begin(self, lists_late: bool, strikes: tuple[str, ...]) -> None:
        places = tuple(Place(BACKENDS[0], name) for name in NAMES)
        self._actions = Actions(self._site, places, lists_late=lists_late)
        self._actions.stacks[-1].file["groups"] = {"Analysts": {}}
        for stack, strike in zip(self._actions.stacks, strikes, strict=True):
            self._actions.up(stack, strike=STRIKES[strike])

    @rule(stack=a_stack, machine=a_machine, organisation=has_organisation)
    def up(self, stack: int, machine: str, organisation: bool) -> None:
        self._actions.up(self._stack(stack), machine=machine, organisation=organisation)

    @rule(
        stack=a_stack,
        strike=st.sampled_from((*STRIKES,)[1:]),
        machine=a_machine,
        organisation=has_organisation,
    )
    def up_struck(self, stack: int, strike: str, machine: str, organisation: bool) -> None:
        struck = STRIKES[strike]
        self._actions.up(self._stack(stack), machine=machine, organisation=organisation, strike=struck)

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
        """With `twice`, the person pastes the last command that renews a proof a second time."""
        current, where = self._stack(stack), {"machine": machine, "organisation": organisation}
        self._actions.answer(current, comes_back=comes_back, strike=STRIKES[strike], **where)
        if twice and current.renewed:
            self._actions.up(current, renew=current.renewed, **where)

    @rule(stack=a_stack, machine=a_machine)
    def follow_until_done(self, stack: int, machine: str) -> None:
        self._actions.follow_until_done(self._stack(stack), machine=machine)

    @rule(
        stack=a_stack,
        strike=st.sampled_from((*STRIKES_OF_DESTROY,)),
        machine=a_machine,
        organisation=has_organisation,
    )
    def destroy(self, stack: int, strike: str, machine: str, organisation: bool) -> None:
        struck = STRIKES_OF_DESTROY[strike]
        self._actions.run(
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
        self._actions.rename(self._stack(stack), name)

    @rule(stack=a_stack, backend=st.sampled_from(BACKENDS), name=st.sampled_from(NAMES), back=st.booleans())
    def replace(self, stack: int, backend: str, name: str, back: bool) -> None:
        self._actions.replace(self._stack(stack), Place(backend, name), back=back)

    @rule(source=a_stack, taker=a_stack, age=st.integers(0, 3), machine=st.sampled_from((*MACHINES, "")))
    def copy_or_roll_back(self, source: int, taker: int, age: int, machine: str) -> None:
        """With a machine, run the stack there at once."""
        if history := self._stack(source).history[-1 - age :]:
            self._actions.import_state(self._stack(taker), history[0])
            if machine:
                self._actions.up(self._stack(taker), machine=machine)

    @rule(machine=a_machine, then=st.sampled_from(("lost", "kept", "put back")))
    def notes(self, machine: str, then: str) -> None:
        self._actions.notes(machine, then)

    @rule(seconds=st.sampled_from((SETTLED_SECONDS, SHORT, LONG)))
    def wait(self, seconds: int) -> None:
        self._actions.wait(seconds)

    def teardown(self) -> None:
        violations, self._site.violations[:] = list(self._site.violations), []
        assert not violations, "\n".join(violations)

    def _stack(self, number: int) -> Stack:
        return self._actions.stacks[number]


def search(site: Site, *, examples: int, steps: int, number: int, shrink: bool = True) -> None:
    """Try sequences of `steps` steps; raise the error of the shortest failing sequence.

    The sequences depend only on `number`. Without `shrink`, raise the error of the first failing sequence.
    """

    def begin() -> Sequences:
        return Sequences(site)

    # Hypothesis varies earlier examples, so restart it now and then to get different ones.
    for batch, done in enumerate(range(0, examples, BATCH)):
        run_state_machine_as_test(
            seed(number * 10_000 + batch)(begin),  # type: ignore[arg-type]  # any function that returns a machine is fine
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
    """Search; print the failing sequence at the end."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--examples", type=int, default=500, help="number of sequences")
    options.add_argument("--steps", type=int, default=15, help="number of steps per sequence")
    options.add_argument(
        "--seed", type=int, default=randrange(100_000), help="repeat the sequences of this seed"
    )
    options.add_argument(
        "--mutations",
        action="store_true",
        help="check that the search finds each mutation",
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
    except PromiseBroken as found:
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
