"""Brands next to the stack file, and the active brand of the tenant."""

from __future__ import annotations

from tenantry.emulator import Emulator
from tests.e2e.customers import GLOBEX, settings, with_changes
from tests.e2e.harness import Stack
from tests.e2e.operations import bring_up
from tests.pictures import JPEG, PNG, brand, upload
from tests.world import World, writes


def active_brands(world: World) -> list[str]:
    """Return the names of the active brands."""
    return [brand["name"] for brand in world.every("brand") if brand["active"]]


def test_a_brand_is_created_updated_repaired_swapped_and_deleted(stack: Stack, qlik: Emulator) -> None:
    """At the end, the brand that was active before is active again."""
    world = bring_up(stack, qlik, GLOBEX)
    former = world.request("POST", "brands", brand("Before", logo=PNG))["id"]
    world.request("POST", f"brands/{former}/actions/activate")
    logo = stack.folder / "stacks" / "logo.png"
    logo.write_bytes(PNG)
    customer = with_changes(GLOBEX, ("brands", {"Globex": {"logo": "logo.png"}}))
    stack.write(**settings(customer))
    assert ("create", "Brand Globex") in stack.up().operations
    assert active_brands(world) == ["Globex"]

    logo.write_bytes(JPEG)
    preview = stack.preview()
    assert (preview.diffs, writes(preview.requests)) == ({"Brand Globex": {"logo_md5": "update"}}, [])
    assert len(writes(stack.up().requests)) == 1
    [brand_id] = [brand["id"] for brand in world.every("brand") if brand["name"] == "Globex"]
    world.request("PUT", f"brands/{brand_id}/files/logo", upload(PNG + b"mine"))
    world.request("POST", f"brands/{brand_id}/actions/deactivate")
    differences = {"Brand Globex": {"logo_md5": "update", "active": "update"}}
    assert stack.preview("--refresh").diffs == differences
    stack.up("--refresh")
    assert active_brands(world) == ["Globex"]

    both = {"Globex": {"logo": "logo.png", "active": False}, "Autumn": {"description": "Brown"}}
    stack.write(**settings(with_changes(GLOBEX, ("brands", both))))
    stack.up()
    assert active_brands(world) == ["Autumn"]
    assert stack.preview("--refresh").diffs == {}
    stack.write(**settings(GLOBEX))
    stack.up()
    assert [brand["name"] for brand in world.every("brand")] == active_brands(world) == ["Before"]
