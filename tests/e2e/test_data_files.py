"""Data files with the real engine. Only their content matters, not their path on this machine."""

from __future__ import annotations

import json

from tenantry.emulator import Emulator
from tests.e2e.customers import GLOBEX, settings, with_changes
from tests.e2e.harness import Stack
from tests.providers.test_data_file import PATH
from tests.world import World, calls, writes


def test_a_data_file_is_created_updated_repaired_renamed_and_deleted(stack: Stack, qlik: Emulator) -> None:
    """It is created before the app is reloaded. A new path on this machine is not a change."""
    folder = stack.folder / "stacks"
    (folder / "rates.csv").write_text("Currency,Rate\nEUR,1\n")
    entry = {"rates.csv": {"space": "Staging", "path": "rates.csv"}}
    customer = with_changes(GLOBEX, ("data_files", entry), ("apps/Sales Overview/reload", {}))
    stack.write(**settings(customer))
    created = stack.up()
    assert ("create", "DataFile rates.csv") in created.operations
    sent_writes = writes(created.requests)
    assert sent_writes.index(f"POST {PATH}") < sent_writes.index("POST /api/v1/reloads")
    world = World(qlik, stack.outputs()["hostname"])
    [file] = world.every("data-file")
    state = json.dumps(stack.export())
    assert "EUR" not in state
    assert str(folder) not in state

    (folder / "rates.csv").write_text("Currency,Rate\nEUR,2\n")
    preview = stack.preview()
    assert (preview.diffs, preview.requests) == ({"DataFile rates.csv": {"sha256": "update"}}, [])
    updated = stack.up()
    assert [operation for operation in updated.operations if operation[0] != "same"] == [
        ("update", "DataFile rates.csv")
    ]
    assert calls(updated.requests) == [f"PUT {PATH}/{file['id']}", f"GET {PATH}/{file['id']}"]

    world.request("DELETE", f"data-files/{file['id']}")
    assert ("create", "DataFile rates.csv") in stack.up("--refresh").operations
    [file] = world.every("data-file")

    (folder / "rates.csv").rename(folder / "moved.csv")
    moved = with_changes(customer, ("data_files/rates.csv/path", "moved.csv"))
    stack.write(**settings(moved))
    assert stack.up("--expect-no-changes").requests == []
    stack.write(**settings(with_changes(moved, ("data_files/rates.csv/name", "fx.csv"))))
    stack.up()
    [renamed] = world.every("data-file")
    assert (renamed["id"], renamed["name"]) == (file["id"], "fx.csv")
    stack.write(**settings(GLOBEX))
    stack.up()
    assert world.every("data-file") == []
