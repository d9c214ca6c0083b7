"""Tests of names and e-mail addresses that another entry of the same stack still has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tenantry.emulator import Emulator
from tests.checks.bench import Bench


@pytest.fixture
def bench(qlik: Emulator, tmp_path: Path) -> Bench:
    """Return a bench."""
    return Bench(qlik, tmp_path)


def resource(kind: str, key: str, **outputs: Any) -> dict[str, Any]:
    """Return a resource in the state."""
    return {
        "type": f"pulumi-python:dynamic/qlik:{kind}",
        "urn": f"urn:pulumi:globex::tenantry::dynamic/qlik:{kind}::{key}",
        "id": f"id of {key}",
        "outputs": outputs,
    }


def test_an_unchanged_name_is_not_reported(bench: Bench) -> None:
    """A name that moves to a new key with `renamed_from` is not reported either."""
    bench.resources = [
        resource("Space", "Sales", name="Sales"),
        resource("Space", "Old staging", name="Staging"),
        resource("Group", "Analysts", name="Analysts", provider_type="idp"),
        resource("Group", "Guests", name="Viewers", provider_type="custom"),
    ]
    spaces = {"Staging": {"type": "shared", "renamed_from": "Old staging"}, "Sales": {"type": "managed"}}
    assert bench.problems(spaces=spaces) == []


def test_a_name_that_moves_to_another_entry_is_a_warning(bench: Bench) -> None:
    """A move needs two runs, and it can be a mistake."""
    bench.resources = [
        resource("Space", "Old", name="Sales"),
        resource("User", "Grace", email="Sales@Example.com"),
    ]
    users = {"Ada": {"subject": "auth0|ada", "email": "sales@example.com"}}
    space, user = bench.problems(users=users)
    assert space.startswith("warning names: ")
    assert 'customer.spaces.Sales: Space "Old" of this stack has the name "Sales" now' in space
    assert "a second `pulumi up`" in space
    assert 'renamed_from: "Old"' in space
    assert 'User "Grace" of this stack has the email "sales@example.com" now' in user


def test_the_name_of_an_idp_group_cannot_move(bench: Bench) -> None:
    """The name can move only if the other entry stays and gets another name."""
    bench.resources = [resource("Group", "Old", name="Analysts", provider_type="idp")]
    [finding] = bench.problems()
    assert finding.startswith("error names: ")
    assert "remove that entry first" in finding
    groups = {"Analysts": {}, "Old": {"name": "Viewers"}}
    [finding] = bench.problems(groups=groups)
    assert finding.startswith("warning names: ")
