"""Tests of options that several commands share."""

from __future__ import annotations

import pytest
import typer

from tenantry.cli.shared import any_selection


def test_values_of_a_tag_are_grouped_by_its_key() -> None:
    selection = any_selection(tags=["country=se", "country=no", "tier=gold"])
    assert selection.tags == {"country": {"se", "no"}, "tier": {"gold"}}


@pytest.mark.parametrize("tag", ["gold", "=gold", ""])
def test_invalid_tags_are_refused(tag: str) -> None:
    with pytest.raises(typer.Exit):
        any_selection(tags=[tag])
