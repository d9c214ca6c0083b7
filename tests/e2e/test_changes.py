"""Changes of a stack file: the preview shows the changed properties, and `up` sets them at Qlik."""

from __future__ import annotations

from typing import Any

from tenantry.emulator import Emulator
from tests.e2e.customers import GLOBEX, settings, with_changes
from tests.e2e.harness import Stack
from tests.world import World, writes

BEFORE = with_changes(
    GLOBEX,
    ("tenant", {"enable_app_opening_feedback": False}),
    ("groups/Viewers", {"name": "Readers"}),
    ("spaces/Data", {"type": "data"}),
    ("spaces/Sales/access/Partners", ["consumer"]),
)
AFTER = with_changes(
    BEFORE,
    ("name", "Globex Corporation"),
    ("alias", "globex-corp"),
    ("tenant/enable_app_opening_feedback", True),
    ("lifecycle/grace_days", 20),
    ("lifecycle/ends_on", "2998-01-31"),
    ("groups/Analysts/roles", ["Developer", "DataAdmin"]),
    ("groups/Partners/name", "Resellers"),
    ("groups/Partners/description", "Those who sell it"),
    ("groups/Viewers/name", "Viewers"),
    ("spaces/Staging/description", "Nobody works here"),
    ("spaces/Sales/name", "Sales North"),
    ("spaces/Sales/access/Analysts", ["publisher"]),
    ("spaces/Data/type", "shared"),
    ("apps/Sales Overview/name", "Sales"),
)
PLANNED = {
    "Tenant tenant": {
        "name": "update",
        "alias": "update",
        "enable_app_opening_feedback": "update",
        "grace_days": "update",
    },
    "TenantLifecycle lifecycle": {"grace_days": "update", "ends_on": "update"},
    "TenantActivation activation": {"ends_on": "update"},
    "Group Analysts": {"roles[0]": "update", "roles[1]": "add"},
    "Group Partners": {"name": "update", "description": "update"},
    "Group Viewers": {"name": "update"},
    "Space Staging": {"description": "update"},
    "Space Sales": {"name": "update"},
    "Space Data": {"type": "update"},
    "SpaceAssignment Analysts in Sales": {"roles[0]": "update", "roles[1]": "delete"},
    "App Sales Overview": {"name": "update"},
    "AppPublication Sales Overview in Sales": {"name": "update"},
}
IDS = ("spaces/Staging", "spaces/Sales", "groups/Analysts", "groups/Partners", "apps/Sales Overview")


def test_changes_are_made_in_place_where_qlik_allows_it(stack: Stack, qlik: Emulator) -> None:
    """Such a change is one request. Other changes replace the object."""
    stack.write(**settings(BEFORE))
    stack.up()
    before = stack.outputs()

    stack.write(**settings(AFTER))
    preview = stack.preview("--diff")
    assert preview.diffs == PLANNED
    assert preview.changes["replace"] == ["Group Viewers", "Space Data"]
    assert preview.requests == []
    up = stack.up()
    assert up.changes == preview.changes

    after = stack.outputs()
    assert after["url"] == "https://globex-corp.eu.qlikcloud.com"
    stable = ("hostname", "tenant_id", "apps")
    assert [after[name] for name in stable] == [before[name] for name in stable]
    for block, names in {"groups": ("Analysts", "Partners"), "spaces": ("Staging", "Sales")}.items():
        assert [after[block][name] for name in names] == [before[block][name] for name in names]
    assert after["groups"]["Viewers"] != before["groups"]["Viewers"]
    assert after["spaces"]["Data"] != before["spaces"]["Data"]
    assert_qlik_agrees_with_file(World(qlik, after["hostname"]))
    # The run changes eight objects in place, and replaces two with two requests each.
    assert len(writes(up.requests)) == 8 + 2 * 2
    assert stack.preview("--refresh", "--expect-no-changes").changes.keys() == {"same"}


def assert_qlik_agrees_with_file(world: World) -> None:
    """Check that Qlik has the values of `AFTER`."""
    assert world.tenant["name"] == "Globex Corporation"
    assert world.tenant["hostnames"][1] == "globex-corp.eu.qlikcloud.com"
    assert world.tenant["enableAppOpeningFeedback"] is True
    groups, spaces = world.groups, world.spaces
    assert groups.keys() == {"Analysts", "Resellers", "Viewers"}
    assert sorted(role["name"] for role in groups["Analysts"]["assignedRoles"]) == ["DataAdmin", "Developer"]
    assert groups["Resellers"]["description"] == "Those who sell it"
    assert {name: space["type"] for name, space in spaces.items()} == {
        "Staging": "shared",
        "Sales North": "managed",
        "Data": "shared",
    }
    assert spaces["Staging"]["description"] == "Nobody works here"
    assert world.access == {
        ("Sales North", "Analysts"): ["publisher"],
        ("Sales North", "Resellers"): ["consumer"],
    }
    assert world.apps.keys() == {("Staging", "Sales"), ("Sales North", "Sales")}


def test_the_order_of_keys_and_list_members_is_no_change(stack: Stack, qlik: Emulator) -> None:
    """A duplicate role is no change either."""
    customer = with_changes(
        BEFORE,
        ("groups/Analysts/roles", ["Developer", "AnalyticsAdmin", "DataAdmin"]),
        ("spaces/Partners", {"type": "managed"}),
        ("apps/Sales Overview/publish_to", ["Sales", "Partners"]),
    )
    stack.write(**settings(customer))
    stack.up()
    reordered = reversed_order(customer)
    assert list(reordered) == list(reversed(customer))
    reordered["groups"]["Analysts"]["roles"].append("Developer")
    stack.write(**settings(reordered))
    result = stack.up("--expect-no-changes")
    assert result.requests == []


def reversed_order(value: Any) -> Any:
    """Return the value with every mapping and every list in reverse order."""
    if isinstance(value, dict):
        return {key: reversed_order(inner) for key, inner in reversed(value.items())}
    return list(reversed(value)) if isinstance(value, list) else value
