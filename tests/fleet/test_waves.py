"""Waves: the order in which a change reaches the customers."""

from __future__ import annotations

import pytest

from tenantry.fleet.selection import UnknownSelection
from tenantry.fleet.waves import find_wave, split_into_waves
from tests.fleet.samples import member

RINGS = {"p1": "pilot", "e1": "early", "e2": "early"}
MEMBERS = [member(name, ring=ring) for name, ring in RINGS.items()]
MEMBERS += [member(f"b{number}") for number in range(17)]


def test_each_ring_is_a_wave() -> None:
    waves = split_into_waves(MEMBERS, "rings")
    assert [wave.name for wave in waves] == ["pilot", "early", "broad"]
    assert [len(wave.members) for wave in waves] == [1, 2, 17]


def test_with_percentages_the_inner_rings_come_first() -> None:
    waves = split_into_waves(MEMBERS, "10%, 50%,100%")
    assert [wave.name for wave in waves] == ["10%", "50%", "100%"]
    assert [len(wave.members) for wave in waves] == [2, 8, 10]
    assert waves[0].members[0].stack == "p1"
    assert "e1" in {member.stack for wave in waves[:2] for member in wave.members}
    everyone = [member.stack for wave in waves for member in wave.members]
    assert sorted(everyone) == sorted(member.stack for member in MEMBERS)


def test_with_percentages_the_order_within_a_ring_is_stable_but_not_alphabetical() -> None:
    first = [member.stack for wave in split_into_waves(MEMBERS, "50,100") for member in wave.members]
    second = [member.stack for wave in split_into_waves(MEMBERS[::-1], "50%,100%") for member in wave.members]
    assert first == second
    broad = [name for name in first if name.startswith("b")]
    assert broad != sorted(broad)


@pytest.mark.parametrize(
    "division", ["", "ring", "50%", "50%,10%,100%", "10%,10%,100%", "a,100%", "0%,100%", "100%,110%"]
)
def test_an_invalid_division_is_refused(division: str) -> None:
    with pytest.raises(UnknownSelection, match="rising percentages that end at 100%"):
        split_into_waves(MEMBERS, division)


def test_few_members_fill_the_first_waves() -> None:
    assert [len(wave.members) for wave in split_into_waves(MEMBERS[:1], "1%,100%")] == [1, 0]
    assert [len(wave.members) for wave in split_into_waves([], "1%,100%")] == [0, 0]


def test_a_wave_is_found_by_name_or_number() -> None:
    waves = split_into_waves(MEMBERS, "rings")
    assert [wave.name for wave in find_wave(waves, "early")] == ["early"]
    assert [wave.name for wave in find_wave(waves, "3")] == ["broad"]
    with pytest.raises(UnknownSelection, match="the waves are pilot, early, broad"):
        find_wave(waves, "outer")


def test_a_member_with_an_unknown_ring_is_in_the_first_wave() -> None:
    """The stack then fails early and by name, and not after all others."""
    members = [member("a", ring="pilot"), member("b"), member("typo", unknown=frozenset({"ring"}))]
    assert [[member.stack for member in wave.members] for wave in split_into_waves(members, "rings")] == [
        ["a", "typo"],
        [],
        ["b"],
    ]
    first, _ = split_into_waves(members, "50%,100%")
    assert {member.stack for member in first.members} == {"a", "typo"}
