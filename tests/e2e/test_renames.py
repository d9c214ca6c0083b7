"""Names: what an object is called at Qlik, and the key by which the stack file knows it."""

from __future__ import annotations

from emulator import Emulator
from tests.e2e.customers import GLOBEX, Customer, changed, settings
from tests.e2e.harness import Stack
from tests.e2e.operations import bring_up, cloud, content, entries, resources, state, urn
from tests.world import writes

ACCESS = {"Analysts": ["consumer", "contributor"]}
RENAMED: Customer = {
    **GLOBEX,
    "groups": {
        "Data Analysts": {"name": "Analysts", "roles": ["AnalyticsAdmin"], "renamed_from": "Analysts"},
        "Resellers": {**GLOBEX["groups"]["Partners"], "name": "Partners", "renamed_from": "Partners"},
    },
    "spaces": {
        "Imports": {**GLOBEX["spaces"]["Staging"], "name": "Staging", "renamed_from": "Staging"},
        "Revenue": {
            "type": "managed",
            "name": "Sales",
            "renamed_from": "Sales",
            "access": {"Data Analysts": ACCESS["Analysts"]},
        },
    },
    "apps": {
        "Overview": {
            **GLOBEX["apps"]["Sales Overview"],
            "name": "Sales Overview",
            "renamed_from": "Sales Overview",
            "staging": "Imports",
            "publish_to": ["Revenue"],
        }
    },
}
"""The same customer with another key for everything, and the same names at Qlik."""


def without_renamed_from(customer: Customer) -> Customer:
    """The same without saying what the keys were before."""
    blocks = {
        kind: {
            key: {name: value for name, value in each.items() if name != "renamed_from"}
            for key, each in customer[kind].items()
        }
        for kind in ("groups", "spaces", "apps")
    }
    return {**customer, **blocks}


def test_another_name_at_qlik(stack: Stack, qlik: Emulator) -> None:
    """`name:` is changed in place, for all that can be renamed: ids, access and apps stay."""
    world = bring_up(stack, qlik, GLOBEX)
    told = stack.outputs()
    customer = changed(
        GLOBEX,
        ("name", "Globex Corporation"),
        ("groups/Partners/name", "Resellers"),
        ("spaces/Staging/name", "Imports"),
        ("spaces/Sales/name", "Revenue"),
        ("apps/Sales Overview/name", "Overview"),
    )
    stack.write(**settings(customer))
    done = stack.up()
    assert done.changes == {
        "update": [
            "App Sales Overview",
            "AppPublication Sales Overview in Sales",
            "Group Partners",
            "Space Sales",
            "Space Staging",
            "Tenant tenant",
        ],
        "same": 4,
    }
    assert [call for call in writes(done.requests) if call.startswith(("POST", "DELETE"))] == []
    assert len(writes(done.requests)) == 6
    assert stack.outputs() == told
    assert sorted(world.groups) == ["Analysts", "Resellers"]
    assert world.access == {("Revenue", "Analysts"): ["consumer", "contributor"]}
    assert world.apps.keys() == {("Imports", "Overview"), ("Revenue", "Overview")}
    assert world.tenant["name"] == "Globex Corporation"
    assert stack.up("--expect-no-changes").requests == []


def test_another_key_said_so(stack: Stack, qlik: Emulator) -> None:
    """With `renamed_from:` a new key for everything is no change at Qlik, and no request.

    Once that is in the state the line may go.
    """
    world = bring_up(stack, qlik, GLOBEX)
    at_qlik, ids = cloud(qlik), entries(stack)
    for customer in (RENAMED, without_renamed_from(RENAMED)):
        stack.write(**settings(customer))
        done = stack.up("--expect-no-changes")
        assert done.changes == {"same": 10}
        assert done.requests == []
        assert (cloud(qlik), entries(stack)) == (at_qlik, ids)
    assert "AppPublication Overview in Revenue" in resources(stack)
    assert stack.outputs()["spaces"] == {
        "Imports": world.spaces["Staging"]["id"],
        "Revenue": world.spaces["Sales"]["id"],
    }


def test_another_key_and_nothing_said(stack: Stack, qlik: Emulator) -> None:
    """Forgetting `renamed_from:` loses nothing: what has that name at Qlik gets its new key."""
    world = bring_up(stack, qlik, GLOBEX)
    at_qlik, ids = content(world), entries(stack)
    stack.write(**settings(without_renamed_from(RENAMED)))
    done = stack.up()
    assert content(world) == at_qlik
    assert [call for call in writes(done.requests) if call.startswith("DELETE")] == []
    assert entries(stack) == ids
    assert "Space Revenue" in resources(stack)
    assert "Space Sales" not in resources(stack)
    assert any('Space "Sales" was there already' in message for message in done.messages)
    assert any("stays" in message for message in done.messages)
    assert stack.up("--expect-no-changes").requests == []


def test_another_key_for_what_is_protected(stack: Stack, qlik: Emulator) -> None:
    """Refused for a production customer, in the preview too. Whatever is then done about it loses nothing.

    After an `up` that went ahead all the same the state holds the space and the published app twice, and
    only taking the protection off the old entries lets these go, in a later run: the objects stay.
    """
    production = {**GLOBEX, "lifecycle": {"kind": "production", "grace_days": 10}}
    world = bring_up(stack, qlik, production)
    at_qlik, ids, before = content(world), entries(stack), state(stack)
    customer = {**without_renamed_from(RENAMED), "lifecycle": production["lifecycle"]}
    stack.write(**settings(customer))
    for refused in (stack.preview(expect=1), stack.up(expect=1), stack.up(expect=1)):
        assert any("in Sales" in error and "protected" in error for error in refused.errors)
        assert content(world) == at_qlik
    twice = {name for name, each in before.items() if each.get("protect")} & state(stack).keys()
    assert {"Space Sales", "AppPublication Sales Overview in Sales"} <= twice

    for name in ("Space Sales", "AppPublication Sales Overview in Sales"):
        stack.pulumi("state", "unprotect", urn(stack, name), "--yes")
    stack.up()
    assert (content(world), entries(stack)) == (at_qlik, ids)
    assert stack.up("--expect-no-changes").requests == []
