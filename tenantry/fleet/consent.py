"""The user's consent to a run over stacks as a preview showed them, and a check that they are unchanged."""

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

    The run works on `members`. `outcomes` are the results of the other stacks, whose previews failed or found
    no changes. `stop` is the reason if the run ends here.
    """

    members: Sequence[Member]
    outcomes: Sequence[Outcome] = ()
    stop: str = ""


Consent = Callable[[Sequence[Member], int | None], WaveDecision]
"""A request for consent to a wave's stacks, just before it. The number is how many may fail (None: any)."""


def fingerprints(root: Path, members: Iterable[Member]) -> Mapping[str, str]:
    """Return a fingerprint for each stack. It changes with the stack's files, plans, keys, code or state.

    The state is represented by the time of its last update, which one command reads for all stacks. If that
    command fails, the fingerprint has no state. The previews have already reported the error.
    """
    code, states = code_digest(root), _states(root)
    return {member.stack: _stamp(member, code, states.get(member.stack, "")) for member in members}


def _stamp(member: Member, code: str, state: str) -> str:
    digest = hashlib.sha256(f"{code}\0{state}\0{member.digest}\0".encode())
    for file in member.files or (member.file,):
        digest.update(f"{file}\0".encode())
        with suppress(OSError):
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _states(root: Path) -> Mapping[str, str]:
    try:
        stacks = json.loads(Backend(root).run("stack", "ls", "--json"))
    except PulumiFailed:
        return {}
    keys = ("lastUpdate", "resourceCount", "updateInProgress")
    return {
        str(stack["name"]).rpartition("/")[2]: json.dumps([stack.get(key) for key in keys])
        for stack in stacks
    }
