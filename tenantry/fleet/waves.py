"""Waves of a run. A change reaches a few customers first, and the next ones only if it succeeded."""

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
    """Split the members into waves: by `rings`, or by rising percentages such as `10%,50%,100%`.

    With percentages, the inner rings come first. Within a ring the order is arbitrary, but the same on every
    machine. A member whose ring is unknown is in the first wave, so that it gets noticed. Raises
    UnknownSelection for any other text.
    """
    if how == BY_RING:
        return [Wave(ring, tuple(member for member in members if _ring(member) == ring)) for ring in RINGS]
    shares = _shares(how)
    in_order = sorted(members, key=lambda member: (RINGS.index(_ring(member)), shuffle_key(member)))
    waves, start = [], 0
    for share in shares:
        end = ceil(len(in_order) * share / 100)
        waves.append(Wave(f"{share}%", tuple(in_order[start:end])))
        start = max(start, end)
    return waves


def _ring(member: Member) -> str:
    return RINGS[0] if "ring" in member.unknown else member.ring


def find_wave(waves: Sequence[Wave], name: str) -> list[Wave]:
    """Return the wave with this name or number (from 1). Raises UnknownSelection."""
    by_number = {str(number): wave for number, wave in enumerate(waves, start=1)}
    found = {wave.name: wave for wave in waves}.get(name) or by_number.get(name)
    if found is None:
        raise UnknownSelection(f"--wave {name}: the waves are {', '.join(wave.name for wave in waves)}")
    return [found]


def _shares(how: str) -> list[int]:
    parts = [re.fullmatch(r"(\d{1,3})%?", part.strip()) for part in how.split(",")]
    shares = [int(part[1]) for part in parts if part]
    grows = all(a < b for a, b in zip([0, *shares], shares, strict=False))
    if not all(parts) or not grows or shares[-1:] != [100]:
        raise UnknownSelection(
            f"--waves {how}: write `rings`, or rising percentages that end at 100%, such as 10%,50%,100%"
        )
    return shares
