"""One customer with every resource type."""

from __future__ import annotations

from tenantry.emulator import Emulator
from tenantry.providers import MODULES
from tenantry.settings.models import BLOCKS
from tests.e2e.customers import everything, settings
from tests.e2e.harness import Stack
from tests.world import writes


def test_a_customer_that_uses_everything_is_created_and_destroyed(stack: Stack, qlik: Emulator) -> None:
    """Create it; find no changes and no drift; check the ids in the outputs; destroy it with one request."""
    stack.write(**settings(everything()))
    stack.up()
    kinds = {name.partition(" ")[0] for name in stack.resources()}
    # A tenant has one login, here by SAML. OpenID Connect has tests of its own.
    assert kinds - {"QlikCustomerTenant"} == set(MODULES) - {"OidcIdentityProvider"}

    assert stack.up("--expect-no-changes").requests == []
    refreshed = stack.preview("--refresh", "--expect-no-changes")
    assert (refreshed.diffs, writes(refreshed.requests)) == ({}, [])

    outputs = stack.outputs()
    for block, model in BLOCKS.items():
        if model.mapping and model.mapping.output:
            assert outputs[block].keys() == everything()[block].keys()
            assert all(outputs[block].values())

    gone = stack.destroy()
    assert [call.rpartition("/")[2] for call in writes(gone.requests)] == ["deactivate"]
    assert stack.resources() == {}
