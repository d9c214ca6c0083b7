"""Tests of names that look the same but differ."""

from __future__ import annotations

import pytest

from tests.checks.bench import Bench
from tests.settings.conftest import Folder
from tests.settings.conftest import folder as folder

PREFIX = "warning names: Pulumi.globex.yaml"
LOOKALIKES = [
    ("Caf\u00e9", "Cafe\u0301", '"Cafe\\u0301" here, "Caf\\u00e9" there'),
    ("Sales", "Sales ", '"Sales " here, "Sales" there'),
    ("EMEA Sales", "EMEA\u00a0Sales", '"EMEA\\u00a0Sales" here, "EMEA Sales" there'),
    ("Sales", "Sa\u200bles", '"Sa\\u200bles" here, "Sales" there'),
]


@pytest.mark.parametrize(("one", "other", "difference"), LOOKALIKES, ids=[row[2] for row in LOOKALIKES])
def test_lookalikes_are_reported_with_their_difference(
    bench: Bench, one: str, other: str, difference: str
) -> None:
    [finding] = bench.problems(groups={one: {}, other: {}, "Viewers": {}, "Analysts": {}})
    assert finding.startswith(PREFIX)
    assert finding.endswith(f"looks like another name, but differs from it: {difference}")


def test_a_lookalike_in_a_name_key_is_reported(bench: Bench) -> None:
    spaces = {
        "Staging": {"type": "shared"},
        "Sales": {"type": "managed"},
        "x": {"type": "data", "name": "Sales\u00a0"},
    }
    [finding] = bench.problems(spaces=spaces)
    assert finding.endswith(
        'spaces.x.name: looks like another name, but differs from it: "Sales\\u00a0" here, "Sales" there'
    )


def test_a_trailing_blank_is_reported(bench: Bench) -> None:
    [finding] = bench.problems(groups={"Viewers\u00a0": {}, "Analysts": {}})
    assert finding.endswith('ends with an invisible blank: "Viewers\\u00a0"')


def test_names_with_different_letters_are_not_reported(bench: Bench) -> None:
    assert bench.problems(groups={"Sales": {}, "sales": {}, "Cafe": {}, "Caf\u00e9": {}, "S ales": {}}) == []


def test_an_undeclared_lookalike_is_shown_with_its_difference(folder: Folder) -> None:
    folder.write('spaces: {S: {type: shared, access: {"Cafe\u0301": [producer]}}}\ngroups: {"Caf\u00e9": }')
    [problem] = folder.problems()
    assert '; it looks like another name but differs: "Cafe\\u0301" and "Caf\\u00e9"; allowed:' in problem
