"""A change reaches a few customers first, and the next ones only if it went well there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from tenantry.fleet.members import RINGS, Member
from tenantry.fleet.selection import UnknownSelection, shuffle_key

BY_RING = "rings"


@dataclass(frozen=True)
class Wave:
    """The customers that a change reaches at the same time."""

    name: str
    members: tuple[Member, ...]


def split_into_waves(members: Sequence[Member], how: str) -> list[Wave]:
    """Return the members in waves, by `rings`, or by percentages that rise to all: `10%,50%,100%`.

    By percentages the inner rings come first, and within a ring the order says nothing; it is the same
    everywhere. Whose file does not tell its ring is of the first wave, so that it is noticed.
    Raises NothingLikeIt for what is neither.
    """
    if how == BY_RING:
        return [Wave(ring, tuple(member for member in members if _ring(member) == ring)) for ring in RINGS]
    shares = _shares(how)
    in_order = sorted(members, key=lambda member: (RINGS.index(_ring(member)), shuffle_key(member)))
    waves, begun = [], 0
    for share in shares:
        end = ceil(len(in_order) * share / 100)
        waves.append(Wave(f"{share}%", tuple(in_order[begun:end])))
        begun = max(begun, end)
    return waves


def _ring(member: Member) -> str:
    return RINGS[0] if "ring" in member.unknown else member.ring


def find_wave(waves: Sequence[Wave], name: str) -> list[Wave]:
    """Return the wave of that name, or of that number (from 1). Raises NothingLikeIt."""
    numbered = {str(number): wave for number, wave in enumerate(waves, start=1)}
    found = {wave.name: wave for wave in waves}.get(name) or numbered.get(name)
    if found is None:
        raise UnknownSelection(f"--wave {name}: the waves are {', '.join(wave.name for wave in waves)}")
    return [found]


def _shares(how: str) -> list[int]:
    parts = [re.fullmatch(r"(\d{1,3})%?", part.strip()) for part in how.split(",")]
    shares = [int(part[1]) for part in parts if part]
    grows = all(a < b for a, b in zip([0, *shares], shares, strict=False))
    if not all(parts) or not grows or shares[-1:] != [100]:
        raise UnknownSelection(
            f"--waves {how}: write `rings`, or percentages that rise to 100%, for example 10%,50%,100%"
        )
    return shares
