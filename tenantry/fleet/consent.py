"""What the user has agreed to: the stacks as a preview showed them, and whether they are still the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tenantry.fleet.changes import code_digest
from tenantry.fleet.members import Member
from tenantry.fleet.outcome import Outcome
from tenantry.state.backend import Backend, PulumiFailed

DECLINED = "you answered no"
"""The reason of a run that stopped because the user answered no."""


@dataclass(frozen=True)
class WaveDecision:
    """The decision about the stacks of a wave.

    The run works on `members`. `outcomes` are the results of the other stacks: their previews failed or found
    no changes. `stop` is the reason if the run ends here.
    """

    members: Sequence[Member]
    outcomes: Sequence[Outcome] = ()
    stop: str = ""


Consent = Callable[[Sequence[Member], int | None], WaveDecision]
"""Asks for consent to the stacks of a wave, just before it. The number is how many may fail (None: any)."""


def fingerprints(root: Path, members: Iterable[Member]) -> Mapping[str, str]:
    """Return a fingerprint for each stack. It changes with the stack's files, plans, keys, code or state.

    The time of the last update stands for the state: one command reads it for all stacks. If the backend does
    not report it, the fingerprint has no state. The previews have reported that error.
    """
    code, states = code_digest(root), _states(root)
    return {member.stack: _stamp(member, code, states.get(member.stack, "")) for member in members}


def _stamp(member: Member, code: str, state: str) -> str:
    total = hashlib.sha256(f"{code}\0{state}\0{member.digest}\0".encode())
    for file in member.files or (member.file,):
        total.update(f"{file}\0".encode())
        with suppress(OSError):
            total.update(file.read_bytes())
    return total.hexdigest()


def _states(root: Path) -> Mapping[str, str]:
    try:
        listed = json.loads(Backend(root).run("stack", "ls", "--json"))
    except PulumiFailed:
        return {}
    facts = ("lastUpdate", "resourceCount", "updateInProgress")
    return {
        str(stack["name"]).rpartition("/")[2]: json.dumps([stack.get(fact) for fact in facts])
        for stack in listed
    }
