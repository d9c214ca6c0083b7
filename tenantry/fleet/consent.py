"""What a person has agreed to: stacks as a preview showed them, and what tells whether one still is so."""

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

DECLINED = "the answer was no"
"""The reason for which a run was stopped whose question was answered so."""


@dataclass(frozen=True)
class WaveDecision:
    """What is to be done with the stacks of a wave: `members` have their turn, `outcomes` are of those that
    have none, as their previews failed or found nothing to do. `stop`: why the run ends here, if it does.
    """

    members: Sequence[Member]
    outcomes: Sequence[Outcome] = ()
    stop: str = ""


Consent = Callable[[Sequence[Member], int | None], WaveDecision]
"""Asks for the stacks of a wave, just before its turn, and is told how many of them may fail (None: any)."""


def fingerprints(root: Path, members: Iterable[Member]) -> Mapping[str, str]:
    """Return, for each stack, what differs as soon as its files, plans, keys, the code, or its state do.

    The state is told by the time of its last update, in one command for all stacks. Where the backend does
    not tell, that is no part of it: the previews have said why.
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
