"""One customer with every resource type."""

from __future__ import annotations

from tenantry.emulator import Emulator
from tenantry.providers import MODULES
from tenantry.settings.models import BLOCKS
from tests.e2e.customers import everything, settings
from tests.e2e.harness import Stack
from tests.world import writes


def test_a_customer_with_every_resource_type(stack: Stack, qlik: Emulator) -> None:
    """After the first `up` there are no changes and no drift. A destroy is one request."""
    stack.write(**settings(everything()))
    stack.up()
    types = {name.partition(" ")[0] for name in stack.resources()}
    # A tenant has one login, which is SAML here. test_identity_providers.py tests OpenID Connect.
    assert types - {"QlikCustomerTenant"} == set(MODULES) - {"OidcIdentityProvider"}

    assert stack.up("--expect-no-changes").requests == []
    unchanged = stack.preview("--refresh", "--expect-no-changes")
    assert (unchanged.diffs, writes(unchanged.requests)) == ({}, [])

    outputs = stack.outputs()
    for block, model in BLOCKS.items():
        if model.mapping and model.mapping.output:
            assert outputs[block].keys() == everything()[block].keys()
            assert all(outputs[block].values())

    destroyed = stack.destroy()
    assert [call.rpartition("/")[2] for call in writes(destroyed.requests)] == ["deactivate"]
    assert stack.resources() == {}
