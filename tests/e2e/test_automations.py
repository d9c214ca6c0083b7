"""Automations with the real engine. Only the content of the file and the values matter."""

from __future__ import annotations

import json

from tenantry.emulator import Emulator
from tests.e2e.customers import GLOBEX, settings, with_changes
from tests.e2e.harness import Stack
from tests.world import World, writes

PATH = "/api/workflows/automations"
ENTRY = {
    "path": "nightly.json",
    "values": {"CUSTOMER": "Globex"},
    "schedules": [{"start_at": "2026-01-01 06:00:00", "interval": 86400, "timezone": "Europe/Berlin"}],
    "enabled": False,
}


def test_an_automation_is_created_updated_repaired_and_deleted(stack: Stack, qlik: Emulator) -> None:
    """A change of only the file or only a value is one update. The state contains neither."""
    file = stack.folder / "stacks" / "nightly.json"
    file.write_text('{"blocks": [{"text": "to {{CUSTOMER}}"}]}')
    customer = with_changes(GLOBEX, ("automations", {"Nightly": ENTRY}))
    stack.write(**settings(customer))
    assert ("create", "Automation Nightly") in stack.up().operations
    world = World(qlik, stack.outputs()["hostname"])
    [automation] = world.every("automation")
    assert (automation["workspace"], automation["state"]) == ({"blocks": [{"text": "to Globex"}]}, "disabled")
    state = json.dumps(stack.resources()["Automation Nightly"])
    assert not [word for word in ("to Globex", "nightly.json", "CUSTOMER") if word in state]

    file.write_text('{"blocks": [{"text": "only to {{CUSTOMER}}"}]}')
    preview = stack.preview()
    assert (preview.diffs, writes(preview.requests)) == ({"Automation Nightly": {"digest": "update"}}, [])
    assert len(writes(stack.up().requests)) == 1
    stack.up("--expect-no-changes", "--refresh")

    customer = with_changes(
        customer,
        ("automations/Nightly/values", {"CUSTOMER": "Globex Ltd"}),
        ("automations/Nightly/enabled", True),
    )
    stack.write(**settings(customer))
    assert stack.preview().diffs == {"Automation Nightly": {"digest": "update", "enabled": "update"}}
    stack.up()
    [automation] = world.every("automation")
    assert (automation["workspace"], automation["state"]) == (
        {"blocks": [{"text": "only to Globex Ltd"}]},
        "available",
    )

    world.request("POST", f"{PATH}/{automation['id']}/actions/disable")
    assert stack.preview("--refresh").diffs == {"Automation Nightly": {"enabled": "update"}}
    stack.up("--refresh")
    stack.write(**settings(GLOBEX))
    stack.up()
    assert world.every("automation") == []
