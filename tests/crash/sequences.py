"""Random sequences of actions on several stacks, with a check of the invariants after each step.

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

from tests.crash.actions import CUSTOMER_NAMES, SETTLED_SECONDS, Actions
from tests.crash.invariants import InvariantViolated
from tests.crash.multi_stack_lab import (
    DESTROY_DISRUPTIONS,
    UP_DISRUPTIONS,
    MultiStackLab,
    Stack,
    StackLocation,
)
from tests.crash.mutations import MUTATIONS

BACKENDS = ("east", "west")
NAMES = ("globex", "initech", "hooli")
MACHINES = ("a", "b")

SHORT_SECONDS = 70
LONG_SECONDS = 40 * 24 * 3600
"""Longer than the grace period."""

BATCH = 12

stack_numbers = st.integers(0, len(NAMES) - 1)
machines = st.sampled_from(MACHINES)
has_organisation = st.sampled_from((True, True, True, False))


class Sequences(RuleBasedStateMachine):
    """The stacks of three customers after one run each, and all actions on them."""

    def __init__(self, lab: MultiStackLab) -> None:
        super().__init__()
        self._lab = lab
        lab.report = note

    @initialize(
        late_lists=st.booleans(),
        disruptions=st.tuples(*[st.sampled_from((*UP_DISRUPTIONS,))] * len(NAMES)),
    )
    def begin(self, late_lists: bool, disruptions: tuple[str, ...]) -> None:
        locations = tuple(StackLocation(BACKENDS[0], name) for name in NAMES)
        self._actions = Actions(self._lab, locations, late_lists=late_lists)
        self._actions.stacks[-1].file["groups"] = {"Analysts": {}}
        for stack, disruption in zip(self._actions.stacks, disruptions, strict=True):
            self._actions.up(stack, disruption=UP_DISRUPTIONS[disruption])

    @rule(stack=stack_numbers, machine=machines, organisation=has_organisation)
    def up(self, stack: int, machine: str, organisation: bool) -> None:
        self._actions.up(self._stack(stack), machine=machine, organisation=organisation)

    @rule(
        stack=stack_numbers,
        disruption=st.sampled_from((*UP_DISRUPTIONS,)[1:]),
        machine=machines,
        organisation=has_organisation,
    )
    def up_disrupted(self, stack: int, disruption: str, machine: str, organisation: bool) -> None:
        self._actions.up(
            self._stack(stack),
            machine=machine,
            organisation=organisation,
            disruption=UP_DISRUPTIONS[disruption],
        )

    @rule(
        stack=stack_numbers,
        machine=machines,
        organisation=has_organisation,
        wants_old_tenant=st.booleans(),
        disruption=st.one_of(st.just("nothing"), st.sampled_from((*UP_DISRUPTIONS,))),
        paste_twice=st.booleans(),
    )
    def follow_message(
        self,
        stack: int,
        machine: str,
        organisation: bool,
        wants_old_tenant: bool,
        disruption: str,
        paste_twice: bool,
    ) -> None:
        """With `paste_twice`, the person runs the last command that renews a proof a second time."""
        current, runner = self._stack(stack), {"machine": machine, "organisation": organisation}
        self._actions.follow_message(
            current, wants_old_tenant=wants_old_tenant, disruption=UP_DISRUPTIONS[disruption], **runner
        )
        if paste_twice and current.renewed_proof:
            self._actions.up(current, renew=current.renewed_proof, **runner)

    @rule(stack=stack_numbers, machine=machines)
    def follow_until_done(self, stack: int, machine: str) -> None:
        self._actions.follow_until_done(self._stack(stack), machine=machine)

    @rule(
        stack=stack_numbers,
        disruption=st.sampled_from((*DESTROY_DISRUPTIONS,)),
        machine=machines,
        organisation=has_organisation,
    )
    def destroy(self, stack: int, disruption: str, machine: str, organisation: bool) -> None:
        self._actions.run(
            self._stack(stack),
            "destroy",
            machine=machine,
            organisation=organisation,
            disruption=DESTROY_DISRUPTIONS[disruption],
        )

    @rule(stack=stack_numbers, name=st.sampled_from(CUSTOMER_NAMES))
    def change_customer_name(self, stack: int, name: str) -> None:
        self._stack(stack).file["name"] = name

    @rule(stack=stack_numbers)
    def remove_revive_key(self, stack: int) -> None:
        self._stack(stack).file.pop("revive", None)

    @rule(stack=stack_numbers, name=st.sampled_from((*NAMES, "umbrella")))
    def rename(self, stack: int, name: str) -> None:
        self._actions.rename(self._stack(stack), name)

    @rule(
        stack=stack_numbers,
        backend=st.sampled_from(BACKENDS),
        name=st.sampled_from(NAMES),
        bring_back=st.booleans(),
    )
    def replace(self, stack: int, backend: str, name: str, bring_back: bool) -> None:
        self._actions.replace(self._stack(stack), StackLocation(backend, name), bring_back=bring_back)

    @rule(
        source=stack_numbers,
        destination=stack_numbers,
        age=st.integers(0, 3),
        machine=st.sampled_from((*MACHINES, "")),
    )
    def copy_or_roll_back(self, source: int, destination: int, age: int, machine: str) -> None:
        """With a machine, run the destination stack there at once."""
        if history := self._stack(source).history[-1 - age :]:
            self._actions.import_state(self._stack(destination), history[0])
            if machine:
                self._actions.up(self._stack(destination), machine=machine)

    @rule(machine=machines, change=st.sampled_from(("lost", "saved", "restored")))
    def change_notes(self, machine: str, change: str) -> None:
        self._actions.change_notes(machine, change)

    @rule(seconds=st.sampled_from((SETTLED_SECONDS, SHORT_SECONDS, LONG_SECONDS)))
    def wait(self, seconds: int) -> None:
        self._actions.wait(seconds)

    def teardown(self) -> None:
        violations, self._lab.violations[:] = list(self._lab.violations), []
        assert not violations, "\n".join(violations)

    def _stack(self, number: int) -> Stack:
        return self._actions.stacks[number]


def search(lab: MultiStackLab, *, examples: int, steps: int, number: int, shrink: bool = True) -> None:
    """Try sequences of `steps` steps; raise the error of the shortest failing sequence.

    The sequences depend only on `number`. Without `shrink`, raise the error of the first failing sequence.
    """

    def begin() -> Sequences:
        return Sequences(lab)

    # Hypothesis varies earlier examples, so start it again for each batch to get different ones.
    for batch, finished in enumerate(range(0, examples, BATCH)):
        run_state_machine_as_test(
            seed(number * 10_000 + batch)(begin),  # type: ignore[arg-type]  # any function that returns a machine works
            settings=settings(
                max_examples=min(BATCH, examples - finished),
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
    """Search, and print the failing sequence at the end."""
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
    arguments = options.parse_args()
    print(f"--seed {arguments.seed}", flush=True)
    if arguments.mutations:
        return max(
            _misses_mutation(name, arguments.examples, arguments.steps, arguments.seed) for name in MUTATIONS
        )
    with _temporary_folder() as folder, MultiStackLab(folder) as lab:
        search(lab, examples=arguments.examples, steps=arguments.steps, number=arguments.seed)
    return 0


def _misses_mutation(name: str, examples: int, steps: int, number: int) -> int:
    """Return 1 if the search does not find a mutation, as an exit code."""
    try:
        with _temporary_folder() as folder, MultiStackLab(folder, MUTATIONS[name].apply) as lab:
            search(lab, examples=examples, steps=steps, number=number, shrink=False)
    except InvariantViolated as error:
        print(f"{name}: {error}\n", flush=True)
        return 0
    print(f"{name}: NOT FOUND\n", flush=True)
    return 1


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="sequences-", dir=memory if memory.is_dir() else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
