"""Themes next to the stack file. Only their content matters, not their folder."""

from __future__ import annotations

from tenantry.emulator import Emulator
from tests.archives import form, write
from tests.e2e.customers import GLOBEX, settings, with_changes
from tests.e2e.harness import Stack
from tests.world import World, writes


def test_a_theme_is_created_updated_repaired_moved_and_deleted(stack: Stack, qlik: Emulator) -> None:
    """A new folder with the same content is not a change."""
    write(stack.folder / "stacks" / "look", "Corporate")
    customer = with_changes(GLOBEX, ("themes", {"Look": {"path": "look"}}))
    stack.write(**settings(customer))
    assert ("create", "Theme Look") in stack.up().operations
    world = World(qlik, stack.outputs()["hostname"])
    [theme] = world.every("theme")
    assert theme["name"] == "Corporate"

    write(stack.folder / "stacks" / "look", "Corporate", "blue")
    preview = stack.preview()
    assert (preview.diffs, writes(preview.requests)) == ({"Theme Look": {"md5": "update"}}, [])
    updated = stack.up()
    assert [operation for operation in updated.operations if operation[0] != "same"] == [
        ("update", "Theme Look")
    ]
    assert len(writes(updated.requests)) == 1

    world.request("PATCH", f"themes/{theme['id']}", form(write(stack.folder / "theirs", "Corporate", "red")))
    assert stack.preview("--refresh").diffs == {"Theme Look": {"md5": "update"}}
    stack.up("--refresh")

    (stack.folder / "stacks" / "look").rename(stack.folder / "stacks" / "moved")
    stack.write(**settings(with_changes(customer, ("themes/Look/path", "moved"))))
    assert stack.up("--expect-no-changes").requests == []
    stack.write(**settings(GLOBEX))
    stack.up()
    assert world.every("theme") == []
